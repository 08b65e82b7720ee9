# ruff: noqa: INP001 - a folder of scripts' parts
"""A search for drawn bears under a search site's own address, which grows as it is scrolled."""

from __future__ import annotations

from urllib.parse import quote_plus

from bears import draw_bear
from results import Result, results_page, tile
from typing_extensions import override

from tests.support.https_site import Asked, HttpsSite, Reply

KIND = "grizzly bear"
PLACE = "www.bing.com/images/search"
RESULT_COUNT = 120
SHOWN_AT_FIRST = 30
DRAWN_COUNT = 30  # they come again and again further down
# Results, by their numbers, whose originals their site has taken down, as happens on the web.
GONE = (7,)
# As the real page does it: more results come once the end is near.
_TAIL = """<template>{more}</template><script>
const more = [...document.querySelector('template').content.children];
let isLoading = false;
addEventListener('scroll', () => {{
  const {{ scrollTop, clientHeight, scrollHeight }} = document.scrollingElement;
  if (isLoading || scrollTop + clientHeight < scrollHeight - 300) return;
  isLoading = true;
  setTimeout(() => {{
    document.querySelector('ul').append(...more.splice(0, 15));
    isLoading = false;
  }}, 300);
}});
</script>"""


class BearSearch(HttpsSite):
    """The site; use it as a context manager. A server must be let in to its ``authority``."""

    url = f"https://{PLACE}?q={quote_plus(KIND)}"

    def __init__(self) -> None:
        super().__init__({PLACE: self._respond})
        # Drawn in advance: that takes longer than a browser waits for a page.
        self._photos = [draw_bear(KIND, number) for number in range(DRAWN_COUNT)]

    @property
    def authority(self) -> str:
        """Where the originals are."""
        return f"127.0.0.1:{self.port}"

    @override
    def answer(self, asked: Asked, accepted: str) -> Reply:
        name = asked.path.removeprefix("/photos/").removesuffix(".jpg")
        if asked.path == f"/photos/{name}.jpg" and name.isdecimal():
            return Reply(self._photos[int(name) % DRAWN_COUNT], "image/jpeg")
        if asked.path.startswith("/gone/"):
            return Reply(b"gone", "text/plain", 404)
        return super().answer(asked, accepted)

    def _respond(self, _: Asked) -> Reply:
        results = [self._result(number) for number in range(1, RESULT_COUNT + 1)]
        more = "".join(tile(each) for each in results[SHOWN_AT_FIRST:])
        page = results_page(KIND, results[:SHOWN_AT_FIRST], _TAIL.format(more=more))
        return Reply(page.encode())

    def _result(self, number: int) -> Result:
        folder = "gone" if number in GONE else "photos"
        return Result(
            number=number,
            title=f"Grizzly Bear {number}",
            address=f"http://{self.authority}/{folder}/{number}.jpg",
            thumbnail=f"/photos/{number}.jpg",
            page=f"https://bears.example/{number}",
        )

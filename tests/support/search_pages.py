"""Result pages under the search sites' real addresses: synthetic ones, and real ones if there are.

The real pages are third parties' and not in the repository: they lie beside the checkout, or not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from tests.support.https_site import Asked, Reply, Responder
from tests.support.processes import ROOT

SYNTHETIC = ROOT / "tests" / "fixtures" / "pages"
REAL = ROOT.parent / "shared" / "pages"
GOOGLE = "www.google.com/search"
BING = "www.bing.com/images/search"
# As Bing's own script does it: the same search again, with the size of the window.
RELOAD = (
    "<script>if (!location.search.includes('first=')) "
    "location.replace(`${location.href}&first=1&cw=${innerWidth}&ch=${innerHeight}`);</script>"
)
# Address → source page, width and height in px.
Images = dict[str, tuple[str | None, int | None, int | None]]


@dataclass(frozen=True)
class ResultPage:
    """A page of results and what a person must be able to take from it.

    Attributes:
        place: Host and path.
        query: What was searched for; no two pages of a place have the same.
        file: The page.
        images: As the page declares them.
        more: Parameters of the address besides the query.
        tail: Markup to send after the page.
        headers: To send with it.
    """

    place: str
    query: str
    file: Path
    images: Images
    more: str = ""
    tail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        """The site, in the word that captures have for it."""
        return self.place.split(".")[1]

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://{self.place}?q={quote_plus(self.query)}{self.more}"

    @property
    def reply(self) -> Reply:
        """What the site sends."""
        return Reply(self.file.read_bytes() + self.tail.encode(), headers=self.headers)


def synthetic_pages() -> list[ResultPage]:
    """Return small pages in the shapes of the real ones."""
    site = "https://birds.example"
    google: Images = {
        f"{site}/full/{name}": (f"{site}/page/{number}", width, height)
        for number, name, width, height in [
            (1, "1.jpg?w=9&v=1", 1600, 1200),
            (2, "2.jpg?w=9&v=2", 1600, 1200),
            (3, "3.jpg", 640, 480),
            (9, "9.jpg?w=9&v=9", 1600, 1200),
        ]
    }
    bing: Images = {
        f"{site}/full/1.jpg": (f"{site}/page/1", 1600, 1200),
        f"{site}/full/2.jpg": (f"{site}/page/2", 800, 1000),
        "http://birds.example/full/3.png?v=2&w=9": (f"{site}/page/3", None, None),
        f"{site}/full/5.jpg": (f"{site}/page/5", 640, 480),
    }
    return [
        ResultPage(GOOGLE, "satin bowerbird", SYNTHETIC / "google-tiles.html", google, "&udm=2"),
        ResultPage(
            GOOGLE,
            "bowerbird under a strict policy",
            SYNTHETIC / "google-tiles.html",
            google,
            "&udm=2",
            headers={"Content-Security-Policy": "default-src 'none'"},
        ),
        ResultPage(BING, "satin bowerbird", SYNTHETIC / "bing-results.html", bing, tail=RELOAD),
    ]


def real_pages() -> list[ResultPage]:
    """Return the saved pages with what an independent script found in them; none where none are."""
    expected = REAL / "expected.json"
    if not expected.is_file():
        return []
    found: dict[str, list[dict[str, Any]]] = json.loads(expected.read_text())

    def page(place: str, query: str, name: str, more: str) -> ResultPage:
        images: Images = {
            each["original"]: (each["page"], each.get("width"), each.get("height"))
            for each in found[name]
        }
        return ResultPage(place, query, REAL / name, images, more)

    return [
        page(GOOGLE, "cat", "google/udm2_cat_2024-08_reduced.html", "&udm=2"),
        page(BING, "golang gopher", "bing/search_golang-gopher_2026-04.html", "&form=HDRSC2"),
    ]


class GrowingSearch:
    """A search whose results come by scrolling: their originals are in answers to its script alone.

    The tiles and the answers have Google's shapes; an answer is JSON, in a string, in a string.
    """

    query = "bears that never end"
    total_count = 120
    batch_count = 20
    url = f"https://{GOOGLE}?q={quote_plus(query)}&udm=2"

    def images(self, count: int) -> Images:
        """Return the first images of the search."""
        site = "https://bears.example"
        return {
            f"{site}/full/{n}.jpg?size=large": (f"{site}/page/{n}", 1600, 1200)
            for n in range(count)
        }

    def respond(self, asked: Asked) -> Reply:
        """Return the page; or for its script, which says where it stands, the next results."""
        if asked.query.get("async") is None:
            return Reply(_GROWING.replace("ENTRIES", self._entries(0)).encode())
        entries = self._entries(int(asked.query["start"]))
        answer = ")]}'\n" + json.dumps([["async", json.dumps(entries)]])
        return Reply(answer.encode(), "application/json; charset=utf-8")

    def _entries(self, start: int) -> str:
        results = list(self.images(self.total_count).items())
        entries = {
            f"K{number}": [1, _entry(number, *results[number])]
            for number in range(start, min(start + self.batch_count, self.total_count))
        }
        return json.dumps(entries, separators=(",", ":"))


def _entry(number: int, url: str, facts: tuple[str | None, int | None, int | None]) -> list[Any]:
    page, width, height = facts
    thumbnail = f"https://encrypted-tbn0.gstatic.com/images?q=tbn:B{number}&s"
    about = {"2003": [None, "ref", page, f"Bear {number}"]}
    key = f"docid{number:06}M"
    return [
        0,
        key,
        [thumbnail, 225, 300],
        [url, height, width],
        None,
        0,
        "rgb(1,2,3)",
        None,
        0,
        about,
    ]


_GROWING = r"""<!doctype html><meta charset="utf-8"><title>bears - Google Search</title>
<style>#search { display: flex; flex-wrap: wrap } #search > div { width: 280px; height: 280px }
img { width: 260px; height: 200px }</style><div id="search"></div>
<script>window.W_jd = ENTRIES;</script>
<script>
  let count = 0;
  function show(results) {
    for (const number of results) {
      const tile = document.createElement('div');
      tile.dataset.docid = `docid${String(number).padStart(6, '0')}M`;
      tile.dataset.lpage = `https://bears.example/page/${number}`;
      tile.innerHTML = `<h3><a><img alt="Bear ${number}" src="/thumbnails/${number}.jpg"></a></h3>`;
      search.append(tile);
    }
    count += results.length;
  }
  show(Array.from({ length: 20 }, (_, number) => number));
  let isLoading = false;
  addEventListener('scroll', async () => {
    const { scrollTop, clientHeight, scrollHeight } = document.scrollingElement;
    if (isLoading || count >= 120 || scrollTop + clientHeight < scrollHeight - 400) return;
    isLoading = true;
    const answer = await fetch(`${location.href}&async=_fmt:jspb&start=${count}`);
    const text = await answer.text();
    // As on the real page, the tiles do not wait for what is in the data.
    show([...text.matchAll(/docid(\d{6})M/g)].map(([, digits]) => Number(digits)));
    isLoading = false;
  });
</script>"""


def serve(pages: list[ResultPage], growing: GrowingSearch) -> dict[str, Reply | Responder]:
    """Return the pages by place, each told by its query."""

    def respond(asked: Asked) -> Reply:
        if asked.query.get("q") == growing.query:
            return growing.respond(asked)
        wanted = (asked.host + asked.path, asked.query.get("q"))
        for page in pages:
            if (page.place, page.query) == wanted:
                return page.reply
        return Reply(b"no such search", status=404)

    return {page.place: respond for page in pages}

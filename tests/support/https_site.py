"""One site on loopback that answers under any host name, for browsers that are told to ask it.

Chromium maps every name to its port; Firefox takes it as the proxy of every name: after ``CONNECT``
the site itself speaks TLS, so nothing is passed on to anybody. It answers plain HTTP too, since a
mapped name keeps its scheme. A page is found by its host and path; whatever asks for an image gets
a small real one, and everything else gets 404.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from tests.support.images import encode, photo

HTML = "text/html; charset=utf-8"
# Of a connection that says nothing. A browser keeps six open to each of some hundred hosts.
IDLE_S = 30.0
MAX_CONNECTIONS = 800
MAX_LOG = 100_000  # requests; a page that asks more often is a page that never ends
_TLS_HANDSHAKE = b"\x16"  # the first byte of every TLS connection; no HTTP method begins so


@dataclass(frozen=True)
class Asked:
    """What a browser asked for.

    Attributes:
        host: Without the port.
        path: Without the query.
        query: The first value of each name.
    """

    host: str
    path: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What the site sends."""

    body: bytes
    media_type: str = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Responder = Callable[[Asked], Reply]


def make_certificate(folder: Path) -> Path:
    """Return a new key and certificate in one file, which nobody vouches for."""
    path = folder / "site.pem"
    certificate = folder / "site.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=every name", "-keyout", path, "-out", certificate],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + certificate.read_bytes())
    return path


class HttpsSite:
    """The site; use it as a context manager.

    Args:
        pages: What is found under ``host/path`` (without the query): a reply, or what makes one.
    """

    def __init__(self, pages: Mapping[str, Reply | Responder]) -> None:
        self.pages = dict(pages)
        self.asked: list[Asked] = []
        self._server: _Server | None = None

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        assert self._server is not None
        return self._server.server_port

    def count(self, host: str, path: str) -> int:
        """Return how often a path was asked for."""
        return sum(each.host == host and each.path == path for each in list(self.asked))

    def answer(self, asked: Asked, accepted: str) -> Reply:
        """Return what to send, and keep what was asked.

        Args:
            asked: The request.
            accepted: Its ``Accept`` header: browsers begin it with ``image/`` for images.
        """
        if len(self.asked) < MAX_LOG:
            self.asked.append(asked)
        page = self.pages.get(asked.host + asked.path)
        if page is not None:
            return page if isinstance(page, Reply) else page(asked)
        if accepted.startswith("image/"):
            return Reply(_picture(asked), "image/jpeg", headers={"Cache-Control": "max-age=600"})
        return Reply(b"not found", "text/plain", 404)

    def __enter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            context.load_cert_chain(make_certificate(Path(folder)))
        handler = type("Handler", (_Handler,), {"site": self, "context": context})
        self._server = _Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
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
        assert not self._server.faults, self._server.faults


def _picture(asked: Asked) -> bytes:
    seed = int.from_bytes(hashlib.sha256(repr(asked).encode()).digest()[:4])
    return encode(photo(160, 120, seed), "JPEG", quality=60)


class _Server(ThreadingHTTPServer):
    """A thread a connection, and no more connections than the cap."""

    daemon_threads = True
    request_queue_size = 128  # a page with 100 images opens its connections at once

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.faults: list[BaseException] = []
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)

    @override
    def process_request_thread(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        if not self._free.acquire(blocking=False):
            return self.shutdown_request(request)
        try:
            return super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Keep what went wrong, but for browsers that hang up, in a handshake too."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.faults.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    site: HttpsSite
    context: ssl.SSLContext

    @override
    def setup(self) -> None:
        self.request.settimeout(IDLE_S)
        if self.request.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
            self.request = self.context.wrap_socket(self.request, server_side=True)
        super().setup()

    @override
    def finish(self) -> None:
        try:
            super().finish()
        finally:
            # Under TLS it is another socket than the server's own.
            self.request.close()

    def do_CONNECT(self) -> None:
        """Become the host that the browser wants to be connected to."""
        self.send_response(200)
        self.end_headers()
        # Makes the files of the connection anew, over TLS.
        self.setup()
        self.close_connection = False

    def do_GET(self) -> None:
        reply = self.site.answer(self._read_asked(), self.headers.get("Accept", ""))
        self.send_response(reply.status)
        headers = {"Content-Type": reply.media_type, "Content-Length": str(len(reply.body))}
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        # A browser that leaves the page hangs up on its images.
        with contextlib.suppress(OSError):
            self.wfile.write(reply.body)

    def _read_asked(self) -> Asked:
        # A proxy is asked by whole addresses, a site by paths.
        parts = urlsplit(self.path)
        host = parts.hostname or self.headers.get("Host", "").partition(":")[0]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return Asked(host, parts.path or "/", query)

    def do_POST(self) -> None:
        """Take what pages report, and answer nothing."""
        self.site.answer(self._read_asked(), "")
        self.close_connection = True  # what they send is not read
        self.send_response(204)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

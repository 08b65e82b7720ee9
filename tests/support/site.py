"""A hostile image site on loopback: raw sockets, so that every fault of HTTP can be sent.

``async with Site({"/a.jpg": answer(body)}) as site: … site.url("/a.jpg") …``. A handler gets the
connection after the request's head was read and writes what it likes; `site.requests` and
`site.connections` say what arrived. Requests for ``/robots.txt``, which go before the first for a
picture, stand in `site.robots_requests` and not among the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

MAX_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """The head of one request."""

    method: str
    target: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class Exchange:
    """One request and the connection to answer it on."""

    request: Request
    writer: asyncio.StreamWriter
    keep: bool = field(default=False)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection off with RST instead of FIN."""
        peer: socket.socket = self.writer.get_extra_info("socket")
        # The transport's wrapper forwards setsockopt; linger 0 turns the close into a reset.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Handler = Callable[[Exchange], Awaitable[None]]


def head(status: str, *headers: str) -> bytes:
    """Return a response head."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def answer(body: bytes = b"", *headers: str, status: str = "200 OK", keep: bool = True) -> Handler:
    """Return a handler that answers properly, with Content-Length and keep-alive."""

    async def handle(exchange: Exchange) -> None:
        exchange.keep = keep
        await exchange.send(head(status, f"Content-Length: {len(body)}", *headers) + body)

    return handle


def raw(data: bytes, *, keep: bool = False) -> Handler:
    """Return a handler that sends these bytes and hangs up, unless told to keep."""

    async def handle(exchange: Exchange) -> None:
        exchange.keep = keep
        await exchange.send(data)

    return handle


def redirect(location: str, status: str = "302 Found") -> Handler:
    """Return a handler that redirects to ``location`` as it is."""
    return answer(b"", f"Location: {location}", status=status)


def drip(start: bytes, piece: bytes, pause_s: float) -> Handler:
    """Return a handler that sends ``start``, then ``piece`` for ever, each after a pause."""

    async def handle(exchange: Exchange) -> None:
        await exchange.send(start)
        while True:
            await asyncio.sleep(pause_s)
            await exchange.send(piece)

    return handle


async def hang(exchange: Exchange) -> None:
    """Answer nothing until the connection goes away."""
    await exchange.writer.wait_closed()


async def reset(exchange: Exchange) -> None:
    """Reset before any answer."""
    exchange.reset()


class Site:
    """A server on a free port of 127.0.0.1 (or ``host``), with one handler a path.

    Args:
        routes: Path (without query) → handler; others answer 404.
        host: The address to listen on.
        ssl_context: Makes it an https site.
    """

    def __init__(
        self,
        routes: Mapping[str, Handler] | None = None,
        *,
        host: str = "127.0.0.1",
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.routes = dict(routes or {})
        self.requests: list[Request] = []
        self.robots_requests: list[Request] = []
        self.connections = 0
        self.open_now = 0
        self.most_open = 0
        self._host = host
        self._ssl = ssl_context
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def authority(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    def url(self, path: str, host: str | None = None) -> str:
        scheme = "https" if self._ssl else "http"
        return f"{scheme}://{f'{host}:{self.port}' if host else self.authority}{path}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, self._host, 0, ssl=self._ssl, limit=MAX_HEAD_BYTES
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            await self._converse(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self.open_now -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        keep = True
        while keep:
            request = _parse(await reader.readuntil(b"\r\n\r\n"))
            is_robots = request.target == "/robots.txt"
            (self.robots_requests if is_robots else self.requests).append(request)
            exchange = Exchange(request, writer)
            handler = self.routes.get(request.target.partition("?")[0])
            await (handler or answer(b"no such page", status="404 Not Found"))(exchange)
            keep = exchange.keep


def _parse(data: bytes) -> Request:
    first, *lines = data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return Request(
        method, target, {name.strip().lower(): value.strip() for name, _, value in pairs}
    )

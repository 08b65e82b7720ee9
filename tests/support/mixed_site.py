"""A loopback site with pictures and what is none, under as many addresses as a test wants.

What stands at an address, and what must become of it, is told by its path. Several hosts, each on a
loopback address of its own.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from PIL import Image
from typing_extensions import override

HOSTS: Final = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
SIDE_PX: Final = 48
COPIES: Final = 10  # different pictures under the addresses of copies
FIRST_COPY: Final = 10**9  # apart from all numbers of addresses
SLOW_S: Final = 0.6
MOST_DELAY_S: Final = 0.1
MOST_HELD_S: Final = 8.0  # less than servers wait for an answer
# What stands at an address by its first folder, and how often; then how it must end.
SHARES: Final = {"good": 60, "copy": 15, "gone": 8, "cut": 5, "slow": 4, "later": 8}
ENDS: Final[dict[str, tuple[set[str], str | None]]] = {
    "good": ({"ready"}, None),
    "copy": ({"ready", "duplicate"}, None),
    "gone": ({"rejected"}, "http-status"),
    "cut": ({"rejected"}, "truncated"),
    "slow": ({"ready"}, None),
    "later": ({"ready"}, None),
}


@lru_cache(maxsize=1000)
def draw(number: int) -> bytes:
    """Return a picture of noise, the same for a number each time; some 7 KB."""
    pixels = Random(number).randbytes(SIDE_PX * SIDE_PX * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (SIDE_PX, SIDE_PX), pixels).save(file, "PNG")
    return file.getvalue()


def kind_of(url: str) -> str:
    """Return what stands at an address."""
    return urlsplit(url).path.split("/")[1]


class MixedSite:
    """The site; use it as a context manager."""

    def __init__(self) -> None:
        self._servers: list[ThreadingHTTPServer] = []
        self._asked: set[str] = set()
        self._given_count = 0
        self._stack = ExitStack()
        self._open = threading.Event()
        self._open.set()
        self._held_count = 0
        self._held_lock = threading.Lock()

    @property
    def authorities(self) -> str:
        """Every host with its port, as the guard's exemptions are written."""
        return ",".join(f"{host}:{server.server_port}" for host, server in self._by_host())

    def addresses(self, count: int, dice: Random) -> list[str]:
        """Return addresses that were not given before."""
        kinds: Sequence[str] = dice.choices(list(SHARES), list(SHARES.values()), k=count)
        first = self._given_count
        self._given_count += count
        bases = [f"http://{host}:{server.server_port}" for host, server in self._by_host()]
        return [
            f"{bases[number % len(bases)]}/{kind}/{number}.png"
            for number, kind in enumerate(kinds, start=first)
        ]

    @property
    def held_count(self) -> int:
        """How many requests wait now for the end of a block of `holding`."""
        return self._held_count

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Let answers wait until the end of the block."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def _by_host(self) -> list[tuple[str, ThreadingHTTPServer]]:
        return list(zip(HOSTS, self._servers, strict=True))

    def __enter__(self) -> Self:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body = site._answer(self.path)
                with suppress(ConnectionError):  # the server was killed meanwhile
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            @override
            def handle_error(self, request: object, client_address: object) -> None:
                pass  # connections of killed servers break

        for host in HOSTS:
            server = self._stack.enter_context(closing(_Closable(Server((host, 0), Handler))))
            self._servers.append(server.server)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _wait_open(self) -> None:
        if self._open.is_set():
            return
        with self._held_lock:
            self._held_count += 1
        self._open.wait(MOST_HELD_S)
        with self._held_lock:
            self._held_count -= 1

    def _answer(self, path: str) -> tuple[int, bytes]:
        if path == "/robots.txt":
            return 404, b"no rules"
        self._wait_open()
        kind, _, name = path.strip("/").partition("/")
        number = int(name.partition(".")[0])
        time.sleep(SLOW_S if kind == "slow" else MOST_DELAY_S * Random(number).random())
        if kind == "gone":
            return 404, b"gone"
        if kind == "later" and path not in self._asked:
            self._asked.add(path)
            return 500, b"once more"
        data = draw(FIRST_COPY + number % COPIES if kind == "copy" else number)
        return 200, data[: len(data) // 2] if kind == "cut" else data


class _Closable:
    """A server in a thread."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.server = server
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

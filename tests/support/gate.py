"""A way to the server that can be blocked: requests pass, answers wait."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

CHUNK_BYTES = 64 * 1024


class Gate:
    """A TCP relay on loopback; use it as a context manager.

    Attributes:
        is_open: Cleared, no answer passes until it is set again.
        passed: All that clients have sent.
    """

    def __init__(self, port: int) -> None:
        """Keep the port that is relayed to."""
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.is_open = threading.Event()
        self.is_open.set()
        self.passed = b""

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def count_captures(self) -> int:
        """Return how many captures were sent through."""
        return self.passed.count(b"/captures HTTP/1.1\r\n")

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_open.set()
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [client, server]
                for pump in (self._send, self._answer):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _send(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):  # either side hung up
            while data := client.recv(CHUNK_BYTES):
                self.passed += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):  # either side hung up
            while data := server.recv(CHUNK_BYTES):
                self.is_open.wait()
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)

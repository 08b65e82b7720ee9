"""Requests to the server: one at a time, capped, timed, with bounded attempts.

The only place that touches the network. May import httpx2 and ``trainer.errors``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx2
from pydantic import SecretStr

from trainer.errors import LeaseLostError, ServerAwayError, ServerRefusedError

ATTEMPTS = 5  # with the pauses below some 8 s: longer than a restart of the server takes
_FIRST_PAUSE_S = 0.5  # doubled after each attempt
_CONNECT_TIMEOUT_S = 5
_CHUNK_BYTES = 1 << 18
_MAX_DETAIL_CHARS = 300  # of what the server says when it refuses
_IDENTITY_HEADER = "X-Bowerbird"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_FIRST_SUCCESS, _FIRST_REDIRECT, _FIRST_REFUSAL, _FIRST_FAILURE = 200, 300, 400, 500
_TOO_MANY_REQUESTS = 429
# Of another worker, ended, or deleted with its dataset. Other conflicts and missing things are of
# files, and the job's to tell.
_LEASE_LOST = ("/problems/job-not-leased", "/problems/job-not-found")


@dataclass(frozen=True)
class Request:
    """One request below ``/api/v1/``.

    Attributes:
        body: JSON, sent when there is any.
        file: Streamed as ``application/zip`` instead of a body.
        max_bytes: Cap on the answer; the default is for JSON, which takes a few kilobytes.
        timeout_s: For each read or write on the connection.
        attempts: Tries in all, when the server is away or failing.
    """

    method: str
    path: str
    body: bytes = b""
    file: Path | None = None
    params: tuple[tuple[str, str], ...] = ()
    max_bytes: int = 1 << 20
    timeout_s: float = 30  # a server on a slow disk answers in seconds, not minutes
    attempts: int = ATTEMPTS


@dataclass(frozen=True)
class Reply:
    """A successful answer: its status, 200..299, and its bytes."""

    status: int
    content: bytes


class Transport:
    """A pool of connections to one server; safe to use from several threads.

    Args:
        server: Address, http or https.
        token: For ``Authorization: Bearer``.
        max_connections: At once.
        pause: Waits between attempts, in seconds; tests pass their own.
    """

    def __init__(
        self,
        server: str,
        token: SecretStr,
        max_connections: int,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        base = httpx2.URL(server)
        self._pause = pause
        self._http = httpx2.Client(
            base_url=base.copy_with(path=f"{base.path.rstrip('/')}/api/v1/"),
            headers={"Authorization": f"Bearer {token.get_secret_value()}"},
            limits=httpx2.Limits(max_connections=max_connections),
            # A proxy for the web is no way to this very machine; elsewhere the environment's
            # proxies and certificates count.
            trust_env=base.host not in _LOOPBACK,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, request: Request) -> Reply:
        """Send a request, again when the server is away or fails (5xx, 429).

        Raises:
            ServerAwayError: No sensible answer in any attempt, or one larger than its cap.
            LeaseLostError: 4xx, because the job is not ours.
            ServerRefusedError: Any other 4xx.
        """
        for attempt in range(1, request.attempts):
            try:
                return self._send_once(request)
            except ServerAwayError:
                self._pause(_FIRST_PAUSE_S * 2 ** (attempt - 1))
        return self._send_once(request)

    def _send_once(self, request: Request) -> Reply:
        headers = {}
        if request.body:
            headers["Content-Type"] = "application/json"
        if request.file:
            headers["Content-Type"] = "application/zip"
            headers["Content-Length"] = str(request.file.stat().st_size)
        try:
            with self._http.stream(
                request.method,
                request.path,
                content=_chunks(request.file) if request.file else request.body or None,
                params=dict(request.params),
                headers=headers,
                timeout=httpx2.Timeout(request.timeout_s, connect=_CONNECT_TIMEOUT_S),
            ) as response:
                return _checked(response, _read(response, request.max_bytes))
        except httpx2.RequestError as error:
            raise ServerAwayError(f"{type(error).__name__}: {error}") from error


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _read(response: httpx2.Response, max_bytes: int) -> bytes:
    parts, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > max_bytes:
            raise ServerAwayError(f"the answer has more than {max_bytes} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _checked(response: httpx2.Response, content: bytes) -> Reply:
    status = response.status_code
    if _IDENTITY_HEADER not in response.headers:
        raise ServerAwayError(f"another program answers at {response.url.host} ({status})")
    if _FIRST_SUCCESS <= status < _FIRST_REDIRECT:
        return Reply(status, content)
    if _FIRST_REFUSAL <= status < _FIRST_FAILURE and status != _TOO_MANY_REQUESTS:
        problem = _problem(content)
        detail = problem.get("detail")
        text = detail[:_MAX_DETAIL_CHARS] if isinstance(detail, str) else ""
        is_lost = problem.get("type") in _LEASE_LOST
        raise (LeaseLostError if is_lost else ServerRefusedError)(status, text)
    raise ServerAwayError(f"the server answers {status}")


def _problem(content: bytes) -> dict[str, object]:
    """Return the members of a problem+json body; none when it is something else."""
    try:
        problem = json.loads(content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}

"""The fetcher: one address in, one `Outcome` out, whatever the web does.

May import the rest of ``server.net`` and ``server.reasons``. Shape of a fetch: parse, wait for a
slot, ask, check the answer's head, follow a redirect by hand (each hop parsed and guarded like the
first), read the body under its cap.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from server.net.budget import BodyRoom
from server.net.connect import Hop, TimedResolver, current_hop, make_session
from server.net.limits import FetchLimits
from server.net.opt_out import says_opt_out
from server.net.outcome import WEB_FAULTS, FetchFault, Outcome, clean_detail, fault_of
from server.net.retry_after import parse_retry_after
from server.net.slots import HostSlots
from server.net.urls import ParsedUrl, parse, resolve
from server.reasons import Reason

__all__ = ["FetchLimits", "Fetcher", "Outcome"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})  # RFC 9110 section 15.4
_PLAIN_ENCODINGS: Final = frozenset({"", "identity", "none"})


@dataclass(slots=True)
class _Progress:
    """What is known of a fetch so far; becomes its `Outcome`."""

    url: str
    final_url: str | None = None
    http_status: int | None = None
    content_type: str | None = None
    redirects: int = 0
    seconds: float = 0.0
    body: bytes | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    declared_bytes: int | None = None
    received_bytes: int = 0
    retry_after_s: float | None = None
    is_downgraded: bool = False
    room: BodyRoom | None = None
    on_other_host: Callable[[], None] = lambda: None
    limit: asyncio.Timeout | None = None

    def answered(self, target: ParsedUrl, response: aiohttp.ClientResponse) -> None:
        """Note the head of an answer."""
        self.final_url = target.text
        self.http_status = response.status
        self.declared_bytes = response.content_length
        header = response.headers.get("Retry-After")
        self.retry_after_s = parse_retry_after(header, datetime.now(UTC))

    async def make_room(self, size: int) -> None:
        """Wait until a body of ``size`` bytes may be held; that time is not the web's."""
        if self.room is None:
            return
        started = time.monotonic()
        limit, self.limit = self.limit, None
        when = None if limit is None else limit.when()
        if limit is not None:
            limit.reschedule(None)
        await self.room.reserve(size)
        waited = time.monotonic() - started
        self.seconds -= waited
        if limit is not None and when is not None:
            limit.reschedule(when + waited)
            self.limit = limit

    def settle(self, fault: FetchFault | None) -> Outcome:
        return Outcome(
            url=self.url,
            final_url=self.final_url,
            http_status=self.http_status,
            reason=fault.reason if fault else None,
            detail=clean_detail(fault.detail) if fault else "",
            body=None if fault else self.body,
            content_type=self.content_type,
            redirects=self.redirects,
            seconds=self.seconds,
            started_at=self.started_at,
            declared_bytes=self.declared_bytes,
            received_bytes=self.received_bytes,
            retry_after_s=self.retry_after_s,
            is_downgraded=self.is_downgraded,
            dns_may_recover=fault is not None and fault.dns_may_recover,
        )


class Fetcher:
    """Fetches addresses; made once, shared by everything that fetches.

    Use as ``async with Fetcher(limits) as fetcher: outcome = await fetcher.fetch(url)``.

    Args:
        limits: Bytes, seconds, redirects, concurrency, exempt hosts.
        resolver: How names become addresses; the system's by default. Closed with the fetcher.
        ssl_context: Whom to trust; the system's authorities by default.
    """

    def __init__(
        self,
        limits: FetchLimits | None = None,
        *,
        resolver: AbstractResolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or FetchLimits()
        self._resolver = resolver
        self._ssl_context = ssl_context
        self._slots = HostSlots(self._limits.concurrency, self._limits.per_host)
        self._session: aiohttp.ClientSession | None = None
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the session."""
        resolver = self._resolver or TimedResolver(self._limits.connect_s)
        self._session = make_session(self._limits, resolver, self._ssl_context)
        self._opened.push_async_callback(resolver.close)
        self._opened.push_async_callback(self._session.close)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection."""
        self._session = None
        await self._opened.aclose()

    async def fetch(
        self,
        url: str,
        room: BodyRoom | None = None,
        on_other_host: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Fetch one address.

        Whatever the address, its server or the network do becomes the outcome's reason; nothing is
        raised for it. Cancellation passes through.

        Args:
            url: As found on a page; parsed strictly.
            room: Where the body takes its bytes from; it holds as many as the body has afterwards.
                None for one that is not counted.
            on_other_host: Called when a redirect leads to another host: from now on it is that
                host which the fetch waits for.

        Returns:
            A body or a reason, never both.

        Raises:
            RuntimeError: Outside of ``async with``: an error of the caller.
        """
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside `async with`")
        progress = _Progress(url, room=room, on_other_host=on_other_host)
        try:
            target: ParsedUrl | None = parse(url)
            while target is not None:
                target = await self._visit(self._session, target, progress)
        except (FetchFault, *WEB_FAULTS) as error:
            return progress.settle(fault_of(error))
        return progress.settle(None)

    async def _visit(
        self, session: aiohttp.ClientSession, target: ParsedUrl, progress: _Progress
    ) -> ParsedUrl | None:
        """Ask one address within the time left; return where it redirects to, if it does."""
        async with self._slots.hold(target.host):
            start = time.monotonic()
            limit = asyncio.timeout(max(0.0, self._limits.total_s - progress.seconds))
            progress.limit = limit
            try:
                async with limit:
                    return await self._ask(session, target, progress)
            except TimeoutError as error:
                if limit.expired():
                    detail = f"not done in {self._limits.total_s:g} s"
                    raise FetchFault(Reason.TIMEOUT, detail) from error
                raise
            finally:
                progress.seconds += time.monotonic() - start

    async def _ask(
        self, session: aiohttp.ClientSession, target: ParsedUrl, progress: _Progress
    ) -> ParsedUrl | None:
        # A fault on a kept connection says nothing of this address: an earlier answer may have been
        # longer than it claimed, and its rest would be read as ours. Each fault closes the
        # connection it met, and a host has at most `per_host` of them, so fresh ones are reached.
        tries = 0
        while True:
            hop = Hop(target.host, target.port)
            try:
                return await self._ask_once(session, target, progress, hop)
            except (aiohttp.ClientResponseError, aiohttp.ClientConnectionError) as error:
                tries += 1
                was_slow = isinstance(error, TimeoutError)
                if was_slow or not hop.reused or tries > self._limits.per_host:
                    raise

    async def _ask_once(
        self, session: aiohttp.ClientSession, target: ParsedUrl, progress: _Progress, hop: Hop
    ) -> ParsedUrl | None:
        token = current_hop.set(hop)
        try:
            # encoded=True: the address goes out as parsed, not parsed a second time by other rules.
            async with session.get(
                URL(target.text, encoded=True), allow_redirects=False
            ) as response:
                try:
                    return await self._take(response, target, progress)
                except BaseException:
                    response.close()  # what was not read to its end is not asked again
                    raise
        except aiohttp.ClientConnectorError as error:
            if hop.refused is not None and not hop.permitted:
                raise hop.refused from error
            raise
        finally:
            current_hop.reset(token)

    async def _take(
        self, response: aiohttp.ClientResponse, target: ParsedUrl, progress: _Progress
    ) -> ParsedUrl | None:
        progress.answered(target, response)
        location = response.headers.get("Location")
        if response.status in _REDIRECTS and location is not None:
            if progress.redirects >= self._limits.max_redirects:
                detail = f"more than {self._limits.max_redirects} redirects"
                raise FetchFault(Reason.TOO_MANY_REDIRECTS, detail)
            progress.redirects += 1
            onward = resolve(target, location)
            progress.is_downgraded |= (target.scheme, onward.scheme) == ("https", "http")
            if onward.host != target.host:
                progress.on_other_host()
            return onward
        self._check_head(response)
        progress.content_type = clean_detail(response.content_type.lower())
        # A body cannot be longer than its length says (the parser stops there); one without may be
        # as long as the cap.
        length = progress.declared_bytes
        await progress.make_room(self._limits.max_bytes if length is None else length)
        await self._read_body(response, progress)
        return None

    def _check_head(self, response: aiohttp.ClientResponse) -> None:
        if response.status != HTTPStatus.OK:
            raise FetchFault(Reason.HTTP_STATUS, _status_text(response.status))
        robots = response.headers.getall("X-Robots-Tag", [])
        if self._limits.respect_opt_out and says_opt_out(robots):
            raise FetchFault(Reason.OPT_OUT, "the server asks not to use it for machine learning")
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in _PLAIN_ENCODINGS:
            detail = f"the server compressed the answer without being asked ({encoding})"
            raise FetchFault(Reason.UNSUPPORTED_FORMAT, detail)
        length = response.content_length
        if length is not None and length > self._limits.max_bytes:
            detail = f"{length:,} bytes, over the limit of {self._limits.max_bytes:,}"
            raise FetchFault(Reason.TOO_LARGE, detail)

    async def _read_body(self, response: aiohttp.ClientResponse, progress: _Progress) -> None:
        chunks: list[bytes] = []
        progress.received_bytes = 0
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            progress.received_bytes += len(chunk)
            if progress.received_bytes > self._limits.max_bytes:
                detail = f"more than the limit of {self._limits.max_bytes:,} bytes"
                raise FetchFault(Reason.TOO_LARGE, detail)
        if not chunks:
            raise FetchFault(Reason.EMPTY, "the server sent no bytes")
        progress.body = b"".join(chunks)
        if progress.room is not None:
            progress.room.shrink(progress.received_bytes)


def _status_text(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"

"""The fetcher: one address in, one `Outcome` out, whatever the web does.

May import the rest of ``server.net`` and ``server.reasons``. Shape of a fetch: parse, heed the
site's robots.txt, wait for a slot, ask, check the answer's head, follow a redirect by hand (each
hop parsed, heeded and guarded like the first), read the body under its cap.
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

from server.net.ask import Asking
from server.net.budget import BodyRoom
from server.net.connect import TimedResolver, make_session
from server.net.limits import FetchLimits, RobotsTxt
from server.net.opt_out import opt_out_of
from server.net.outcome import WEB_FAULTS, FetchFault, Outcome, clean_detail, fault_of
from server.net.redirects import PLAIN_ENCODINGS, location_of
from server.net.retry_after import parse_retry_after
from server.net.robots_book import RobotsBook
from server.net.slots import HostSlots
from server.net.urls import ParsedUrl, parse
from server.net.validators import Refusal, Validators, has_known_end, read_validators
from server.reasons import Reason

__all__ = ["FetchLimits", "Fetcher", "Outcome"]

_NOT_FOR_TRAINING: Final = "the server asks not to use it for machine learning"


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
    validators: Validators | None = None
    is_unchanged: bool = False
    refusal: Refusal | None = None
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

    def asked_for_others(self, target: ParsedUrl) -> Refusal | None:
        """Return the bytes that this address is asked for others than; None for any."""
        if self.refusal is None or self.refusal.url != target.text:
            return None
        return self.refusal

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
            validators=self.validators,
            is_unchanged=self.is_unchanged,
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
        self._asking: Asking | None = None
        self._robots: RobotsBook | None = None
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the session."""
        resolver = self._resolver or TimedResolver(self._limits.connect_s)
        session = make_session(self._limits, resolver, self._ssl_context)
        self._asking = Asking(session, self._limits.per_host)
        self._opened.push_async_callback(resolver.close)
        self._opened.push_async_callback(session.close)
        mode = self._limits.robots_txt
        if self._limits.respect_opt_out and mode is not RobotsTxt.OFF:
            slots = HostSlots(self._limits.concurrency, self._limits.per_host)
            self._robots = RobotsBook(self._asking, slots, mode)
            self._opened.push_async_callback(self._robots.close)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection."""
        self._asking = self._robots = None
        await self._opened.aclose()

    async def fetch(
        self,
        url: str,
        room: BodyRoom | None = None,
        on_other_host: Callable[[], None] = lambda: None,
        refusal: Refusal | None = None,
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
            refusal: Bytes that came from there before and would be refused again: asked for only if
                there are others by now. Whether they would be is the caller's to know.

        Returns:
            A body or a reason, never both.

        Raises:
            RuntimeError: Outside of ``async with``: an error of the caller.
        """
        if self._asking is None:
            raise RuntimeError("a Fetcher is used inside `async with`")
        progress = _Progress(url, room=room, on_other_host=on_other_host, refusal=refusal)
        try:
            target: ParsedUrl | None = parse(url)
            while target is not None:
                if self._robots is not None:
                    await _heed(self._robots, target)
                target = await self._visit(self._asking, target, progress)
        except (FetchFault, *WEB_FAULTS) as error:
            return progress.settle(fault_of(error))
        if progress.is_unchanged and refusal is not None:
            return progress.settle(FetchFault(refusal.reason, refusal.unchanged_detail))
        return progress.settle(None)

    async def _visit(
        self, asking: Asking, target: ParsedUrl, progress: _Progress
    ) -> ParsedUrl | None:
        """Ask one address within the time left; return where it redirects to, if it does."""
        async with self._slots.hold(target.host):
            start = time.monotonic()
            limit = asyncio.timeout(max(0.0, self._limits.total_s - progress.seconds))
            progress.limit = limit
            try:
                async with limit:
                    return await self._ask(asking, target, progress)
            except TimeoutError as error:
                if limit.expired():
                    detail = f"not done in {self._limits.total_s:g} s"
                    raise FetchFault(Reason.TIMEOUT, detail) from error
                raise
            finally:
                progress.seconds += time.monotonic() - start

    async def _ask(
        self, asking: Asking, target: ParsedUrl, progress: _Progress
    ) -> ParsedUrl | None:
        async def take(response: aiohttp.ClientResponse, asked: ParsedUrl) -> ParsedUrl | None:
            return await self._take(response, asked, progress)

        refusal = progress.asked_for_others(target)
        headers = None if refusal is None else refusal.validators.request_headers()
        return await asking.ask(target, take, headers)

    async def _take(
        self, response: aiohttp.ClientResponse, target: ParsedUrl, progress: _Progress
    ) -> ParsedUrl | None:
        progress.answered(target, response)
        onward = location_of(response, target)
        if onward is not None:
            if progress.redirects >= self._limits.max_redirects:
                detail = f"more than {self._limits.max_redirects} redirects"
                raise FetchFault(Reason.TOO_MANY_REDIRECTS, detail)
            progress.redirects += 1
            progress.is_downgraded |= (target.scheme, onward.scheme) == ("https", "http")
            if onward.host != target.host:
                progress.on_other_host()
            return onward
        refusal = progress.asked_for_others(target)
        is_unchanged = response.status == HTTPStatus.NOT_MODIFIED and refusal is not None
        self._check_head(response, is_unchanged=is_unchanged)
        if refusal is not None and is_unchanged:
            progress.is_unchanged, progress.validators = True, refusal.validators
            return None
        progress.content_type = clean_detail(response.content_type.lower())
        # A body cannot be longer than its length says (the parser stops there); one without may be
        # as long as the cap.
        length = progress.declared_bytes
        await progress.make_room(self._limits.max_bytes if length is None else length)
        await self._read_body(response, progress)
        return None

    def _check_head(self, response: aiohttp.ClientResponse, *, is_unchanged: bool) -> None:
        # A 304 that nobody asked for is a fault: there is nothing that could be unchanged.
        if response.status != HTTPStatus.OK and not is_unchanged:
            raise FetchFault(Reason.HTTP_STATUS, _status_text(response.status))
        header = opt_out_of(response.headers) if self._limits.respect_opt_out else None
        if header is not None:
            raise FetchFault(Reason.OPT_OUT, f"{_NOT_FOR_TRAINING} ({header})")
        if is_unchanged:
            return
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in PLAIN_ENCODINGS:
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
        if has_known_end(response.headers):
            progress.validators = read_validators(response.headers)
        if not chunks:
            raise FetchFault(Reason.EMPTY, "the server sent no bytes")
        progress.body = b"".join(chunks)
        if progress.room is not None:
            progress.room.shrink(progress.received_bytes)


async def _heed(robots: RobotsBook, target: ParsedUrl) -> None:
    rules = robots.known(target)
    if rules is None:
        rules = await robots.learn(target)
    wish = rules.objection(target.text)
    if wish is not None:
        raise FetchFault(Reason.OPT_OUT, wish)


def _status_text(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"

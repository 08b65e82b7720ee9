"""The robots.txt of each site, asked for once and remembered for a day.

May import the rest of ``server.net``. What cannot be had asks for nothing (RFC 9309, section
2.3.1.3; after faults of the server the standard would have a crawler stay away, but here a person
chose each image, and the image's own answer may still carry a wish).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp

from server.net.ask import Asking
from server.net.limits import RobotsTxt
from server.net.outcome import WEB_FAULTS
from server.net.redirects import PLAIN_ENCODINGS, location_of
from server.net.robots import NO_RULES, SiteRules, read_robots
from server.net.slots import HostSlots
from server.net.urls import ParsedUrl

Site = tuple[str, str, int]
"""Scheme, host and port: what one robots.txt is for."""

MAX_BYTES: Final = 500 * 1024  # the least that RFC 9309 section 2.5 has one read
MAX_REDIRECTS: Final = 5  # RFC 9309 section 2.3.1.2
# Of one file over all hops, waiting for a slot not counted. Its site's images wait for it.
TOTAL_S: Final = 5.0
KEPT_S: Final = 24 * 3600.0  # RFC 9309 section 2.4: no longer than a day
FAILED_S: Final = 600.0  # what failed may be there again soon; not asked for with every image
MAX_SITES: Final = 4096  # some 2 MB; those asked for longest ago are asked for again
MAX_WEIGHT_BYTES: Final = 32 * 1024 * 1024  # of all rules together; most sites have none for us
# Longer ones are read in a thread: the event loop waits 0.1 ms for each KB.
_LONG_TEXT_CHARS: Final = 16 * 1024
# Of an answer that is no robots.txt, to keep its connection for the images.
_MAX_DRAINED_BYTES: Final = 64 * 1024
_HEADERS: Final = {"Accept": "text/plain,*/*;q=0.1"}
_NOT_THERE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of asking; without a body when there is no file to be had."""

    body: bytes | None
    kept_s: float


@dataclass(frozen=True, slots=True)
class _Entry:
    rules: SiteRules
    until: float


class RobotsBook:
    """What sites ask of us, as far as it is known; finds out the rest.

    Args:
        asking: How requests are made.
        slots: For these requests alone: a site that does not answer holds none that images could
            use, its own or those of others.
        mode: Which rules count.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        asking: Asking,
        slots: HostSlots,
        mode: RobotsTxt,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asking = asking
        self._slots = slots
        self._mode = mode
        self._clock = clock
        self._entries: OrderedDict[Site, _Entry] = OrderedDict()
        self._weight_bytes = 0
        self._tasks: dict[Site, asyncio.Task[SiteRules]] = {}

    def __len__(self) -> int:
        """Return how many sites are remembered."""
        return len(self._entries)

    def known(self, target: ParsedUrl) -> SiteRules | None:
        """Return the rules of an address's site; None when they are to be learnt."""
        site = (target.scheme, target.host, target.port)
        entry = self._entries.get(site)
        if entry is None or entry.until <= self._clock():
            return None
        self._entries.move_to_end(site)
        return entry.rules

    async def learn(self, target: ParsedUrl) -> SiteRules:
        """Ask an address's site for its rules; whoever else waits for them waits for the same.

        Hold no slot meanwhile: it takes up to `TOTAL_S`.
        """
        site = (target.scheme, target.host, target.port)
        task = self._tasks.get(site)
        if task is None:
            # A task of its own: whoever came first may be cancelled, and the others wait on.
            task = asyncio.get_running_loop().create_task(self._learn(site))
            self._tasks[site] = task
            task.add_done_callback(lambda _: self._tasks.pop(site, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _learn(self, site: Site) -> SiteRules:
        scheme, host, port = site
        try:
            found = await self._find(ParsedUrl(scheme, host, port, "/robots.txt"))
        except WEB_FAULTS:  # the image's own request meets the same, and says so
            found = _Found(None, FAILED_S)
        rules = await self._read(found.body) if found.body else NO_RULES
        self._remember(site, _Entry(rules, self._clock() + found.kept_s))
        return rules

    async def _read(self, body: bytes) -> SiteRules:
        text = body.decode("utf-8", "replace")
        if len(text) > _LONG_TEXT_CHARS:
            return await asyncio.to_thread(read_robots, text, self._mode)
        return read_robots(text, self._mode)

    async def _find(self, target: ParsedUrl) -> _Found:
        left_s = TOTAL_S
        for _ in range(MAX_REDIRECTS + 1):
            async with self._slots.hold(target.host):
                started = time.monotonic()
                async with asyncio.timeout(max(0.0, left_s)):
                    found = await self._asking.ask(target, _take, _HEADERS)
                left_s -= time.monotonic() - started
            if isinstance(found, _Found):
                return found
            target = found
        return _Found(None, FAILED_S)

    def _remember(self, site: Site, entry: _Entry) -> None:
        self._forget(site)
        self._entries[site] = entry
        self._weight_bytes += entry.rules.weight_bytes
        while len(self._entries) > MAX_SITES or self._weight_bytes > MAX_WEIGHT_BYTES:
            self._forget(next(iter(self._entries)))

    def _forget(self, site: Site) -> None:
        entry = self._entries.pop(site, None)
        if entry is not None:
            self._weight_bytes -= entry.rules.weight_bytes


async def _take(response: aiohttp.ClientResponse, target: ParsedUrl) -> _Found | ParsedUrl:
    onward = location_of(response, target)
    if onward is None and response.status == HTTPStatus.OK:
        return await _read_file(response)
    await _drain(response)
    if onward is not None:
        return onward
    return _Found(None, KEPT_S if response.status in _NOT_THERE else FAILED_S)


async def _read_file(response: aiohttp.ClientResponse) -> _Found:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in PLAIN_ENCODINGS:
        response.close()
        return _Found(None, FAILED_S)
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            response.close()
            # The last line may be cut: half a path is another path.
            return _Found(bytes(body[:MAX_BYTES]).rpartition(b"\n")[0], KEPT_S)
    return _Found(bytes(body), KEPT_S)


async def _drain(response: aiohttp.ClientResponse) -> None:
    drained_bytes = 0
    async for chunk in response.content.iter_any():
        drained_bytes += len(chunk)
        if drained_bytes > _MAX_DRAINED_BYTES:
            response.close()
            return

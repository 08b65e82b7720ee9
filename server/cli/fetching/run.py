"""One run over a list: the pipeline between the list and the folder. May import all of fetching.

What ends a run early is a fault of this machine, such as a full disk: where the server would wait
for better times, a command says so and stops. Whatever was recorded by then stays recorded.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from server.cli.fetching.addresses import AddressList, Line
from server.cli.fetching.images import ImageFolder
from server.cli.fetching.journal import Ended, Journal, Status
from server.config import Settings
from server.media.verify import Verified
from server.net.fetch import Fetcher
from server.net.validators import Refusal
from server.pipeline.backlog import Backlog
from server.pipeline.pipeline import Ends, Pipeline
from server.pipeline.work import Allowance, Claim, End, Result, Work
from server.reasons import Reason
from server.workers.limits import fetch_limits, pipeline_limits

_LINES_AT_ONCE: Final = 500  # looked up together: 2 ms
_SHOW_EVERY_S: Final = 0.5
_ENDED: Final = frozenset({End.READY, End.REJECTED})


@dataclass
class Tally:
    """What became of the lines read so far; their sum is the number of lines that are not blank.

    Attributes:
        statuses: Addresses that ended in this run.
        earlier: Lines whose address an earlier run had ended.
        repeated: Lines whose address this run had met before.
        rate_per_s: Addresses ended a second, over the last seconds.
        seconds: The run took.
    """

    statuses: Counter[Status] = field(default_factory=Counter)
    earlier: int = 0
    repeated: int = 0
    rate_per_s: float = 0.0
    seconds: float = 0.0

    @property
    def ended(self) -> int:
        """Addresses that ended in this run."""
        return self.statuses.total()

    @property
    def images(self) -> int:
        """Addresses that gave an image in this run."""
        return self.statuses[Status.READY] + self.statuses[Status.DUPLICATE]


@dataclass(frozen=True)
class Folder:
    """Where a run writes."""

    journal: Journal
    images: ImageFolder


class MachineFailedError(OSError):
    """This machine cannot go on: the disk is full or fails, or the list cannot be read."""


class _Faults:
    """Keeps the first fault of this machine, and stops the run then."""

    def __init__(self) -> None:
        self.first: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._work: asyncio.Task[None] | None = None

    def stops(self, work: asyncio.Task[None]) -> None:
        """Say what is to be stopped."""
        self._work = work

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take note of a fault; from any thread.

        Raises:
            MachineFailedError: There was one. The pipeline takes it for passing, and is cancelled
                while it waits for better times.
        """
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if self.first is None:
                self.first = error
                if self._work is not None:
                    self._loop.call_soon_threadsafe(self._work.cancel)
            raise MachineFailedError(str(error)) from error


class _ListEnds:
    """Source, sink and shelf of the pipeline: the list at one end, the folder at the other."""

    def __init__(
        self, lines: AddressList, folder: Folder, tally: Tally, *, is_rejected_final: bool
    ) -> None:
        self.faults = _Faults()
        self._lines = iter(lines)
        self._folder = folder
        self._tally = tally
        self._is_rejected_final = is_rejected_final
        self._read: deque[Work] = deque()
        self._is_read = False
        # Line numbers of what is neither recorded nor still in the list, by the work's id. The
        # backlog bounds how many those are.
        self._open: dict[str, int] = {}
        self._backlog = Backlog(self._works())
        self.nudge: Callable[[], None] = lambda: None

    async def claim(self, room: int, allowance: Allowance) -> Claim:
        """Take addresses that are not finished."""
        with self.faults.watched():
            while len(self._read) < room and not self._is_read:
                self._read_more()
                await asyncio.sleep(0)  # a million finished lines must not hold up the rest
            return await self._backlog.claim(room, allowance)

    async def settle(self, results: Sequence[Result]) -> None:
        """Record what ended; give the rest back to the backlog."""
        ends = [self._ended(result) for result in results if result.end in _ENDED]
        with self.faults.watched():
            self._record(ends)
        for result in results:
            if result.end in _ENDED:
                del self._open[result.work.id]
        if self._backlog.returned(results):
            self.nudge()

    def keep(self, data: bytes, verified: Verified) -> None:
        """Write an image."""
        with self.faults.watched():
            self._folder.images.keep(data, verified)

    def make_durable(self, digests: Sequence[str]) -> None:
        """Make images durable."""
        with self.faults.watched():
            self._folder.images.make_durable(digests)

    def _works(self) -> Iterator[Work]:
        while True:
            while not self._read and not self._is_read:
                self._read_more()
            if not self._read:
                return
            yield self._read.popleft()

    def _read_more(self) -> None:
        lines = list(islice(self._lines, _LINES_AT_ONCE))
        self._is_read = not lines
        finished = self._folder.journal.find_finished(
            [line.key for line in lines], is_rejected_final=self._is_rejected_final
        )
        # Only then is anything asked for that an earlier run rejected.
        refusals: dict[bytes, Refusal] = {}
        if not self._is_rejected_final:
            refusals = self._folder.journal.find_refusals([line.key for line in lines])
        faults: dict[bytes, Ended] = {}
        for line in lines:
            name = line.key.hex()
            if line.key in finished and not finished[line.key]:
                self._tally.earlier += 1
            elif line.key in finished or name in self._open or line.key in faults:
                self._tally.repeated += 1
            elif line.fault:
                faults[line.key] = _never_asked(line)
            else:
                self._open[name] = line.number
                refusal = refusals.get(line.key)
                self._read.append(Work(name, "", line.url, line.host, refusal=refusal))
        if faults:
            self._record(list(faults.values()))

    def _record(self, ends: Sequence[Ended]) -> None:
        self._tally.statuses.update(self._folder.journal.record(ends))

    def _ended(self, result: Result) -> Ended:
        work, outcome, verified = result.work, result.outcome, result.verified
        refusal = result.refusal
        return Ended(
            key=bytes.fromhex(work.id),
            line=self._open[work.id],
            url=work.url,
            status=Status.READY if verified else Status.REJECTED,
            reason=result.reason,
            detail=result.detail,
            http_status=outcome.http_status if outcome else None,
            final_url=outcome.final_url if outcome else None,
            sha256=verified.sha256 if verified else None,
            format=verified.format if verified else None,
            width=verified.width if verified else None,
            height=verified.height if verified else None,
            bytes=verified.bytes if verified else None,
            seconds=outcome.seconds if outcome else None,
            attempts=work.retries + (outcome is not None),
            downgraded=outcome is not None and outcome.is_downgraded,
            etag=refusal.validators.etag if refusal else None,
            last_modified=refusal.validators.last_modified if refusal else None,
            rules=refusal.rules if refusal else None,
        )


def _never_asked(line: Line) -> Ended:
    return Ended(line.key, line.number, line.url, Status.REJECTED, Reason.BAD_URL, line.fault)


async def fetch_list(
    lines: AddressList,
    folder: Folder,
    settings: Settings,
    show: Callable[[Tally], None],
    *,
    is_rejected_final: bool,
) -> Tally:
    """Fetch what is not finished, to the end of the list.

    Args:
        lines: The addresses.
        folder: Where images and outcomes go.
        settings: Limits and manners.
        show: Called now and then with what has become of the lines so far.
        is_rejected_final: Leave alone what an earlier run rejected.

    Raises:
        MachineFailedError: This machine cannot go on.
    """
    tally = Tally()
    started = time.monotonic()
    ends = _ListEnds(lines, folder, tally, is_rejected_final=is_rejected_final)
    async with Fetcher(fetch_limits(settings)) as fetcher:
        limits = pipeline_limits(settings, has_thumbnails=folder.images.has_thumbnails)
        pipeline = Pipeline(Ends(ends, ends, ends), fetcher, limits)
        ends.nudge = pipeline.nudge
        async with asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(_show(pipeline, tally, show))
            work = tasks.create_task(pipeline.run())
            ends.faults.stops(work)
            await asyncio.wait([work])
            showing.cancel()
    tally.seconds = time.monotonic() - started
    if ends.faults.first is not None:
        raise MachineFailedError(str(ends.faults.first)) from ends.faults.first
    return tally


async def _show(pipeline: Pipeline, tally: Tally, show: Callable[[Tally], None]) -> None:
    while True:
        tally.rate_per_s = pipeline.rate_per_s
        show(tally)
        await asyncio.sleep(_SHOW_EVERY_S)

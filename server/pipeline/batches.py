"""Results gathered into batches: files made durable once a batch, and only then recorded.

May import ``server.pipeline.work`` and ``server.pipeline.meters``. The order is the promise: what a
sink records as ready survives a power failure, since its bytes already do. A crash before the
record leaves files that nothing names; they are found again by their content, or swept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from server.pipeline import meters
from server.pipeline.work import End, Result, Shelf, Sink
from server.reasons import Reason

Value = TypeVar("Value")

log = logging.getLogger(__name__)

ERROR_PAUSE_S = 2.0  # after a failure of this machine, such as a full disk
OWN_FAULT: Final = "Bowerbird failed on it: see the server's log"


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch is full.

    Attributes:
        rows: Results of one transaction: at 500 its fixed cost is under 1 % of theirs.
        wait_s: Longest that a result waits for others: not felt by a person who watches.
    """

    rows: int = 500
    wait_s: float = 0.1


class Batches:
    """Takes results one by one, hands them to the sink in batches."""

    def __init__(
        self,
        sink: Sink,
        shelf: Shelf,
        limits: BatchLimits,
        on_settled: Callable[[Sequence[Result]], None],
    ) -> None:
        """Keep what is needed.

        Args:
            sink: Records the batches.
            shelf: Makes their files durable.
            limits: Of a batch.
            on_settled: Called with each that was recorded: there is room again.
        """
        self._sink = sink
        self._shelf = shelf
        self._limits = limits
        self._on_settled = on_settled
        self._results: list[Result] = []
        self._busy_count = 0
        self._some = asyncio.Event()
        self._enough = asyncio.Event()

    @property
    def unsettled_count(self) -> int:
        """Results that are not recorded yet."""
        return len(self._results) + self._busy_count

    def is_full(self) -> bool:
        """Tell whether nothing more should be begun: a whole batch waits behind the running one."""
        return len(self._results) >= self._limits.rows

    def add(self, results: Sequence[Result]) -> None:
        """Take results in. Never waits; the caller heeds `is_full` before it begins new work."""
        self._results += results
        if self._results:
            self._some.set()
        if self.is_full():
            self._enough.set()

    async def run(self) -> None:
        """Settle batch after batch until cancelled."""
        while True:
            await self._some.wait()
            try:
                async with asyncio.timeout(self._limits.wait_s):
                    await self._enough.wait()
            except TimeoutError:
                pass
            await self._settle_next()

    async def _settle_next(self) -> None:
        batch, self._results = (
            self._results[: self._limits.rows],
            self._results[self._limits.rows :],
        )
        self._busy_count = len(batch)
        if not self._results:
            self._some.clear()
        if not self.is_full():
            self._enough.clear()
        batch = await self._make_durable(batch)
        with meters.RECORD.time():
            await self._record(batch)
        self._busy_count = 0
        for result in batch:
            meters.RESULTS.labels(result.end).inc()
        self._on_settled(batch)

    async def _make_durable(self, batch: list[Result]) -> list[Result]:
        digests = [result.verified.sha256 for result in batch if result.verified is not None]
        if not digests:
            return batch
        try:
            with meters.SYNC.time():
                await asyncio.to_thread(self._shelf.make_durable, digests)
        except OSError:
            # Nobody can say which of the files are on disk: all of them once more.
            log.exception("download.sync_failed")
            return [postponed(result) if result.verified else result for result in batch]
        return batch

    async def _record(self, batch: Sequence[Result]) -> None:
        try:
            await insist("download.settle_failed", lambda: self._sink.settle(batch))
        except Exception:  # boundary: one result must not end the loop
            if len(batch) == 1:
                log.exception("download.crashed", extra={"image_id": batch[0].work.id})
                await self._give_up(batch[0])
                return
            half = len(batch) // 2
            await self._record(batch[:half])
            await self._record(batch[half:])

    async def _give_up(self, result: Result) -> None:
        end = own_fault(Result(result.work, End.REJECTED))
        try:
            await insist("download.settle_failed", lambda: self._sink.settle([end]))
        except Exception:  # boundary: it stays claimed until the next start, and the log says why
            log.exception("download.lost", extra={"image_id": result.work.id})


def own_fault(result: Result) -> Result:
    """Return the end of an address on which our own code failed."""
    return replace(
        result, end=End.REJECTED, verified=None, reason=Reason.NOT_AN_IMAGE, detail=OWN_FAULT
    )


def postponed(result: Result) -> Result:
    """Return the end of an address that this machine could not take just now: not its fault."""
    again_at = datetime.now(UTC) + timedelta(seconds=ERROR_PAUSE_S)
    return Result(result.work, End.RELEASED, again_at=again_at)


async def insist(failed: str, action: Callable[[], Awaitable[Value]]) -> Value:
    """Repeat what this machine cannot do just now; ``failed`` is how the log calls that."""
    while True:
        try:
            return await action()
        except OSError:  # everything is where it was
            log.exception(failed)
            await asyncio.sleep(ERROR_PAUSE_S)

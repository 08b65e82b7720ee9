"""The pipeline: claim, fetch, verify and write, record; every step is bounded.

May import the rest of ``server.pipeline``, ``server.net`` and ``server.media``. What holds what
back, from the end to the beginning: a batch that waits behind the one being recorded stops new
requests; so do the places at the decoders, the bytes of bodies in memory, and the places on the
net. Nothing is claimed that the schedule has no room for.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from server.media.verify import NotUsableError, Verified, VerifyLimits, verify
from server.net.budget import ByteBudget
from server.net.fetch import Fetcher, Outcome
from server.net.validators import Refusal
from server.niceness import stand_back
from server.pipeline import batches, meters
from server.pipeline.batches import Batches, BatchLimits, insist, own_fault, postponed
from server.pipeline.retry import RetryPolicy, is_overloaded, refusal_of, rules_of
from server.pipeline.schedule import Answer, Schedule, ScheduleLimits
from server.pipeline.work import Claim, End, Result, Shelf, Sink, Source, Work
from server.reasons import Reason

log = logging.getLogger(__name__)

IDLE_POLL_S = 30.0  # only a safety net: whoever queues something calls `Pipeline.nudge`
CLAIM_GAP_S = 0.02  # claims are a transaction each; 50 a second are under 10 % of one core
MOST_ASIDE = 256  # addresses redirected to another host, each a task of some 10 KB
PLACES_PER_THREAD = 4  # at the decoders: enough that none waits for the event loop


@dataclass(frozen=True, slots=True)
class PipelineLimits:
    """The bounds of a pipeline.

    Attributes:
        schedule: Requests in flight, and addresses waiting.
        batch: Results of one transaction.
        retry: Tries of one address.
        verify: What is taken for an image.
        decode_threads: Images decoded at once. Two keep two cores busy: Pillow releases the GIL.
        body_bytes: Memory for bodies that are received, decoded or written. 64 bodies of the usual
            cap of 20 MiB would be 1.3 GiB; 256 MiB hold 64 of 4 MiB, four times a large photo.
        decode_niceness: How far decoders stand back behind other threads for a processor.
    """

    schedule: ScheduleLimits = field(default_factory=ScheduleLimits)
    batch: BatchLimits = field(default_factory=BatchLimits)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    verify: VerifyLimits = field(default_factory=VerifyLimits)
    decode_threads: int = 2
    body_bytes: int = 256 * 1024 * 1024
    decode_niceness: int = 0


@dataclass(frozen=True)
class Ends:
    """What stands around the pipeline."""

    source: Source
    sink: Sink
    shelf: Shelf


class Pipeline:
    """Takes addresses from a source until it ends, and gives each try's result to a sink."""

    def __init__(
        self,
        ends: Ends,
        fetcher: Fetcher,
        limits: PipelineLimits,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """Make a pipeline that is not running yet.

        Args:
            ends: Source, sink and shelf.
            fetcher: Open while the pipeline runs.
            limits: All bounds.
            dice: Random numbers in [0, 1), for the pauses before further tries.
        """
        self._ends = ends
        self._fetcher = fetcher
        self._limits = limits
        self._rules = rules_of(limits.verify)
        self._dice = dice
        self._schedule = Schedule(limits.schedule)
        self._budget = ByteBudget(limits.body_bytes)
        self._decoders = asyncio.Semaphore(PLACES_PER_THREAD * limits.decode_threads)
        self._batches = Batches(ends.sink, ends.shelf, limits.batch, self._on_settled)
        self._wanted = asyncio.Event()  # a claim may bring something
        self._is_filled = False  # the last claim gave all that there was room for
        self._active_count = 0
        self._aside: set[str] = set()
        self._rests_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._meter: meters.RateMeter | None = None

    @property
    def in_flight_count(self) -> int:
        """Requests that are under way."""
        return self._schedule.in_flight_count

    @property
    def held_count(self) -> int:
        """Addresses that wait or are under way, and results that are not recorded."""
        waiting = self._schedule.waiting_count
        return waiting + self._active_count + self._batches.unsettled_count

    @property
    def rate_per_s(self) -> float:
        """Addresses ended a second, over the last seconds."""
        return 0.0 if self._meter is None else self._meter.per_second()

    def nudge(self) -> None:
        """Say that the source may have something new."""
        self._wanted.set()

    def drop(self, group: str) -> None:
        """Hand back what of a group waits; what is under way goes on to its end."""
        self._release(self._schedule.drop(group), None)
        self._wanted.set()

    async def run(self) -> None:
        """Work until the source ends and all is recorded, or until cancelled."""
        loop = asyncio.get_running_loop()
        self._meter = meters.RateMeter(loop.time)
        niceness = self._limits.decode_niceness
        with ThreadPoolExecutor(
            self._limits.decode_threads, "decode", initializer=stand_back, initargs=(niceness,)
        ) as threads:
            self._threads = threads
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    recording = tasks.create_task(self._batches.run())
                    await self._claim_all()
                    recording.cancel()
            finally:
                self._tasks = None
                self._set_timer(None)

    # --- claim

    async def _claim_all(self) -> None:
        while True:
            self._wanted.clear()
            with meters.CLAIM.time():
                claim = await insist("download.claim_failed", self._claim)
            if claim.is_end:
                return
            self._start_more()
            await asyncio.sleep(CLAIM_GAP_S)
            if claim.is_partial:
                continue
            try:
                async with asyncio.timeout(_wait_s(claim)):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    async def _claim(self) -> Claim:
        loop = asyncio.get_running_loop()
        room = self._schedule.room
        if room == 0:
            self._is_filled = True
            return Claim()
        claim = await self._ends.source.claim(
            room, lambda host: self._schedule.allowance(host, loop.time())
        )
        self._is_filled = len(claim.works) >= room
        self._schedule.expect_more(claim.more_hosts, is_all=not claim.is_partial)
        self._schedule.add(claim.works, loop.time())
        meters.CLAIMED.inc(len(claim.works))
        return claim

    # --- start

    def _start_more(self) -> None:
        """Begin what may begin now; see to it that what may begin later does."""
        if self._tasks is None:
            return
        now = asyncio.get_running_loop().time()
        while now >= self._rests_until and not self._batches.is_full():
            work = self._schedule.take(now)
            if work is None:
                break
            self._tasks.create_task(self._process(work))
            self._active_count += 1
        if self._is_filled and self._schedule.is_low():
            self._wanted.set()
        is_resting = now < self._rests_until
        self._set_timer(self._rests_until if is_resting else self._schedule.next_at(now))
        self._show()

    def _set_timer(self, when: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if when is not None:
            self._timer = asyncio.get_running_loop().call_at(when, self._start_more)

    def _on_settled(self, batch: Sequence[Result]) -> None:
        if any(result.end in {End.RETRY, End.RELEASED} for result in batch):
            self._wanted.set()  # the source has them again, and knows when they are due
        self._start_more()

    # --- one address

    async def _process(self, work: Work) -> None:
        try:
            with self._budget.room() as room:
                outcome = await self._fetcher.fetch(
                    work.url, room, lambda: self._step_aside(work), self._refusal(work)
                )
                if outcome.body is None:
                    result = self._failed(work, outcome, outcome.reason, outcome.detail)
                    self._leave(work, outcome)
                else:
                    # The place on the net is kept until there is one at the decoders: whoever
                    # fetches faster than we decode is slowed down.
                    async with self._decoders:
                        self._leave(work, outcome)
                        result = await self._take_in(work, outcome, outcome.body)
        except Exception:  # boundary: one address must not end the pipeline
            log.exception("download.crashed", extra={"image_id": work.id})
            self._schedule.done(work, Answer.GOOD, asyncio.get_running_loop().time())
            result = own_fault(Result(work, End.REJECTED))
        self._active_count -= 1
        self._aside.discard(work.id)
        self._end([result])

    async def _take_in(self, work: Work, outcome: Outcome, body: bytes) -> Result:
        loop = asyncio.get_running_loop()
        bare = replace(outcome, body=None)
        try:
            with meters.TAKE_IN.time():
                verified = await loop.run_in_executor(self._threads, self._verify_and_keep, body)
        except NotUsableError as error:
            refusal = refusal_of(outcome, error.reason, error.detail, self._rules)
            return Result(
                work, End.REJECTED, bare, None, error.reason, error.detail, refusal=refusal
            )
        except OSError:
            # Not the image's fault: the disk is full, or not ours to write. Later, then.
            log.exception("download.postponed", extra={"image_id": work.id})
            self._rests_until = loop.time() + batches.ERROR_PAUSE_S
            return postponed(Result(work, End.RELEASED))
        except Exception:  # boundary: one image must not end the pipeline
            log.exception("download.crashed", extra={"image_id": work.id})
            return own_fault(Result(work, End.REJECTED, bare))
        return Result(work, End.READY, bare, verified)

    def _verify_and_keep(self, body: bytes) -> Verified:
        """Do all that takes time with the bytes, in one go and in a thread."""
        verified = verify(body, self._limits.verify)
        self._ends.shelf.keep(body, verified)
        return verified

    def _failed(self, work: Work, outcome: Outcome, reason: Reason | None, detail: str) -> Result:
        # A body that is neither there nor refused cannot be; it is called empty all the same.
        reason = reason or Reason.EMPTY
        pause_s = self._limits.retry.pause_s(outcome, work.retries, self._dice())
        if pause_s is None:
            refusal = refusal_of(outcome, reason, detail, self._rules)
            return Result(work, End.REJECTED, outcome, None, reason, detail, refusal=refusal)
        again_at = datetime.now(UTC) + timedelta(seconds=pause_s)
        return Result(work, End.RETRY, outcome, None, reason, detail, again_at)

    def _refusal(self, work: Work) -> Refusal | None:
        """Return the bytes not to be sent again: those that would be refused again."""
        if work.refusal is None or work.refusal.rules != self._rules:
            return None
        return work.refusal

    def _step_aside(self, work: Work) -> None:
        """Give the place on the net back early: a redirect led to another host.

        The fetcher has that host's own bound; whoever waits there must not hold a place that
        others could use. Many hosts may lead to one that is slow.
        """
        if len(self._aside) >= MOST_ASIDE:
            return
        self._aside.add(work.id)
        if self._schedule.done(work, Answer.GOOD, asyncio.get_running_loop().time()):
            self._wanted.set()
        self._start_more()

    def _leave(self, work: Work, outcome: Outcome) -> None:
        """Give the place on the net back."""
        meters.FETCH.observe(outcome.seconds)
        meters.BYTES.inc(outcome.received_bytes)
        now = asyncio.get_running_loop().time()
        answer = Answer.OVERLOADED if is_overloaded(outcome) else Answer.GOOD
        if self._schedule.done(work, answer, now):
            self._wanted.set()
        self._release(self._schedule.give_up_excess(work.host), None)
        pause_s = self._limits.retry.host_pause_s(outcome)
        if pause_s > 0:
            until = datetime.now(UTC) + timedelta(seconds=pause_s)
            self._release(self._schedule.pause(work.host, now + pause_s, now), until)
        self._start_more()

    def _release(self, works: Collection[Work], again_at: datetime | None) -> None:
        self._end([Result(work, End.RELEASED, again_at=again_at) for work in works])

    def _end(self, results: list[Result]) -> None:
        self._batches.add(results)
        if self._meter is not None:
            ended = (End.READY, End.REJECTED)
            self._meter.add(sum(result.end in ended for result in results))

    def _show(self) -> None:
        meters.WAITING.set(self._schedule.waiting_count)
        meters.FETCHING.set(self._schedule.in_flight_count)
        meters.UNSETTLED.set(self._batches.unsettled_count)
        meters.BODY_BYTES.set(self._budget.held_bytes)


def _wait_s(claim: Claim) -> float:
    """Return how long nothing new is to be expected of the source."""
    if claim.next_at is None:
        return IDLE_POLL_S
    return min(IDLE_POLL_S, max(0.0, (claim.next_at - datetime.now(UTC)).total_seconds()))

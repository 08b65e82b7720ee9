"""Batches: durable before recorded, never lost, never in the way of each other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from server.media.verify import Verified
from server.pipeline import batches as module
from server.pipeline.batches import Batches, BatchLimits
from server.pipeline.work import End, Result, Work
from server.reasons import Reason


class Ends:
    """A sink and a shelf that write down what is asked of them."""

    def __init__(self) -> None:
        self.story: list[tuple[str, int]] = []
        self.results: list[Result] = []
        self.faults: list[BaseException] = []
        self.poison: str | None = None
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.threads: set[int] = set()

    async def settle(self, results: Sequence[Result]) -> None:
        await self.is_open.wait()
        if self.faults:
            raise self.faults.pop(0)
        if any(result.work.id == self.poison and result.verified for result in results):
            raise KeyError("a bug")
        self.story.append(("recorded", len(results)))
        self.results += results

    def keep(self, data: bytes, verified: Verified) -> None:
        raise AssertionError("not asked for here")

    def make_durable(self, digests: Sequence[str]) -> None:
        self.threads.add(threading.get_ident())
        self.story.append(("durable", len(digests)))


@asynccontextmanager
async def batching(ends: Ends, rows: int = 4, wait_s: float = 0.01) -> AsyncIterator[Batches]:
    batches = Batches(ends, ends, BatchLimits(rows, wait_s), lambda _batch: None)
    task = asyncio.create_task(batches.run())
    yield batches
    async with asyncio.timeout(5):
        while batches.unsettled_count:  # noqa: ASYNC110 - nothing to wait for
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.wait([task])


def ready(number: int) -> Result:
    verified = Verified.__new__(Verified)
    object.__setattr__(verified, "sha256", f"{number:064x}")
    return Result(Work(str(number), "g", "http://a.test/", "a.test"), End.READY, None, verified)


def rejected(number: int) -> Result:
    work = Work(str(number), "g", "http://a.test/", "a.test")
    return Result(work, End.REJECTED, reason=Reason.DNS)


async def test_bytes_are_durable_before_their_rows():
    ends = Ends()
    async with batching(ends) as batches:
        batches.add([ready(1), rejected(2), ready(3)])
    assert ends.story == [("durable", 2), ("recorded", 3)]
    assert threading.get_ident() not in ends.threads, "the loop never waits for the disk"


async def test_a_batch_without_bytes_asks_nothing_of_the_disk():
    ends = Ends()
    async with batching(ends) as batches:
        batches.add([rejected(1)])
    assert ends.story == [("recorded", 1)]


async def test_batches_are_as_large_as_they_may_be_and_no_larger():
    ends = Ends()
    async with batching(ends, rows=4) as batches:
        for number in range(10):
            batches.add([rejected(number)])
    assert [count for _, count in ends.story] == [4, 4, 2]
    assert [result.work.id for result in ends.results] == [str(n) for n in range(10)]


async def test_a_batch_that_waits_is_felt():
    ends = Ends()
    ends.is_open.clear()
    async with batching(ends, rows=2) as batches:
        batches.add([rejected(0), rejected(1)])
        await asyncio.sleep(0.05)
        assert not batches.is_full()
        batches.add([rejected(2), rejected(3)])
        assert batches.is_full()
        assert batches.unsettled_count == 4
        ends.is_open.set()
    assert not batches.is_full()


async def test_what_this_machine_cannot_do_now_is_done_later(monkeypatch):
    monkeypatch.setattr(module, "ERROR_PAUSE_S", 0.001)
    ends = Ends()
    ends.faults = [OSError("disk full")] * 3
    async with batching(ends) as batches:
        batches.add([ready(1), ready(2)])
    assert [(result.work.id, result.end) for result in ends.results] == [
        ("1", End.READY),
        ("2", End.READY),
    ]


@pytest.mark.parametrize("poison", range(7))
async def test_one_that_cannot_be_recorded_does_not_take_others_with_it(poison: int, caplog):
    ends = Ends()
    ends.poison = str(poison)
    async with batching(ends, rows=7) as batches:
        batches.add([ready(number) for number in range(7)])
    found = {result.work.id: result for result in ends.results}
    assert len(found) == len(ends.results) == 7
    assert found[str(poison)].end is End.REJECTED
    assert "log" in found[str(poison)].detail
    assert all(one.end is End.READY for name, one in found.items() if name != str(poison))
    assert "download.crashed" in caplog.text


async def test_the_loop_outlives_a_sink_that_takes_nothing(caplog):
    ends = Ends()
    ends.faults = [KeyError("a bug")] * 2
    async with batching(ends) as batches:
        batches.add([rejected(1)])
        await asyncio.sleep(0.05)
        batches.add([rejected(2)])
    assert [result.work.id for result in ends.results] == ["2"]
    assert "download.lost" in caplog.text

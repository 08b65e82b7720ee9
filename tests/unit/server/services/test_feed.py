"""Signals: none is lost between two looks."""

from __future__ import annotations

import asyncio

from server.services import feed as module
from server.services.feed import Changes, Feed, Signal


async def test_a_waiter_wakes_with_the_signal():
    signal = Signal()
    waiting = [asyncio.create_task(signal.wait(0, 5)) for _ in range(3)]
    await asyncio.sleep(0)
    signal.send()
    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_a_signal_before_the_wait_is_not_lost():
    signal = Signal()
    seen = signal.count
    signal.send()
    async with asyncio.timeout(60):
        assert await signal.wait(seen, 3600) == 1


async def test_a_wait_ends_with_its_time():
    assert await Signal().wait(0, 0.01) == 0


async def test_the_watchers_of_what_is_deleted_wake_for_the_last_time():
    feed = Feed()
    signal = feed.dataset("a")
    waiting = asyncio.create_task(signal.wait(0, 5))
    await asyncio.sleep(0)
    feed.forget("a")
    assert await waiting == 1
    assert feed.dataset("a") is not signal
    feed.forget("never seen")


def test_what_changed_since_is_told_each_image_once():
    changes = Changes()
    assert changes.since(0) == []
    for image_ids in (["a", "b"], [], ["b", "c"]):
        changes.send(image_ids)
    assert changes.since(0) == ["a", "b", "c"]
    assert changes.since(1) == changes.since(2) == ["b", "c"]
    assert changes.since(3) == []
    assert changes.since(None) is changes.since(4) is None


def test_what_was_long_ago_is_not_known_any_more(monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT_IMAGES", 3)
    changes = Changes()
    for number in range(4):
        changes.send([f"{number}a", f"{number}b"])
    assert changes.since(2) is None
    assert changes.since(3) == ["3a", "3b"]
    changes.send_many()
    assert changes.since(4) is None
    assert changes.since(5) == []

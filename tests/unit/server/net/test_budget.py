"""The bytes that bodies may take: never above the bound, in order, and nothing leaks."""

from __future__ import annotations

import asyncio
import random

import pytest

from server.net.budget import ByteBudget
from server.net.fetch import Fetcher
from server.reasons import Reason
from tests.support.fetching import BODY, LIMITS
from tests.support.site import Site, answer, head


async def test_who_comes_first_is_served_first():
    budget = ByteBudget(100)
    first, order = budget.room(), []
    await first.reserve(60)

    async def want(size: int) -> None:
        with budget.room() as room:
            await room.reserve(size)
            order.append(size)

    tasks = [asyncio.create_task(want(size)) for size in (50, 10)]
    await asyncio.sleep(0)
    assert order == [], "the small one does not pass the large one, which would never have its turn"
    first.shrink(0)
    await asyncio.gather(*tasks)
    assert order == [50, 10]
    assert budget.held_bytes == 0


async def test_a_body_over_the_bound_waits_for_all_of_it():
    budget = ByteBudget(100)
    with budget.room() as room:
        await room.reserve(10**9)
        assert budget.held_bytes == 100
    assert budget.held_bytes == 0


async def test_who_gives_up_waiting_leaves_no_trace():
    budget = ByteBudget(100)
    with budget.room() as room:
        await room.reserve(80)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await budget.room().reserve(50)
        small = budget.room()
        async with asyncio.timeout(1):
            await small.reserve(20)
        small.shrink(0)
    assert budget.held_bytes == 0


async def test_a_turn_that_comes_with_the_cancellation_is_given_back():
    budget = ByteBudget(100)
    first = budget.room()
    await first.reserve(100)
    task = asyncio.create_task(budget.room().reserve(100))
    await asyncio.sleep(0)
    first.shrink(0)  # its turn is set, and before it runs it is cancelled
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert budget.held_bytes == 0


async def test_any_order_of_events_keeps_the_bound():
    dice = random.Random(7)
    budget, most = ByteBudget(1000), 0

    async def body() -> None:
        nonlocal most
        with budget.room() as room:
            await room.reserve(dice.randrange(1, 700))
            most = max(most, budget.held_bytes)
            await asyncio.sleep(dice.random() / 1000)
            room.shrink(dice.randrange(0, 300))
            await asyncio.sleep(dice.random() / 1000)

    tasks = [asyncio.create_task(body()) for _ in range(300)]
    for task in dice.sample(tasks, 60):
        asyncio.get_running_loop().call_later(dice.random() / 20, task.cancel)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert 0 < most <= 1000
    assert budget.held_bytes == 0


async def test_a_fetch_holds_what_its_body_has():
    budget = ByteBudget(10**6)
    unclaimed = head("200 OK", "Connection: close") + BODY

    async def without_length(exchange) -> None:
        await exchange.send(unclaimed)

    async with Site({"/a": answer(BODY), "/b": without_length}) as site, Fetcher(LIMITS) as fetcher:
        for path in ("/a", "/b"):
            with budget.room() as room:
                outcome = await fetcher.fetch(site.url(path), room)
                assert outcome.body == BODY
                assert budget.held_bytes == len(BODY)
            assert budget.held_bytes == 0
        assert outcome.declared_bytes is None
        assert outcome.received_bytes == len(BODY)


async def test_waiting_for_room_is_not_the_servers_time():
    """`LIMITS` gives an address one second; the room comes after more than that."""
    budget = ByteBudget(100)
    full = budget.room()
    await full.reserve(100)
    asyncio.get_running_loop().call_later(1.3, full.shrink, 0)
    async with Site({"/a": answer(BODY)}) as site, Fetcher(LIMITS) as fetcher:
        with budget.room() as room:
            outcome = await fetcher.fetch(site.url("/a"), room)
    assert outcome.reason is None
    assert outcome.seconds < 1.0
    assert outcome.reason is not Reason.TIMEOUT

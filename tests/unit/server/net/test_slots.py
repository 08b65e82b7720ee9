"""Slots: bounds kept, slow hosts hold up nobody else, and nothing is left behind."""

from __future__ import annotations

import asyncio

import pytest

from server.net.slots import HostSlots


async def test_no_entry_outlives_its_users() -> None:
    slots = HostSlots(total=4, per_host=2)

    async def visit(number: int) -> None:
        async with slots.hold(f"host-{number % 50}"):
            await asyncio.sleep(0)

    await asyncio.gather(*(visit(number) for number in range(500)))
    assert len(slots) == 0


async def test_a_busy_host_leaves_slots_for_others() -> None:
    slots = HostSlots(total=2, per_host=1)
    release = asyncio.Event()

    async def stay() -> None:
        async with slots.hold("busy"):
            await release.wait()

    waiting = [asyncio.create_task(stay()) for _ in range(5)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1), slots.hold("free"):
        assert len(slots) == 2
    release.set()
    await asyncio.gather(*waiting)
    assert len(slots) == 0


async def test_a_cancelled_wait_gives_everything_back() -> None:
    slots = HostSlots(total=1, per_host=1)
    async with slots.hold("a"):
        for host in ("a", "b"):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), slots.hold(host):
                    pass
    assert len(slots) == 0
    async with asyncio.timeout(1), slots.hold("b"):
        pass


async def test_an_error_inside_gives_the_slot_back() -> None:
    slots = HostSlots(total=1, per_host=1)
    with pytest.raises(KeyError):
        async with slots.hold("a"):
            raise KeyError
    assert len(slots) == 0

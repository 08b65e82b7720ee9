"""Turns: so many at once, clients in rotation, and nothing is lost when somebody gives up."""

from __future__ import annotations

import asyncio

import pytest

from server.inference.turns import Turns


class Line:
    """Those who ask, in the order in which they had their turns."""

    def __init__(self, at_once: int) -> None:
        self.turns = Turns(at_once)
        self.served: list[str] = []
        self.go = asyncio.Event()

    async def ask(self, client: str, name: str) -> None:
        async with self.turns.take(client):
            self.served.append(name)
            await self.go.wait()

    async def start(self, client: str, name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self.ask(client, name))
        await asyncio.sleep(0)
        return task


async def test_a_lone_question_does_not_wait():
    turns = Turns(1)
    for _ in range(3):
        taken = turns.take("a")
        with pytest.raises(StopIteration):  # it ends without giving the loop away once
            taken.__aenter__().__await__().send(None)
        await taken.__aexit__(None, None, None)
    assert turns.waiting_count == 0


async def test_no_more_than_so_many_at_once():
    line = Line(2)
    tasks = [await line.start("a", str(n)) for n in range(5)]
    assert line.served == ["0", "1"]
    assert line.turns.waiting_count == 3
    line.go.set()
    await asyncio.gather(*tasks)
    assert line.served == ["0", "1", "2", "3", "4"]
    assert line.turns.waiting_count == 0


async def test_a_client_with_many_questions_is_not_served_before_one_with_few():
    line = Line(1)
    tasks = [await line.start("many", f"many {n}") for n in range(5)]
    tasks += [await line.start("few", "few 0"), await line.start("other", "other 0")]
    line.go.set()
    await asyncio.gather(*tasks)
    assert line.served == [
        "many 0", "many 1", "few 0", "other 0", "many 2", "many 3", "many 4"
    ]  # fmt: skip


async def test_who_gives_up_leaves_the_turn_to_the_next():
    line = Line(1)
    first, second, third, fourth = [await line.start("a", str(n)) for n in range(4)]
    second.cancel()
    await asyncio.wait([second])
    assert line.turns.waiting_count == 2
    # Cancelled in the moment in which the turn is passed on: before its task is told, and after.
    line.turns._pass_on()
    third.cancel()
    await asyncio.wait([third])
    assert line.served == ["0", "3"]
    fifth = await line.start("a", "4")
    fifth.cancel()
    line.turns._pass_on()
    await asyncio.wait([fifth])
    line.go.set()
    await asyncio.gather(first, fourth)
    assert line.served == ["0", "3"]
    assert line.turns.waiting_count == 0


async def test_a_turn_that_fails_is_passed_on():
    turns = Turns(1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            async with turns.take("a"):
                raise ZeroDivisionError
    assert turns.mean_s < 0.02


async def test_who_stands_back_waits_until_a_turn_is_free():
    line = Line(1)
    task = await line.start("a", "a")
    behind = asyncio.create_task(line.turns.until_free())
    await asyncio.sleep(0)
    assert not behind.done()
    line.go.set()
    await task
    async with asyncio.timeout(5):
        await behind


async def test_it_is_quiet_when_nobody_has_had_a_turn_for_so_long():
    turns = Turns(2)
    async with asyncio.timeout(5):
        await turns.until_quiet(0.001)
        async with turns.take("a"):
            with pytest.raises(TimeoutError):  # one turn is free, and still somebody asks
                async with asyncio.timeout(0.02):
                    await turns.until_quiet(0.001)
        await turns.until_quiet(0.001)

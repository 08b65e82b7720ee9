"""The source in memory: order, bounds, repetition and the end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.pipeline import backlog as module
from server.pipeline.backlog import Backlog
from server.pipeline.work import End, Result, Work
from tests.support.app import Clock


def works(*hosts: str) -> list[Work]:
    return [Work(str(n), "g", f"http://{host}/{n}", host) for n, host in enumerate(hosts)]


async def ids(backlog: Backlog, room: int = 100, allowed: int = 100) -> str:
    return "".join(work.id for work in (await backlog.claim(room, lambda _host: allowed)).works)


async def test_addresses_come_in_order_as_far_as_hosts_have_room():
    backlog = Backlog(iter(works(*"aaabac")))
    claim = await backlog.claim(100, lambda host: 2 if host == "a" else 1)
    assert [work.id for work in claim.works] == ["0", "1", "3", "5"]
    assert claim.more_hosts == ["a"]
    assert await ids(backlog) == "24"
    assert await ids(backlog) == ""


async def test_no_more_is_given_than_there_is_room_for():
    backlog = Backlog(iter(works(*"abcdef")))
    assert await ids(backlog, 4) == "0123"
    assert await ids(backlog, 4) == "45"


async def test_a_failed_try_comes_back_when_its_time_has_come():
    clock = Clock()
    backlog = Backlog(iter(works("a")), clock)
    (work,) = (await backlog.claim(9, lambda _host: 9)).works
    backlog.returned([Result(work, End.RETRY, again_at=clock() + timedelta(seconds=5))])
    waiting = await backlog.claim(9, lambda _host: 9)
    assert (list(waiting.works), waiting.is_end) == ([], False)
    assert waiting.next_at == clock() + timedelta(seconds=5)
    clock.advance(seconds=5)
    (again,) = (await backlog.claim(9, lambda _host: 9)).works
    assert (again.id, again.retries) == (work.id, 1)
    backlog.returned([Result(again, End.RELEASED)])
    (third,) = (await backlog.claim(9, lambda _host: 9)).works
    assert third.retries == 1, "what was not tried is no failed try"
    assert backlog.returned([Result(third, End.READY)]) is True
    assert (await backlog.claim(9, lambda _host: 9)).is_end


async def test_the_end_is_when_all_is_back():
    backlog = Backlog(iter(works("a", "b")))
    claim = await backlog.claim(9, lambda _host: 9)
    assert not claim.is_end
    assert not (await backlog.claim(9, lambda _host: 9)).is_end
    assert backlog.returned([Result(claim.works[0], End.READY)]) is False
    assert backlog.returned([Result(claim.works[1], End.REJECTED)]) is True
    assert (await backlog.claim(9, lambda _host: 9)).is_end


async def test_a_long_list_is_not_read_ahead_without_end(monkeypatch):
    monkeypatch.setattr(module, "_READ_AHEAD", 50)
    read = 0

    def endless() -> Iterator[Work]:
        nonlocal read
        while True:
            read += 1
            yield Work(str(read), "g", "http://a.test/", "a.test")

    backlog = Backlog(endless())
    for _ in range(10):
        await backlog.claim(100, lambda _host: 0)
    assert read == 50


@given(
    hosts=st.lists(st.sampled_from("abc"), max_size=40),
    rooms=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 4)), min_size=1, max_size=9),
)
def test_each_address_is_given_once(hosts, rooms):
    async def play() -> list[str]:
        backlog = Backlog(iter(works(*hosts)))
        seen: list[str] = []
        for room, allowed in [*rooms * 5, *[(9, 4)] * 40]:
            claim = await backlog.claim(room, lambda _host, allowed=allowed: allowed)
            assert len(claim.works) <= room
            assert max(Counter(work.host for work in claim.works).values(), default=0) <= allowed
            seen += [work.id for work in claim.works]
            backlog.returned([Result(work, End.READY) for work in claim.works])
        assert (await backlog.claim(1, lambda _host: 1)).is_end
        return seen

    assert sorted(asyncio.run(play()), key=int) == [str(n) for n in range(len(hosts))]

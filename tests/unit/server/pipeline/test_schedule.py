"""Turns: no host holds up another, none starves, no bound is broken, nothing is lost or doubled."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.pipeline.schedule import Answer, Schedule, ScheduleLimits
from server.pipeline.work import Work

LIMITS = ScheduleLimits(total=8, per_host=4, first_places=4, capacity=64)


def works(host: str, count: int, group: str = "g") -> list[Work]:
    return [Work(f"{host}-{n}", group, f"http://{host}/{n}", host) for n in range(count)]


def take_all(schedule: Schedule, now: float = 0.0) -> list[Work]:
    taken = []
    while (work := schedule.take(now)) is not None:
        taken.append(work)
    return taken


@dataclass
class World:
    """A played web: each host answers after its own time, or only by our time-out."""

    seconds: dict[str, float]
    limits: ScheduleLimits
    now: float = 0.0
    done_at: dict[str, float] = field(default_factory=dict)
    most: Counter[str] = field(default_factory=Counter)

    def play(self, batches: list[list[Work]], dead: frozenset[str] = frozenset()) -> None:
        """Work everything off, in the order of time."""
        schedule = Schedule(self.limits)
        # As a source gives them: the first of each host, then the second of each.
        turns = zip_longest(*batches)
        waiting = [work for turn in turns for work in turn if work is not None]
        running: list[tuple[float, str, Work]] = []
        flying: Counter[str] = Counter()
        while waiting or running or schedule.waiting_count:
            waiting = self._refill(schedule, waiting)
            while (work := schedule.take(self.now)) is not None:
                flying[work.host] += 1
                self.most[work.host] = max(self.most[work.host], flying[work.host])
                assert flying.total() <= self.limits.total
                heapq.heappush(running, (self.now + self.seconds[work.host], work.id, work))
            assert running, "nothing runs, and something waits"
            self.now, _, work = heapq.heappop(running)
            flying[work.host] -= 1
            assert work.id not in self.done_at, "done twice"
            self.done_at[work.id] = self.now
            is_dead = work.host in dead
            schedule.done(work, Answer.OVERLOADED if is_dead else Answer.GOOD, self.now)
            waiting += schedule.give_up_excess(work.host)
        assert schedule.in_flight_count == 0

    def _refill(self, schedule: Schedule, waiting: list[Work]) -> list[Work]:
        """Give what is allowed of each host, as far as there is room."""
        left, allowed = [], {}
        for work in waiting:
            host = work.host
            if host not in allowed:
                allowed[host] = schedule.allowance(host, self.now)
            if allowed[host] > 0 and schedule.room > 0:
                allowed[host] -= 1
                schedule.add([work], self.now)
            else:
                left.append(work)
        return left


def test_hosts_take_turns():
    schedule = Schedule(LIMITS)
    schedule.add(works("a", 10) + works("b", 2) + works("c", 2), 0.0)
    assert [work.host for work in take_all(schedule)] == list("abcabcaa")


def test_a_host_has_no_more_places_than_it_may_have():
    schedule = Schedule(ScheduleLimits(total=64, per_host=6, first_places=4, capacity=64))
    schedule.add(works("a", 40), 0.0)
    first = take_all(schedule)
    assert len(first) == 4, "a host that nobody knows starts with fewer"
    for work in first:
        schedule.done(work, Answer.GOOD, 0.0)
    assert len(take_all(schedule)) == 6


def test_a_host_that_fails_loses_places_and_gets_them_back():
    schedule = Schedule(LIMITS)
    schedule.add(works("a", 64), 0.0)
    for expected in (4, 1):
        taken = take_all(schedule)
        assert len(taken) == expected
        for work in taken:
            schedule.done(work, Answer.OVERLOADED, 0.0)
    for expected in (1, 2, 4, 4):
        taken = take_all(schedule)
        assert len(taken) == expected
        for work in taken:
            schedule.done(work, Answer.GOOD, 0.0)


def test_failing_hosts_leave_half_of_the_places():
    schedule = Schedule(ScheduleLimits(total=8, per_host=8, first_places=4, capacity=1000))
    for number in range(20):  # each fails once
        schedule.add(works(f"dead{number}", 1), 0.0)
        work = schedule.take(0.0)
        assert work is not None
        schedule.done(work, Answer.OVERLOADED, 0.0)
    for number in range(20):
        schedule.add([Work(f"again{number}", "g", "", f"dead{number}")], 0.0)
    taken = take_all(schedule)
    assert len(taken) == 4
    schedule.add(works("well", 10), 0.0)
    assert [work.host for work in take_all(schedule)] == ["well"] * 4


def test_the_pace_of_a_host_is_kept():
    schedule = Schedule(
        ScheduleLimits(total=8, per_host=8, first_places=4, capacity=64, pace_s=1.0)
    )
    schedule.add(works("a", 3) + works("b", 1), 10.0)
    assert [work.host for work in take_all(schedule, 10.0)] == ["a", "b"]
    assert schedule.next_at(10.5) == 11.0
    assert take_all(schedule, 10.9) == []
    assert [work.host for work in take_all(schedule, 11.0)] == ["a"]


def test_a_paused_host_gives_back_what_waits_and_takes_no_more():
    schedule = Schedule(LIMITS)
    schedule.add(works("a", 10) + works("b", 1), 0.0)
    first = schedule.take(0.0)
    assert first is not None
    released = schedule.pause("a", 60.0, 0.0)
    assert len(released) == 9
    assert schedule.waiting_count == 1
    assert schedule.allowance("a", 1.0) == 0
    assert [work.host for work in take_all(schedule)] == ["b"]
    schedule.done(first, Answer.OVERLOADED, 1.0)
    assert schedule.allowance("a", 61.0) > 0
    schedule.add(works("a", 1), 61.0)
    assert len(take_all(schedule, 61.0)) == 1


def test_work_that_comes_for_a_paused_host_waits_for_its_time():
    schedule = Schedule(LIMITS)
    schedule.add(works("a", 1), 0.0)
    schedule.pause("a", 60.0, 0.0)
    schedule.add(works("a", 2), 0.0)
    assert take_all(schedule, 59.0) == []
    assert len(take_all(schedule, 60.0)) == 2


def test_a_group_is_dropped_as_a_whole():
    schedule = Schedule(LIMITS)
    schedule.add(works("a", 3, "x") + works("b", 3, "y") + works("a", 2, "y"), 0.0)
    assert len(schedule.drop("y")) == 5
    assert [work.group for work in take_all(schedule)] == ["x"] * 3


def test_done_twice_is_once():
    schedule = Schedule(LIMITS)
    schedule.add(works("a", 9), 0.0)
    work = schedule.take(0.0)
    assert work is not None
    schedule.done(work, Answer.GOOD, 0.0)
    assert schedule.done(work, Answer.GOOD, 0.0) is False
    assert schedule.in_flight_count == 0


def test_more_is_wanted_of_a_host_only_when_there_is_more():
    schedule = Schedule(LIMITS)
    schedule.add(works("a", 4), 0.0)
    schedule.expect_more({"a"}, is_all=True)
    first, second, *_ = take_all(schedule)
    assert schedule.done(first, Answer.GOOD, 0.0) is True
    schedule.expect_more(set(), is_all=False)
    schedule.expect_more(set(), is_all=True)
    assert schedule.done(second, Answer.GOOD, 0.0) is False


def test_what_is_remembered_of_hosts_is_bounded():
    schedule = Schedule(ScheduleLimits(total=1, per_host=1, first_places=4, capacity=16))
    for number in range(6000):
        schedule.add(works(f"h{number}", 1), 0.0)
        work = schedule.take(0.0)
        assert work is not None
        schedule.done(work, Answer.OVERLOADED, 0.0)
    assert schedule.host_count <= 4096 + 16
    fresh = Schedule(LIMITS)
    for number in range(100):
        fresh.add(works(f"h{number}", 1), 0.0)
        work = fresh.take(0.0)
        assert work is not None
        fresh.done(work, Answer.GOOD, 0.0)
    assert fresh.host_count == 0, "of a host that answered and has no work, nothing is kept"


@pytest.mark.parametrize("dead_count", [1, 5, 40])
def test_hosts_that_never_answer_do_not_hold_up_the_others(dead_count: int):
    """Each dead host has many addresses, and each costs 30 s of a place."""
    limits = ScheduleLimits(total=64, per_host=8, first_places=4, capacity=1024)
    dead = frozenset(f"dead{n}" for n in range(dead_count))
    well = [f"well{n}" for n in range(20)]
    world = World(dict.fromkeys(dead, 30.0) | dict.fromkeys(well, 0.1), limits)
    lists = [works(host, 60) for host in sorted(dead)] + [works(host, 50) for host in well]
    world.play(lists, dead)
    ends = [world.done_at[f"{host}-{n}"] for host in well for n in range(50)]
    # Beside nobody, 20 hosts of 8 places each take 1,000 * 0.1 / 64 = 1.6 s. At worst the first
    # round of dead hosts holds all places until their time is over, once.
    assert max(ends) < (30.0 + 10 if dead_count >= 16 else 10)


HOSTS = st.dictionaries(
    st.sampled_from("abcdefghij"),
    st.tuples(st.integers(1, 40), st.floats(0.01, 30.0), st.booleans()),
    min_size=1,
)


@settings(max_examples=150, deadline=None)
@given(
    hosts=HOSTS,
    total=st.integers(1, 12),
    per_host=st.integers(1, 8),
    capacity=st.integers(16, 64),
    pace_s=st.sampled_from([0.0, 0.0, 0.25]),
)
def test_everything_is_done_once_within_the_bounds(hosts, total, per_host, capacity, pace_s):
    limits = ScheduleLimits(total, per_host, 4, capacity, pace_s)
    lists = [works(host, count) for host, (count, _, _) in hosts.items()]
    world = PacedWorld({host: seconds for host, (_, seconds, _) in hosts.items()}, limits)
    world.play(lists, frozenset(host for host, (_, _, is_dead) in hosts.items() if is_dead))
    assert len(world.done_at) == sum(map(len, lists))
    assert all(most <= per_host for most in world.most.values())


class PacedWorld(World):
    """Lets time pass when nothing runs and a host waits for its time."""

    def play(self, batches: list[list[Work]], dead: frozenset[str] = frozenset()) -> None:
        schedule = Schedule(self.limits)
        waiting = [work for batch in batches for work in batch]
        running: list[tuple[float, str, Work]] = []
        flying: Counter[str] = Counter()
        while waiting or running or schedule.waiting_count:
            waiting = self._refill(schedule, waiting)
            assert schedule.waiting_count <= self.limits.capacity
            while (work := schedule.take(self.now)) is not None:
                flying[work.host] += 1
                self.most[work.host] = max(self.most[work.host], flying[work.host])
                assert flying.total() == schedule.in_flight_count <= self.limits.total
                heapq.heappush(running, (self.now + self.seconds[work.host], work.id, work))
            wake_at = schedule.next_at(self.now)
            if running and (wake_at is None or running[0][0] <= wake_at):
                self.now, _, work = heapq.heappop(running)
                flying[work.host] -= 1
                assert work.id not in self.done_at
                self.done_at[work.id] = self.now
                answer = Answer.OVERLOADED if work.host in dead else Answer.GOOD
                schedule.done(work, answer, self.now)
                waiting += schedule.give_up_excess(work.host)
            else:
                assert wake_at is not None, "something waits for ever"
                self.now = wake_at
        assert schedule.in_flight_count == 0


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 60), min_size=2, max_size=12),
    total=st.integers(2, 16),
)
def test_no_host_starves(counts, total):
    """Of equal hosts, one with few addresses is through after its share of turns."""
    limits = ScheduleLimits(total=total, per_host=1, capacity=1024)
    names = [f"h{n}" for n in range(len(counts))]
    world = World(dict.fromkeys(names, 1.0), limits)
    world.play([works(name, count) for name, count in zip(names, counts, strict=True)])
    for name, count in zip(names, counts, strict=True):
        end = world.done_at[f"{name}-{count - 1}"]
        rounds = count * -(-len(counts) // total)
        assert end <= rounds + 1, (name, count, end)

"""Whose turn it is: claimed addresses in a queue per host, hosts in turn, everything bounded.

May import ``server.pipeline.work``. Pure and single-threaded: the caller brings the clock (any
monotonic seconds) and waits. The rules, and what each is for:

* Hosts take turns, so that a host with a million addresses does not hold up one with three.
* A host has at most ``per_host`` requests in flight. It starts with fewer, gains one with each
  answer and loses half with each failure, so one that never answers soon costs one place.
* All hosts whose last try failed together have at most half of the places: the web is full of
  dead hosts, and each of them keeps its place until its time is over.
* What may wait here of one host grows with the places it has earned: dead hosts must not fill
  the room that is there for all.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from server.pipeline.work import Work

# A host at 8 places and 100 ms an answer ends 80 a second: 128 are over a second of work, so that
# claims come in batches.
_WAITING_PER_PLACE: Final = 16
# Of a host that failed until it had one place left: 256 such hosts fill half of the room.
_WAITING_OF_DOWN: Final = 2
# Below this share of what may wait, more is claimed: half, so that claims come in batches.
_LOW_RATIO: Final = 0.5
# Hosts without work that are remembered for their pause or their failures: some 500 bytes each.
_REMEMBERED_HOSTS: Final = 4096


class Answer(Enum):
    """What a try told of its host."""

    GOOD = auto()
    OVERLOADED = auto()


@dataclass(frozen=True, slots=True)
class ScheduleLimits:
    """The bounds of a schedule.

    Attributes:
        total: Requests in flight over all hosts.
        per_host: Requests in flight to one host.
        first_places: Requests in flight to a host that has not answered yet. With four, twenty
            silent hosts held up the images of others for 7 s; with one, an image that is slow to
            come would hold up the rest of its host.
        capacity: Addresses waiting here in all: what a crash leaves to be claimed again, and a
            second or two of work. Some 1 KB each.
        pace_s: Least time between two requests to one host; 0 for none.
    """

    total: int = 64
    per_host: int = 8
    first_places: int = 2
    capacity: int = 1024
    pace_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Host:
    name: str
    places: int
    waiting: deque[Work] = field(default_factory=deque)
    in_flight: int = 0
    not_before: float = 0.0
    is_suspect: bool = False
    is_listed: bool = False  # stands in a ring or in the heap


def _is_down(host: _Host) -> bool:
    return host.is_suspect and host.places == 1


class Schedule:
    """Claimed addresses, and which of them is next."""

    def __init__(self, limits: ScheduleLimits) -> None:
        """Make an empty schedule."""
        self._limits = limits
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._ring: deque[_Host] = deque()
        self._suspects: deque[_Host] = deque()
        self._later: list[tuple[float, int, _Host]] = []
        self._serial = 0
        self.waiting_count = 0
        self._suspects_in_flight = 0
        self._more: set[str] = set()
        self._flying: set[str] = set()

    @property
    def room(self) -> int:
        """How many more addresses may wait."""
        return self._limits.capacity - self.waiting_count

    @property
    def in_flight_count(self) -> int:
        """Addresses that were taken and are not done."""
        return len(self._flying)

    @property
    def host_count(self) -> int:
        """Hosts that are known now."""
        return len(self._hosts)

    def is_low(self) -> bool:
        """Tell whether so few addresses wait that more should be claimed."""
        return self.waiting_count <= self._limits.capacity * _LOW_RATIO

    def allowance(self, name: str, now: float) -> int:
        """Return how many more addresses of a host may be added."""
        host = self._hosts.get(name)
        if host is None:
            return _WAITING_PER_PLACE * min(self._limits.first_places, self._limits.per_host)
        if host.not_before > now + self._limits.pace_s:
            return 0
        most = _WAITING_OF_DOWN if _is_down(host) else _WAITING_PER_PLACE * host.places
        return most - len(host.waiting) if len(host.waiting) < most * _LOW_RATIO else 0

    def expect_more(self, hosts: Collection[str], *, is_all: bool) -> None:
        """Remember of which hosts the source has more than it could give.

        Args:
            hosts: Their names.
            is_all: There are no others.
        """
        self._more = set(hosts) if is_all else self._more | set(hosts)

    def add(self, works: Iterable[Work], now: float) -> None:
        """Take addresses in, in the order in which they are to be tried."""
        for work in works:
            host = self._hosts.get(work.host)
            if host is None:
                host = _Host(work.host, min(self._limits.first_places, self._limits.per_host))
                self._hosts[work.host] = host
            host.waiting.append(work)
            self.waiting_count += 1
            self._list(host, now)

    def take(self, now: float) -> Work | None:
        """Return the address whose turn it is, now in flight; None when nothing may start now."""
        self._wake(now)
        if self.in_flight_count >= self._limits.total:
            return None
        host = self._next_host(now)
        if host is None:
            return None
        work = host.waiting.popleft()
        self.waiting_count -= 1
        host.in_flight += 1
        self._flying.add(work.id)
        self._suspects_in_flight += host.is_suspect
        host.not_before = max(host.not_before, now + self._limits.pace_s)
        self._list(host, now)
        return work

    def done(self, work: Work, answer: Answer, now: float) -> bool:
        """Give the place of an address back, and learn from how its host answered.

        Done a second time, it changes nothing.

        Returns:
            Whether more of this host could now be claimed.
        """
        if work.id not in self._flying:
            return False
        self._flying.discard(work.id)
        host = self._hosts[work.host]
        host.in_flight -= 1
        self._suspects_in_flight -= host.is_suspect
        if answer is Answer.GOOD:
            host.places = min(host.places + 1, self._limits.per_host)
        else:
            host.places = max(1, host.places // 2)
        self._mark(host, is_suspect=answer is Answer.OVERLOADED)
        self._list(host, now)
        self._forget(host, now)
        return work.host in self._more and self.allowance(work.host, now) > 0

    def give_up_excess(self, name: str) -> list[Work]:
        """Return what waits of a host that is down, but for the next few; it is not kept here."""
        host = self._hosts.get(name)
        if host is None or not _is_down(host):
            return []
        excess = max(0, len(host.waiting) - _WAITING_OF_DOWN)
        self.waiting_count -= excess
        return [host.waiting.pop() for _ in range(excess)][::-1]

    def pause(self, name: str, until: float, now: float) -> list[Work]:
        """Let a host alone until then; return what of it was waiting, which is not kept here."""
        host = self._hosts.get(name)
        if host is None:
            return []
        host.not_before = max(host.not_before, until)
        released = list(host.waiting)
        host.waiting.clear()
        self.waiting_count -= len(released)
        self._forget(host, now)
        return released

    def drop(self, group: str) -> list[Work]:
        """Return what of a group was waiting, which is no longer here."""
        dropped: list[Work] = []
        for host in self._hosts.values():
            mine = [work for work in host.waiting if work.group == group]
            if mine:
                dropped += mine
                host.waiting = deque(work for work in host.waiting if work.group != group)
        self.waiting_count -= len(dropped)
        return dropped

    def next_at(self, now: float) -> float | None:
        """Return when a host may go on that waits for its time; None when time changes nothing."""
        self._wake(now)
        return self._later[0][0] if self._later else None

    def _next_host(self, now: float) -> _Host | None:
        # Suspects first while they have places left: they wait in a ring of their own, and would
        # never have their turn beside healthy hosts that always have work.
        for _ in range(2):  # once more for those that the first round moved to their own ring
            if self._suspects_in_flight < max(1, self._limits.total // 2):
                host = self._pop(self._suspects, now)
                if host is not None:
                    return host
            host = self._pop(self._ring, now)
            if host is not None:
                return host
        return None

    def _pop(self, ring: deque[_Host], now: float) -> _Host | None:
        while ring:
            host = ring.popleft()
            host.is_listed = False
            is_misplaced = host.is_suspect and ring is self._ring
            if self._may_start(host) and host.not_before <= now and not is_misplaced:
                return host
            self._list(host, now)  # emptied, paused or marked while it stood here
            self._forget(host, now)
        return None

    @staticmethod
    def _may_start(host: _Host) -> bool:
        return bool(host.waiting) and host.in_flight < host.places

    def _list(self, host: _Host, now: float) -> None:
        if host.is_listed or not self._may_start(host):
            return
        host.is_listed = True
        if host.not_before > now:
            self._serial += 1
            heapq.heappush(self._later, (host.not_before, self._serial, host))
        else:
            (self._suspects if host.is_suspect else self._ring).append(host)

    def _wake(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            _, _, host = heapq.heappop(self._later)
            host.is_listed = False
            self._list(host, now)

    def _mark(self, host: _Host, *, is_suspect: bool) -> None:
        if host.is_suspect == is_suspect:
            return
        host.is_suspect = is_suspect
        self._suspects_in_flight += host.in_flight if is_suspect else -host.in_flight
        # It may stand in the other ring until its turn there: the places are counted by the mark.

    def _forget(self, host: _Host, now: float) -> None:
        if host.waiting or host.in_flight or host.is_listed:
            return
        if not host.is_suspect and host.not_before <= now:
            self._hosts.pop(host.name, None)
            return
        self._hosts.move_to_end(host.name)
        if len(self._hosts) <= self._limits.capacity + _REMEMBERED_HOSTS:
            return
        for name, other in self._hosts.items():
            if not (other.waiting or other.in_flight or other.is_listed):
                del self._hosts[name]
                break

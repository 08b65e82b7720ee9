"""A source in memory: a list of addresses, read as it is needed.

May import ``server.pipeline.work``. For programs without a database. What is read ahead is bounded:
addresses whose host has no room just now, and those that wait for their next try.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from server.pipeline.work import Allowance, Claim, End, Result, Work

# Some 10 MB of addresses. A list sorted by host whose first host is slower than the rest is read
# this far ahead; beyond that the others wait for it. Shuffle such a list.
_READ_AHEAD: Final = 20_000


class Backlog:
    """Gives addresses in the order of the list, as far as their hosts have room.

    Whoever records results tells them to `returned` too: that is how tries are repeated, and how
    the end is known.

    Args:
        works: The list; may be long, is read once.
        clock: Now, aware.
    """

    def __init__(
        self, works: Iterator[Work], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._works = works
        self._clock = clock
        self._is_read = False
        self._aside: OrderedDict[str, deque[Work]] = OrderedDict()
        self._aside_count = 0
        self._later: list[tuple[datetime, int, Work]] = []
        self._serial = 0
        self._out_count = 0

    async def claim(self, room: int, allowance: Allowance) -> Claim:
        """Take addresses: what is due again, what was put aside, what is next in the list."""
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            self._put_aside(heapq.heappop(self._later)[2])
        taken: list[Work] = []
        allowed: dict[str, int] = {}
        for host in list(self._aside):
            most = allowance(host)
            allowed[host] = most - self._take_aside(host, most, room, taken)
        while len(taken) < room and (work := self._read()) is not None:
            if work.host not in allowed:
                allowed[work.host] = allowance(work.host)
            if allowed[work.host] > 0 and work.host not in self._aside:
                allowed[work.host] -= 1
                taken.append(work)
            else:
                self._put_aside(work)
        self._out_count += len(taken)
        return Claim(
            taken,
            more_hosts=list(self._aside),
            next_at=self._later[0][0] if self._later else None,
            is_end=self._is_read and not (self._aside or self._later or self._out_count),
        )

    def returned(self, results: Sequence[Result]) -> bool:
        """Take note of results; tell whether the source may have something new, or be at its end.

        Then the pipeline is to be nudged.
        """
        self._out_count -= len(results)
        for result in results:
            if result.end is End.RETRY:
                self._wait(replace(result.work, retries=result.work.retries + 1), result.again_at)
            elif result.end is End.RELEASED:
                self._wait(result.work, result.again_at)
        return self._out_count == 0 or bool(self._later)

    def _wait(self, work: Work, again_at: datetime | None) -> None:
        self._serial += 1
        heapq.heappush(self._later, (again_at or self._clock(), self._serial, work))

    def _read(self) -> Work | None:
        if self._is_read or self._aside_count + len(self._later) >= _READ_AHEAD:
            return None
        work = next(self._works, None)
        self._is_read = work is None
        return work

    def _put_aside(self, work: Work) -> None:
        self._aside.setdefault(work.host, deque()).append(work)
        self._aside_count += 1

    def _take_aside(self, host: str, allowed: int, room: int, taken: list[Work]) -> int:
        queue = self._aside[host]
        count = min(allowed, room - len(taken), len(queue))
        taken += [queue.popleft() for _ in range(count)]
        self._aside_count -= count
        if not queue:
            del self._aside[host]
        elif count > 0:
            self._aside.move_to_end(host)  # the next claim begins with another host
        return count

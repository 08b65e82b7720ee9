"""Whose turn it is: so many at once, and clients in rotation beyond that.

Imports nothing of the project. First come, first served would let one client with a hundred
questions keep all others waiting for the last of them. Here each client has a queue of its own, and
the queues take turns. A lone question never waits.

Questions are not gathered into batches: on a CPU an image in a batch of 8 takes 15 to 20 % more of
the processor than one alone, and would have to wait for the others. See docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

Waiting = asyncio.Future[None]

_NEWEST_WEIGHT: Final = 0.1  # of the last turn in the mean: some ten turns are remembered
_FIRST_GUESS_S: Final = 0.02  # before any turn was taken


class Turns:
    """A bounded number of turns. For one event loop.

    Attributes:
        at_once: Turns that may be had at the same time.
        mean_s: What a turn took of late, in seconds.
    """

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.mean_s = _FIRST_GUESS_S
        self._free = at_once
        # While anybody waits, none is free: a turn that ends goes straight to the next.
        self._waiting: OrderedDict[str, deque[Waiting]] = OrderedDict()
        self._is_free = asyncio.Event()
        self._is_free.set()
        self._taken_count = 0

    @property
    def waiting_count(self) -> int:
        """Those that wait; whoever lets them ask bounds it."""
        return sum(map(len, self._waiting.values()))

    async def until_free(self) -> None:
        """Wait until a turn is free, so that nobody waits for one; take none."""
        await self._is_free.wait()

    async def until_quiet(self, gap_s: float) -> None:
        """Wait until nobody has had a turn for so long; whoever calls bounds the wait.

        Args:
            gap_s: Longer than who asks one question after the other needs between them.
        """
        is_quiet = False
        while not is_quiet:
            await self._is_free.wait()
            before = self._taken_count
            await asyncio.sleep(gap_s)
            is_quiet = self._free == self.at_once and self._taken_count == before

    @asynccontextmanager
    async def take(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn, and keep it inside the ``with``.

        Args:
            client: Who asks: clients are served in rotation.
        """
        self._taken_count += 1
        if self._free:
            self._free -= 1
            if not self._free:
                self._is_free.clear()
        else:
            await self._wait(client)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            yield
        finally:
            self.mean_s += _NEWEST_WEIGHT * (loop.time() - started - self.mean_s)
            self._pass_on()

    async def _wait(self, client: str) -> None:
        turn: Waiting = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(client, turn)
            else:  # it was given to us in the same moment
                self._pass_on()
            raise

    def _forget(self, client: str, turn: Waiting) -> None:
        queue = self._waiting.get(client, deque())
        if turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[client]

    def _pass_on(self) -> None:
        """Give a turn that has ended to the client whose last one is longest ago."""
        while self._waiting:
            client, queue = next(iter(self._waiting.items()))
            turn = queue.popleft()
            if queue:
                self._waiting.move_to_end(client)
            else:
                del self._waiting[client]
            if not turn.done():  # cancelled, and its task was not told yet
                turn.set_result(None)
                return
        self._free += 1
        self._is_free.set()

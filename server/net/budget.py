"""How many bytes of bodies are held in memory at once. Standard library only."""

from __future__ import annotations

import asyncio
from collections import deque


class ByteBudget:
    """A bound on the bytes that all bodies in flight may take together.

    Room is taken before a body is read, and for the whole of it: whoever reads has all that it
    needs, comes to its end and gives it back. (Room taken piece by piece could be held by many
    half-read bodies that wait for each other.) First come, first served; meanwhile the sender is
    held back by TCP.

    Args:
        total_bytes: The bound. A single body over it waits for all of the budget.
    """

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.held_bytes = 0

    def room(self) -> BodyRoom:
        """Return a room without any bytes yet, for one body."""
        return BodyRoom(self)

    async def take(self, size: int) -> int:
        """Wait for room; return how many bytes were taken, to be given back."""
        size = min(size, self._total)
        if self._waiting or self.held_bytes + size > self._total:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self.give(size)  # its turn had come in this very moment
                else:
                    self._waiting.remove((size, turn))
                    self._wake()
                raise
        else:
            self.held_bytes += size
        return size

    def give(self, size: int) -> None:
        """Give bytes back."""
        self.held_bytes -= size
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.held_bytes + self._waiting[0][0] <= self._total:
            size, turn = self._waiting.popleft()
            if not turn.cancelled():
                self.held_bytes += size
                turn.set_result(None)


class BodyRoom:
    """The part of a budget that one body has.

    Use as ``with budget.room() as room: …``; at the end all of it is given back.
    """

    def __init__(self, budget: ByteBudget) -> None:
        """Belong to ``budget``."""
        self._budget = budget
        self._bytes = 0

    def __enter__(self) -> BodyRoom:
        """Hold nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give everything back."""
        self.shrink(0)

    async def reserve(self, size: int) -> None:
        """Wait until the body may take ``size`` bytes; what it had before is given back first."""
        self.shrink(0)
        self._bytes = await self._budget.take(size)

    def shrink(self, size: int) -> None:
        """Keep ``size`` bytes and give the rest back: the body turned out smaller."""
        if size < self._bytes:
            self._budget.give(self._bytes - size)
            self._bytes = size

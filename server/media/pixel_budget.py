"""How many pixels are decoded at once, over all threads. Standard library only."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """A bound on the pixels of all pictures that are being decoded.

    First come, first served, so that a large picture is not passed by for ever; what is small
    takes nothing and waits for nobody. Whoever holds pixels never asks for more, so every wait
    ends when decodes do.

    Args:
        total_px: The bound. A single picture over it waits for all of the budget.
        free_px: Pictures up to this many pixels are not counted.
    """

    def __init__(self, total_px: int, free_px: int) -> None:
        self._total_px = total_px
        self._free_px = free_px
        self._waiting: deque[object] = deque()
        self._changed = threading.Condition()
        self.held_px = 0

    @property
    def waiting_count(self) -> int:
        """Pictures that wait for room."""
        return len(self._waiting)

    @contextmanager
    def room(self, pixels: int) -> Iterator[None]:
        """Wait for room for a picture, and keep it inside the ``with``."""
        if pixels <= self._free_px:
            yield
            return
        pixels = min(pixels, self._total_px)
        self._take(pixels)
        try:
            yield
        finally:
            with self._changed:
                self.held_px -= pixels
                self._changed.notify_all()

    def _take(self, pixels: int) -> None:
        turn = object()

        def is_ours() -> bool:
            return self._waiting[0] is turn and self.held_px + pixels <= self._total_px

        with self._changed:
            self._waiting.append(turn)
            try:
                self._changed.wait_for(is_ours)
                self.held_px += pixels
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()  # the next may fit as well

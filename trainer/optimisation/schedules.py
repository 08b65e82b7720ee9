"""Learning rate and momentum over the course of a training. Pure functions, no torch.

Source: Smith 2018, https://arxiv.org/abs/1803.09820; numbers and cosine shape of fastai 2.8,
callback/schedule.py, ``fit_one_cycle``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


def cosine(start: float, end: float, position: float) -> float:
    """Return the value at ``position`` (0..1) of half a cosine wave from ``start`` to ``end``."""
    return start + (end - start) * (1 - math.cos(math.pi * position)) / 2


@dataclass(frozen=True)
class OneCycle:
    """Up to the highest learning rate and down to almost nothing; momentum the other way.

    Attributes:
        rise_ratio: Share of the updates that go up.
        first_divisor: The highest learning rate is this many times the first.
        last_divisor: And this many times the last.
        high_momentum: At both ends.
        low_momentum: At the highest learning rate.
    """

    rise_ratio: float = 0.25
    first_divisor: float = 25.0
    last_divisor: float = 1e5
    high_momentum: float = 0.95
    low_momentum: float = 0.85

    def lr_ratio(self, position: float) -> float:
        """Return the learning rate as a share of the highest.

        Args:
            position: Share of the updates that are done, 0..1.
        """
        if position < self.rise_ratio:
            return cosine(1 / self.first_divisor, 1, position / self.rise_ratio)
        return cosine(1, 1 / self.last_divisor, self._fall(position))

    def momentum(self, position: float) -> float:
        """Return the momentum: the first beta of Adam. ``position`` as in `lr_ratio`."""
        if position < self.rise_ratio:
            return cosine(self.high_momentum, self.low_momentum, position / self.rise_ratio)
        return cosine(self.low_momentum, self.high_momentum, self._fall(position))

    def _fall(self, position: float) -> float:
        return (position - self.rise_ratio) / (1 - self.rise_ratio)


def geometric(first: float, last: float, count: int) -> list[float]:
    """Return ``count`` values from ``first`` to ``last``, each the same multiple of the one before.

    Args:
        first: Above 0.
        last: Above 0; alone when ``count`` is 1.
        count: At least 1.
    """
    if count == 1:
        return [last]
    return [first * (last / first) ** (place / (count - 1)) for place in range(count)]

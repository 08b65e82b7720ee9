"""Token buckets: how much each of many may do in a time, and after how long once more.

Source of the scheme: https://www.rfc-editor.org/rfc/rfc2697, where it meters traffic.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
# Allowances that are remembered, some 2 MB; those unused for longest go. Who comes back after
# 10,000 others has an hour's answers anew, and the link's day is not longer for it.
MAX_REMEMBERED: Final = 10_000


@dataclass
class _Bucket:
    tokens: float
    at_s: float


class Buckets:
    """Token buckets by key, at most so many."""

    def __init__(self, clock: Callable[[], float], max_count: int = MAX_REMEMBERED) -> None:
        """Begin with all of them full.

        Args:
            clock: Seconds, of a clock that never goes back.
            max_count: Those used last are remembered.
        """
        self._clock = clock
        self._max_count = max_count
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._buckets)

    def wait_s(self, key: str, capacity: int, period_s: float) -> float:
        """Return after how many seconds the bucket has one; 0 when it has.

        Args:
            key: Whose.
            capacity: What it holds when full, at least 1.
            period_s: In which an empty one fills.
        """
        lacking = 1 - self._fill(key, capacity, period_s).tokens
        return max(0.0, lacking) * period_s / capacity

    def take(self, key: str) -> None:
        """Take one of a bucket that was just seen to have it."""
        self._buckets[key].tokens -= 1

    def _fill(self, key: str, capacity: int, period_s: float) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(key, None) or _Bucket(capacity, now)
        gained = (now - bucket.at_s) * capacity / period_s
        bucket.tokens, bucket.at_s = min(capacity, bucket.tokens + gained), now
        while len(self._buckets) >= self._max_count:
            self._buckets.popitem(last=False)
        self._buckets[key] = bucket
        return bucket

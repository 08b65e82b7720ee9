"""What the pipeline tells of itself: Prometheus metrics, and the rate of the last seconds.

Metrics are the process's, as Prometheus' are; labels are few and closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

# From a cached answer to the longest that a fetch may take.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WINDOW_S: Final = 5  # short enough to be called live, long enough not to flicker

CLAIMED: Final = Counter("bowerbird_pipeline_claimed", "Addresses taken from the queue.")
RESULTS: Final = Counter("bowerbird_pipeline_results", "Ends of tries.", ["end"])
BYTES: Final = Counter("bowerbird_pipeline_received_bytes", "Bytes of bodies received.")
SECONDS: Final = Histogram(
    "bowerbird_pipeline_seconds", "Time of one step.", ["step"], buckets=_BUCKETS
)
# Per image: fetched, and decoded, hashed and written. Per batch: synced, and recorded.
FETCH: Final = SECONDS.labels("fetch")
TAKE_IN: Final = SECONDS.labels("take-in")
SYNC: Final = SECONDS.labels("sync")
RECORD: Final = SECONDS.labels("record")
CLAIM: Final = SECONDS.labels("claim")
HELD: Final = Gauge("bowerbird_pipeline_held", "Addresses in the pipeline, by step.", ["step"])
WAITING: Final = HELD.labels("waiting")
FETCHING: Final = HELD.labels("fetching")
UNSETTLED: Final = HELD.labels("unsettled")
BODY_BYTES: Final = Gauge("bowerbird_pipeline_body_bytes", "Memory that bodies may take now.")


class RateMeter:
    """Counts per second over the last few seconds.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds: deque[tuple[int, int]] = deque(maxlen=_WINDOW_S + 1)

    def add(self, count: int) -> None:
        """Count things that happened now."""
        second = int(self._clock())
        if self._seconds and self._seconds[-1][0] == second:
            count += self._seconds.pop()[1]
        self._seconds.append((second, count))

    def per_second(self) -> float:
        """Return the mean rate; what is older than the window counts no more."""
        oldest = int(self._clock()) - _WINDOW_S
        return sum(count for second, count in self._seconds if second > oldest) / _WINDOW_S

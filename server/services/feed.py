"""Who waits for what: wake-ups for workers, and changes of a dataset for its watchers.

In memory of the one process: what is missed by a restart is seen again from the database.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable


class Signal:
    """Wake every waiter, now or on its next wait.

    A waiter gives the count it has seen, so that a signal between two waits is not lost.
    """

    def __init__(self) -> None:
        """Make a signal that was never sent."""
        self.count = 0
        self._event = asyncio.Event()

    def send(self) -> None:
        """Wake all waiters."""
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seen: int, timeout_s: float) -> int:
        """Wait until the count is above ``seen`` or the time is over; return the count."""
        if self.count == seen:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._event.wait()
            except TimeoutError:
                pass
        return self.count


class Feed:
    """The signals of the process."""

    def __init__(self) -> None:
        """Make the signals."""
        self.images_queued = Signal()
        self.jobs_queued = Signal()
        self.blobs_stored = Signal()
        self._of_workers = (self.images_queued, self.jobs_queued, self.blobs_stored)
        # One per dataset that was ever watched or changed in this process: some bytes each.
        self._datasets: defaultdict[str, Signal] = defaultdict(Signal)
        self.is_closed = False
        self._on_pause: list[Callable[[str], None]] = []

    def on_pause(self, action: Callable[[str], None]) -> None:
        """Have ``action`` called with the id of each dataset whose downloads are paused."""
        self._on_pause.append(action)

    def pause(self, dataset_id: str) -> None:
        """Tell that the downloads of a dataset are paused."""
        for action in self._on_pause:
            action(dataset_id)

    def dataset(self, dataset_id: str) -> Signal:
        """Return the signal that is sent when the dataset's images, labels or jobs change."""
        return self._datasets[dataset_id]

    def close(self) -> None:
        """Wake all who wait, so that they see `is_closed` and end: the server is stopping."""
        self.is_closed = True
        for signal in (*self._of_workers, *self._datasets.values()):
            signal.send()

    def forget(self, dataset_id: str) -> None:
        """Wake the watchers of a deleted dataset for the last time."""
        self._datasets.pop(dataset_id, Signal()).send()

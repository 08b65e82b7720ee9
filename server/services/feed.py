"""Who waits for what: wake-ups for workers, and changes of a dataset for its watchers.

In memory of the one process: what is missed by a restart is seen again from the database.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection
from typing import Final

from typing_extensions import override

from server.db.ids import new_id

# Of one dataset, for watchers that lost their connection: a few hundred kilobytes at the most. More
# than that, and a watcher does better to read its list again.
MOST_KEPT_IMAGES: Final = 2000


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


class Changes(Signal):
    """The signal of a dataset, which knows the images that changed of late."""

    def __init__(self) -> None:
        """Know of no change yet."""
        super().__init__()
        self._recent: deque[tuple[int, tuple[str, ...]]] = deque()
        self._kept = 0
        self._forgotten = 0  # up to which count the images that changed are not known

    @override
    def send(self, image_ids: Collection[str] = ()) -> None:
        """Wake all waiters; these images were settled or changed."""
        super().send()
        if image_ids:
            self._recent.append((self.count, tuple(image_ids)))
            self._kept += len(image_ids)
        while self._kept > MOST_KEPT_IMAGES:
            self._forgotten, dropped = self._recent.popleft()
            self._kept -= len(dropped)

    def send_many(self) -> None:
        """Wake all waiters; more images changed than are worth naming."""
        super().send()
        self._recent.clear()
        self._kept = 0
        self._forgotten = self.count

    def since(self, seen: int | None) -> list[str] | None:
        """Return the images that changed after the count was ``seen``, each once.

        None when that is not known: too many did, or too long ago.
        """
        if seen is None or not self._forgotten <= seen <= self.count:
            return None
        found = (image_id for count, ids in self._recent if count > seen for image_id in ids)
        return list(dict.fromkeys(found))


class Feed:
    """The signals of the process.

    Attributes:
        epoch: Names this process: counts of another one mean nothing here.
    """

    def __init__(self) -> None:
        """Make the signals."""
        self.epoch = new_id()
        self.images_queued = Signal()
        self.jobs_queued = Signal()
        self.blobs_stored = Signal()
        self.images_deleted = Signal()
        self._of_workers = (
            self.images_queued,
            self.jobs_queued,
            self.blobs_stored,
            self.images_deleted,
        )
        # One per dataset that was ever watched or changed in this process: some bytes each.
        self._datasets: defaultdict[str, Changes] = defaultdict(Changes)
        self.is_closed = False
        self._on_pause: list[Callable[[str], None]] = []

    def on_pause(self, action: Callable[[str], None]) -> None:
        """Have ``action`` called with the id of each dataset whose downloads are paused."""
        self._on_pause.append(action)

    def pause(self, dataset_id: str) -> None:
        """Tell that the downloads of a dataset are paused."""
        for action in self._on_pause:
            action(dataset_id)

    def dataset(self, dataset_id: str) -> Changes:
        """Return the signal that is sent when the dataset's images, labels or jobs change."""
        return self._datasets[dataset_id]

    def close(self) -> None:
        """Wake all who wait, so that they see `is_closed` and end: the server is stopping."""
        self.is_closed = True
        for signal in (*self._of_workers, *self._datasets.values()):
            signal.send()

    def forget(self, dataset_id: str) -> None:
        """Wake the watchers of a deleted dataset for the last time."""
        self._datasets.pop(dataset_id, Changes()).send()

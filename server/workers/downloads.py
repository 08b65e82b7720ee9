"""The download loop: as many images in flight as the settings allow, never more.

Claims just what it has room for, so a crash leaves few images to take up again, and the queue
stays where it is durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from server.repositories.images import ClaimedImage
from server.services.downloads import DownloadService
from server.services.feed import Feed

Result = TypeVar("Result")

log = logging.getLogger(__name__)

IDLE_POLL_S = 30.0  # only a safety net: captures and retries wake the loop at once
ERROR_PAUSE_S = 2.0  # after a failure of this machine, such as a full disk


class DownloadWorker:
    """Runs downloads until cancelled."""

    def __init__(self, service: DownloadService, feed: Feed, concurrency: int) -> None:
        """Keep what the loop needs.

        Args:
            service: Does the work on one image.
            feed: Wakes the loop.
            concurrency: Images in flight.
        """
        self._service = service
        self._feed = feed
        self._concurrency = concurrency
        self._in_flight = 0
        self._has_room = asyncio.Event()

    async def run(self) -> None:
        """Download what is queued, for ever."""
        if count := await _insist("download.recover_failed", self._service.recover):
            log.info("download.recovered", extra={"count": count})
        async with asyncio.TaskGroup() as tasks:
            while True:
                seen = self._feed.images_queued.count
                claimed = await _insist("download.claim_failed", self._claim)
                for image in claimed:
                    self._in_flight += 1
                    tasks.create_task(self._download(image))
                if not claimed:
                    await self._feed.images_queued.wait(seen, IDLE_POLL_S)
                while self._in_flight >= self._concurrency:
                    self._has_room.clear()
                    await self._has_room.wait()

    async def _claim(self) -> Sequence[ClaimedImage]:
        return await self._service.claim(self._concurrency - self._in_flight)

    async def _download(self, image: ClaimedImage) -> None:
        try:
            await self._settle(image)
        except OSError:
            # Not the image's fault: the disk is full, or not ours to write. Later, then.
            log.exception("download.postponed", extra={"image_id": image.id})
            await self._postpone(image)
        finally:
            self._in_flight -= 1
            self._has_room.set()

    async def _settle(self, image: ClaimedImage) -> None:
        try:
            await self._service.download(image)
        except OSError:
            raise
        except Exception:  # boundary: one image must not end the loop
            log.exception("download.crashed", extra={"image_id": image.id})
            await self._service.give_up(image)

    async def _postpone(self, image: ClaimedImage) -> None:
        # Until it works: meanwhile the image's place is taken, so that no more are claimed.
        await asyncio.sleep(ERROR_PAUSE_S)
        await _insist("download.release_failed", lambda: self._service.release(image.id))
        self._feed.images_queued.send()


async def _insist(failed: str, action: Callable[[], Awaitable[Result]]) -> Result:
    """Repeat what this machine cannot do just now; ``failed`` is how the log calls that."""
    while True:
        try:
            return await action()
        except OSError:  # the queue is where it was
            log.exception(failed)
            await asyncio.sleep(ERROR_PAUSE_S)

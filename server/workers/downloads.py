"""The downloads beside the API: recovery at the start, the pipeline, and what keeps the disk clean.

That is the sweep of lost files, and winning back the bytes that nothing holds any more.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from server.pipeline.batches import insist
from server.pipeline.pipeline import Pipeline
from server.services.downloads import DownloadService
from server.services.feed import Feed
from server.services.reclaim import ReclaimService
from server.services.sweep import SweepService

log = logging.getLogger(__name__)

SIGNAL_POLL_S = 60.0  # only so that every wait has an end
# What a crash left is an hour old before it is swept, so there is no use in looking more often.
SWEEP_GAP_S = 6 * 3600.0


@dataclass(frozen=True)
class Cleaning:
    """What keeps the disk clean.

    Attributes:
        sweep: Clears up after crashes.
        reclaim: Wins back bytes that nothing holds.
    """

    sweep: SweepService
    reclaim: ReclaimService


class DownloadWorker:
    """Runs downloads until cancelled."""

    def __init__(
        self, service: DownloadService, pipeline: Pipeline, cleaning: Cleaning, feed: Feed
    ) -> None:
        """Keep what the loop needs.

        Args:
            service: The pipeline's source and sink.
            pipeline: Does the work.
            cleaning: Keeps the disk clean.
            feed: Says when something is queued or deleted, or a dataset paused.
        """
        self._service = service
        self.cleaning = cleaning
        self._feed = feed
        self.pipeline = pipeline
        feed.on_pause(pipeline.drop)

    async def run(self) -> None:
        """Download what is queued, for ever."""
        if count := await insist("download.recover_failed", self._service.recover):
            log.info("download.recovered", extra={"count": count})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pass_signals_on())
            tasks.create_task(self._keep_clean())
            tasks.create_task(self._win_back())
            tasks.create_task(self.pipeline.run())

    async def _pass_signals_on(self) -> None:
        seen = self._feed.images_queued.count
        while True:
            seen = await self._feed.images_queued.wait(seen, SIGNAL_POLL_S)
            self.pipeline.nudge()

    async def _keep_clean(self) -> None:
        while True:
            try:
                if count := await self.cleaning.sweep.sweep_temporary():
                    log.info("download.swept", extra={"count": count})
                await self.cleaning.sweep.sweep_orphans()
                await self.cleaning.sweep.sweep_leftovers()
            except OSError:  # room that is not won back is no reason not to download
                log.exception("download.sweep_failed")
            await asyncio.sleep(SWEEP_GAP_S)

    async def _win_back(self) -> None:
        while True:
            seen = self._feed.images_deleted.count
            try:
                await self.cleaning.reclaim.reclaim()
            except OSError:  # as above; what is left is found again
                log.exception("download.reclaim_failed")
            await self._feed.images_deleted.wait(seen, SWEEP_GAP_S)

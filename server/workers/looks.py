"""The grouping of new blobs by their looks, beside the API."""

from __future__ import annotations

import asyncio
import logging

from server.pipeline.batches import insist
from server.services.looks import LookService

log = logging.getLogger(__name__)

SIGNAL_POLL_S = 60.0  # only so that every wait has an end
# Blobs of so long are grouped together: while many are downloaded, a transaction for each few of
# them cost a sixth of the rate.
GATHER_S = 1.0


class LookWorker:
    """Groups blobs as they come, until cancelled."""

    def __init__(self, service: LookService) -> None:
        """Keep what the loop needs."""
        self._service = service

    async def run(self) -> None:
        """Group what is new, for ever."""
        seen = 0
        while True:
            if count := await insist("look.failed", self._service.group_new):
                log.debug("look.grouped", extra={"count": count})
            seen = await self._service.wait(seen, SIGNAL_POLL_S)
            await asyncio.sleep(GATHER_S)

"""At the start: what a crash cut short of a removal is finished."""

from __future__ import annotations

import logging

from server.pipeline.batches import insist
from server.services.removals import RemovalService

log = logging.getLogger(__name__)


async def finish_removals(service: RemovalService) -> None:
    """Finish the removals that were cut short, beside the API; returns when none is left."""
    if count := await insist("removal.finish_failed", service.finish_interrupted):
        log.info("removal.finished", extra={"count": count})

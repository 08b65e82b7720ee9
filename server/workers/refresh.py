"""The nightly refresh, beside the API."""

from __future__ import annotations

from typing import Final

from server.pipeline.batches import insist
from server.services.refresh import RefreshService

POLL_S: Final = 20.0  # a job's end and an hour's beginning are noticed so much later


async def refresh_by_night(service: RefreshService) -> None:
    """Take refreshes on as they are due, until cancelled."""
    while True:
        if not await insist("refresh.failed", service.step):
            await service.wait(POLL_S)

"""Files that nothing names: what a crash left half-written, or written and not recorded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from server.db.session import Database
from server.media.blobs import FileStore
from server.repositories import images
from server.services.intake import Stores

log = logging.getLogger(__name__)

# Files of one look into the database: a millisecond of it, so that nothing else waits.
_BATCH: Final = 500
# Between two looks: sweeping is in no hurry, and 10,000 files a second are enough.
_PAUSE_S: Final = 0.05


class SweepService:
    """Removes files without a row that are older than an hour.

    Younger ones may belong to a batch that is being recorded; `FileStore.put` makes a file young
    again that it finds and relies on.
    """

    def __init__(self, database: Database, stores: Stores) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._stores = stores

    async def sweep_temporary(self) -> int:
        """Remove what was left half-written; return how many files that were."""
        stores = (self._stores.blobs, self._stores.thumbnails)
        return sum([await asyncio.to_thread(store.sweep_temporary_files) for store in stores])

    async def sweep_orphans(self) -> int:
        """Remove whole files that no row names, folder by folder; return how many."""
        swept = 0
        for store in (self._stores.blobs, self._stores.thumbnails):
            for folder in await asyncio.to_thread(store.list_folders):
                digests = await asyncio.to_thread(store.list_abandoned, folder)
                for start in range(0, len(digests), _BATCH):
                    swept += await self._sweep(store, digests[start : start + _BATCH])
                    await asyncio.sleep(_PAUSE_S)
        if swept:
            log.info("sweep.orphans", extra={"count": swept})
        return swept

    async def _sweep(self, store: FileStore, digests: Sequence[str]) -> int:
        async with self._database.read() as session:
            orphans = await images.list_unrecorded(session, digests)
        removed = [await asyncio.to_thread(store.delete_abandoned, digest) for digest in orphans]
        return sum(removed)

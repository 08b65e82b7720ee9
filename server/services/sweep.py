"""Files that nothing names: what a crash left half-written, or written and not recorded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.db.session import Database
from server.exports.leftovers import SnapshotLeftovers
from server.media.blobs import FileStore
from server.repositories import images, models, snapshots
from server.services.intake import Stores
from server.services.models import BundleStore

log = logging.getLogger(__name__)

# Files of one look into the database: a millisecond of it, so that nothing else waits.
_BATCH: Final = 500
# Between two looks: sweeping is in no hurry, and 10,000 files a second are enough.
_PAUSE_S: Final = 0.05


@dataclass(frozen=True)
class KeptFiles:
    """The files of what is made of datasets, beside its rows."""

    snapshots: SnapshotLeftovers
    bundles: BundleStore


class SweepService:
    """Removes files without a row that are older than an hour.

    Younger ones may belong to a batch that is being recorded; `FileStore.put` makes a file young
    again that it finds and relies on.
    """

    def __init__(
        self, database: Database, stores: Stores, kept: KeptFiles, copies: FileStore
    ) -> None:
        """Keep what the use case needs.

        Args:
            database: Rows.
            stores: Of images.
            kept: Of snapshots and models.
            copies: Of the blobs that the trainer beside the server has fetched.
        """
        self._database = database
        self._stores = stores
        self._kept = kept
        self._copies = copies

    async def sweep_temporary(self) -> int:
        """Remove what was left half-written; return how many files that were."""
        stores = (self._stores.blobs, self._stores.thumbnails)
        return sum([await asyncio.to_thread(store.sweep_temporary_files) for store in stores])

    async def sweep_orphans(self) -> int:
        """Remove whole files that no row names, folder by folder; return how many."""
        swept = 0
        for store in (self._stores.blobs, self._stores.thumbnails, self._copies):
            for folder in await asyncio.to_thread(store.list_folders):
                digests = await asyncio.to_thread(store.list_abandoned, folder)
                for start in range(0, len(digests), _BATCH):
                    swept += await self._sweep(store, digests[start : start + _BATCH])
                    await asyncio.sleep(_PAUSE_S)
        if swept:
            log.info("sweep.orphans", extra={"count": swept})
        return swept

    async def sweep_leftovers(self) -> int:
        """Remove the files of snapshots and models that have no row; return of how many those were.

        A crash leaves them, after a dataset was deleted or before what it had made was recorded.
        """
        ids = await asyncio.to_thread(self._kept.snapshots.list_ids)
        bundles = await asyncio.to_thread(self._kept.bundles.list_abandoned)
        async with self._database.read() as session:
            lost_ids = await snapshots.list_unknown(session, ids)
            lost_bundles = await models.list_unnamed(session, bundles)
        for snapshot_id in lost_ids:
            await asyncio.to_thread(self._kept.snapshots.delete, snapshot_id)
        for sha256 in lost_bundles:
            await asyncio.to_thread(self._kept.bundles.delete, sha256)
        if swept := len(lost_ids) + len(lost_bundles):
            log.info("sweep.leftovers", extra={"count": swept})
        return swept

    async def _sweep(self, store: FileStore, digests: Sequence[str]) -> int:
        async with self._database.read() as session:
            orphans = await images.list_unrecorded(session, digests)
        removed = [await asyncio.to_thread(store.delete_abandoned, digest) for digest in orphans]
        return sum(removed)

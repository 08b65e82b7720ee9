"""Use case: win back the bytes that nothing holds any more, neither an image nor a snapshot.

They are left when a dataset is deleted or a capture undone. It is no removal of a site: nothing is
recorded, and the same bytes may come back. As with those, rows go before files and some hundred at
a time: a crash leaves files that no row names, which the sweep finds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Final

from server.contract.errors import FormatError
from server.db.models import SnapshotRecord
from server.db.session import Database
from server.errors import SnapshotDamagedError, SnapshotNotFoundError
from server.exports.listing import Shelves, SnapshotFiles
from server.inference.pool import CpuPool
from server.repositories import blobs, snapshots
from server.services.custody import Custody

log = logging.getLogger(__name__)

# Blobs of one transaction: some 20 ms, for which other writers wait.
_BATCH: Final = 200
# Hashes for which the manifests are gone through once: some 10 MB, however many there are in all.
_ROUND: Final = 50_000


@dataclass(frozen=True)
class Reclaimed:
    """What was won back: blobs, and their bytes without those of the thumbnails."""

    count: int = 0
    bytes: int = 0


@dataclass
class _Round:
    """Bytes that no image held, and what is known of snapshots that do.

    Attributes:
        hashes: Of those that no snapshot which was read holds.
        read: Ids of snapshots.
    """

    hashes: set[str]
    read: set[str] = field(default_factory=set)


class ReclaimService:
    """Deletes blobs that nothing holds."""

    def __init__(
        self, database: Database, shelves: Shelves, custody: Custody, pool: CpuPool
    ) -> None:
        """Keep what the use case needs.

        Args:
            database: Rows.
            shelves: Where manifests lie.
            custody: Of the bytes.
            pool: Where manifests are read.
        """
        self._database = database
        self._files = SnapshotFiles(shelves.snapshots)
        self._custody = custody
        self._pool = pool

    async def reclaim(self) -> Reclaimed:
        """Delete the blobs that no image holds, no snapshot, and nothing in the making.

        A snapshot whose manifest is gone or damaged may hold any of them: then nothing more goes.

        Raises:
            DatabaseFailedError: The database cannot be written.
            OSError: A file cannot be deleted or read.
        """
        count = size_bytes = 0
        after = ""
        while True:  # ends: each round begins where the last one ended
            async with self._database.read() as session:
                unheld = await blobs.list_unheld(session, after, _ROUND)
            if not unheld:
                break
            after = unheld[-1]
            try:
                gone = await self._run(_Round(set(unheld)))
            except SnapshotDamagedError as error:
                log.warning("reclaim.stopped", extra={"detail": str(error)})
                break
            count, size_bytes = count + gone.count, size_bytes + gone.bytes
        if count:
            log.info("reclaim.done", extra={"count": count, "bytes": size_bytes})
        return Reclaimed(count, size_bytes)

    async def _run(self, now: _Round) -> Reclaimed:
        await self._pass_over_snapshots(now)
        count = size_bytes = 0
        waiting = sorted(now.hashes)
        for start in range(0, len(waiting), _BATCH):
            gone = await self._take(now, waiting[start : start + _BATCH])
            count, size_bytes = count + len(gone), size_bytes + sum(gone.values())
        return Reclaimed(count, size_bytes)

    async def _take(self, now: _Round, batch: list[str]) -> dict[str, int]:
        async with self._custody.taking():
            # First what is in the making, then what is made: so a snapshot is in one of the two.
            free = self._custody.find_unheld(batch)
            await self._pass_over_snapshots(now)
            async with self._database.write() as session:
                gone = await blobs.delete_unheld(session, now.hashes.intersection(free))
            await self._custody.delete_files(list(gone))
        return gone

    async def _pass_over_snapshots(self, now: _Round) -> None:
        """Leave out what the snapshots hold that were not read before."""
        async with self._database.read() as session:
            recorded = await snapshots.list_all(session)
        for record in recorded:
            if record.id not in now.read:
                now.hashes -= await self._read(record)
                now.read.add(record.id)

    async def _read(self, record: SnapshotRecord) -> frozenset[str]:
        try:
            return await self._pool.run(
                self._files.read_all_hashes, record.id, record.manifest_sha256
            )
        except (FormatError, FileNotFoundError) as error:
            try:
                async with self._database.read() as session:
                    await snapshots.get(session, record.id)
            except SnapshotNotFoundError:  # deleted in this moment, with all that it held
                return frozenset()
            raise SnapshotDamagedError(
                f"the manifest of snapshot {record.id} is damaged or gone, so nobody knows which "
                "bytes it needs: none are deleted until its dataset is, or the file is back"
            ) from error

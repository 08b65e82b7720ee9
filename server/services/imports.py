"""Use case: import a file that was sent, whatever it holds."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from server.archives.formats import Format, sniff
from server.db.session import Database
from server.inference.pool import CpuPool
from server.repositories import datasets
from server.services.captures import CaptureService
from server.services.feed import Feed
from server.services.imports_addresses import AddressImporter
from server.services.imports_images import ImageImporter, ImageRules, Keeper
from server.services.imports_report import ImportReport

log = logging.getLogger(__name__)


class ImportService:
    """Imports archives and tables, one after the other: each has all of what it needs."""

    def __init__(
        self, database: Database, feed: Feed, keeper: Keeper, pool: CpuPool, rules: ImageRules
    ) -> None:
        """Keep what the use case needs.

        Args:
            database: Of datasets and images.
            feed: Tells how far an import is.
            keeper: For the images.
            pool: For decoding them.
            rules: What is taken for a usable image.
        """
        self._database = database
        self._images = ImageImporter(database, feed, keeper, pool, rules)
        self._addresses = AddressImporter(database, CaptureService(database, feed))
        self._turn = asyncio.Lock()

    async def check(self, dataset_id: str) -> None:
        """Check that there is something to import into, before much is sent.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)

    async def run(self, dataset_id: str, path: Path, *, dry_run: bool) -> ImportReport:
        """Import a zip, a tar or a CSV, or say what that would do.

        The same file again adds nothing twice: so an import that was cut off is sent again.

        Raises:
            DatasetNotFoundError: No dataset has this id, or no longer.
            ImportRefusedError: The file is refused as a whole; nothing of it is added.
        """
        kind = await asyncio.to_thread(_sniff, path)
        async with self._turn:
            if kind is Format.CSV:
                report = await self._addresses.run(dataset_id, path, dry_run=dry_run)
            else:
                report = await self._images.run(dataset_id, path, kind, dry_run=dry_run)
        counts = {"found": report.found, "added": report.added, "refused": report.refused_count}
        log.info("import.finished", extra={"format": kind.value, "dry_run": dry_run, **counts})
        return report


def _sniff(path: Path) -> Format:
    with path.open("rb") as file:
        return sniff(file)

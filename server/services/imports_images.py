"""Import the images of an archive: a batch at a time, each verified, stored and recorded whole.

A batch is acknowledged by its transaction, after its files are durable: what a crash leaves is
whole batches, and files without a row, which the sweep removes as those of downloads.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from server.archives.entries import Archive, ArchiveLimits, Entry
from server.archives.formats import Format, is_archive, is_archive_name, open_archive
from server.archives.layout import Layout, Origin, is_skipped, look_over
from server.archives.refusals import EntryFlaw, EntryRefusedError
from server.db.session import Database
from server.inference.pool import CpuPool
from server.media.verify import NotUsableError, Verified, VerifyLimits, verify
from server.net import urls
from server.net.sites import Sites, kept_out
from server.pipeline.shelf import ContentShelf
from server.reasons import Reason
from server.repositories import datasets, imports, sites
from server.repositories.imports import NewImage
from server.services.custody import Custody
from server.services.feed import Feed
from server.services.imports_report import ImportReport
from server.services.intake import blob_row

# A transaction and a sync of the disk for so many; half a second of verifying.
_BATCH_COUNT: Final = 100
# What is held of them in memory, and one of the largest more.
_BATCH_BYTES: Final = 32 * 1024**2
# Entries that come to nothing, and yet take time to read: a batch is not filled for ever.
_BATCH_LOOKS: Final = 1000
# Turns in the pool of the decoders at once, which downloads and answers take too.
_VERIFYING_COUNT: Final = 2
# The widths of the columns.
_TITLE_CHARS: Final = 1000
_LICENSE_CHARS: Final = 200
_URL_CHARS: Final = 8192


@dataclass(frozen=True)
class ImageRules:
    """What is taken for a usable image.

    Attributes:
        verify: Of its pixels.
        max_bytes: Of its file.
    """

    verify: VerifyLimits
    max_bytes: int


@dataclass(frozen=True)
class Keeper:
    """Where images are kept, and who sees to it that nothing is taken away meanwhile."""

    shelf: ContentShelf
    custody: Custody


@dataclass
class _Read:
    """An image that was read, and what becomes of it."""

    entry: Entry
    label: str | None
    origin: Origin
    data: bytes
    sha256: str
    verified: Verified | None = None
    refusal: NotUsableError | None = None


@dataclass
class _Batch:
    """The next images of the archive; what was refused on the way is in the report."""

    items: list[_Read] = field(default_factory=list)
    bytes: int = 0
    looks: int = 0

    @property
    def is_full(self) -> bool:
        return (
            len(self.items) >= _BATCH_COUNT
            or self.bytes >= _BATCH_BYTES
            or self.looks >= _BATCH_LOOKS
        )


class ImageImporter:
    """Adds the images of archives to datasets."""

    def __init__(
        self, database: Database, feed: Feed, keeper: Keeper, pool: CpuPool, rules: ImageRules
    ) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._feed = feed
        self._shelf = keeper.shelf
        self._custody = keeper.custody
        self._pool = pool
        self._rules = rules
        self._turns = asyncio.Semaphore(_VERIFYING_COUNT)

    async def run(
        self, dataset_id: str, path: Path, kind: Format, *, dry_run: bool
    ) -> ImportReport:
        """Import an archive, or say what that would do.

        Raises:
            DatasetNotFoundError: No dataset has this id, or no longer.
            ImportRefusedError: The archive is damaged or goes beyond its limits; nothing is added.
        """
        report = ImportReport(kind.value, dry_run)
        limits = ArchiveLimits(entry_bytes=self._rules.max_bytes)
        with path.open("rb") as file:
            archive = await asyncio.to_thread(open_archive, file, kind, limits)
            layout = await asyncio.to_thread(look_over, archive)
            report.found, report.skipped = layout.image_count, layout.skipped_count
            reader = _Reader(archive, layout, self._rules.max_bytes, report)
            seen: dict[str, str | None] = {}
            while (batch := await asyncio.to_thread(reader.read_batch)) is not None:
                async with self._custody.keeping():
                    await self._take(dataset_id, batch, report, seen if dry_run else None)
        return report

    async def _take(
        self,
        dataset_id: str,
        batch: _Batch,
        report: ImportReport,
        seen: dict[str, str | None] | None,
    ) -> None:
        """Settle one batch.

        Args:
            dataset_id: The dataset.
            batch: Its images.
            report: Counts them.
            seen: Of a dry run, the labels of all that would be there by now, by sha256.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            _refuse_kept_out(batch, await sites.read_blocked(session), report)
            digests = {item.sha256 for item in batch.items}
            held = await imports.find_held(session, dataset_id, digests)
        held |= {digest: seen[digest] for digest in digests if seen and digest in seen}
        # The first of several with the same bytes is verified; it speaks for the others.
        first: dict[str, _Read] = {}
        for item in batch.items:
            if item.sha256 not in held:
                first.setdefault(item.sha256, item)
        keep = seen is None
        async with asyncio.TaskGroup() as tasks:
            for item in first.values():
                tasks.create_task(self._verify(item, keep=keep))
        refused = {item.sha256: item.refusal for item in first.values() if item.refusal is not None}
        if keep:
            kept = [item for item in first.values() if item.verified is not None]
            await self._record(dataset_id, kept, held)
        _count(batch.items, held, refused, report)
        if seen is not None:
            seen |= {i.sha256: i.label for i in first.values() if i.sha256 not in refused}

    async def _verify(self, item: _Read, *, keep: bool) -> None:
        async with self._turns:
            try:
                item.verified = await self._pool.run(self._verify_and_keep, item.data, keep=keep)
            except NotUsableError as error:
                item.refusal = error

    def _verify_and_keep(self, data: bytes, *, keep: bool) -> Verified:
        verified = verify(data, self._rules.verify)
        if keep:
            self._shelf.keep(data, verified)
        return verified

    async def _record(
        self, dataset_id: str, items: Sequence[_Read], held: dict[str, str | None]
    ) -> None:
        """Make the files durable, then record them; those that came in meanwhile go to ``held``."""
        if not items:
            return
        digests = [item.sha256 for item in items]
        await asyncio.to_thread(self._shelf.make_durable, digests)
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            held |= await imports.find_held(session, dataset_id, digests)
            new = [_new_image(item) for item in items if item.sha256 not in held]
            await imports.add_images(session, dataset_id, new)
        self._feed.blobs_stored.send()
        self._feed.dataset(dataset_id).send()


class _Reader:
    """Reads an archive's images in batches. Blocks: each call in a thread, one at a time."""

    def __init__(
        self, archive: Archive, layout: Layout, max_bytes: int, report: ImportReport
    ) -> None:
        self._archive = archive
        self._layout = layout
        self._max_bytes = max_bytes
        self._report = report
        # Hashes of the paths: 16 bytes each instead of a text. Python's own are keyed by process.
        self._paths: set[int] = set()
        self._entries: Iterator[Entry] = archive.entries()

    def read_batch(self) -> _Batch | None:
        """Return the next images; None when the archive has no more entries.

        Raises:
            ImportRefusedError: The archive has changed since it was looked over.
        """
        batch = _Batch()
        for entry in self._entries:
            batch.looks += 1
            try:
                item = self._read(entry)
            except EntryRefusedError as error:
                self._report.refuse(entry.path, error.reason, error.detail)
                item = None
            if item is not None:
                batch.items.append(item)
                batch.bytes += len(item.data)
            if batch.is_full:
                return batch
        return batch if batch.looks else None

    def _read(self, entry: Entry) -> _Read | None:
        if entry.refusal is not None:
            raise entry.refusal
        if is_skipped(entry):
            return None
        place = hash(entry.parts)
        if place in self._paths:
            raise EntryRefusedError(EntryFlaw.DUPLICATE_NAME, "the name is there already")
        self._paths.add(place)
        if is_archive_name(entry.parts[-1]):
            raise EntryRefusedError(EntryFlaw.NESTED_ARCHIVE, "archives in archives are not opened")
        label = self._layout.label(entry)
        data = self._archive.read(entry, self._max_bytes)
        if is_archive(data):
            raise EntryRefusedError(EntryFlaw.NESTED_ARCHIVE, "archives in archives are not opened")
        origin = self._layout.origin(entry)
        return _Read(entry, label, origin, data, hashlib.sha256(data).hexdigest())


def _refuse_kept_out(batch: _Batch, blocked: Sites, report: ImportReport) -> None:
    if not blocked:
        return
    taken = []
    for item in batch.items:
        site = blocked.find_by_address(item.origin.source_url, item.origin.final_url)
        if site is None:
            taken.append(item)
        else:
            report.refuse(item.entry.path, Reason.OPT_OUT, kept_out(site))
    batch.items = taken


def _new_image(item: _Read) -> NewImage:
    assert item.verified is not None  # noqa: S101 - only those are recorded
    origin = item.origin
    source_url = _address(origin.source_url)
    return NewImage(
        item.sha256,
        blob_row(item.verified),
        item.label,
        title=(origin.title or item.entry.parts[-1])[:_TITLE_CHARS],
        source_url=source_url,
        page_host=urls.host_of(source_url),
        final_url=_address(origin.final_url),
        license=origin.license[:_LICENSE_CHARS] or None,
    )


def _address(text: str) -> str | None:
    """Return a web address that a table names; a hint, so what is none is dropped."""
    is_address = text.startswith(("http://", "https://")) and text.isprintable()
    return text if is_address and len(text) <= _URL_CHARS else None


def _count(
    items: Sequence[_Read],
    held: dict[str, str | None],
    refused: dict[str, NotUsableError],
    report: ImportReport,
) -> None:
    """Put each image of a batch into the report, in the order of the archive."""
    now = dict(held)
    for item in items:
        path, digest = item.entry.path, item.sha256
        if digest in refused:
            report.refuse(path, refused[digest].reason.value, refused[digest].detail)
        elif digest in now:
            report.know(path, item.label, now[digest])
        else:
            report.add(item.label)
            now[digest] = item.label

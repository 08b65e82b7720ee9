"""Use cases on exports: a snapshot as an archive, a table or a document, a part at a time."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from server.contract.exports import ENDINGS, ExportFormat
from server.contract.files import atomic_writer, sha256_of_file
from server.contract.origins import Origin
from server.contract.snapshot import Split
from server.db.models import SnapshotRecord
from server.db.session import Database
from server.errors import BlobDamagedError, ShardNotFoundError
from server.exports.croissant import Archive, describe
from server.exports.datasheet import write_datasheet
from server.exports.listing import Listing, Shelves, SnapshotFiles
from server.exports.provenance import Provenance, Row, origins_of, row_of, tag_of, write_line
from server.exports.regions import Layout, Stored
from server.exports.samples import Samples
from server.exports.tables import write_csv, write_parquet
from server.exports.tars import shards_of, tar_layout
from server.exports.zips import Extra, zip_layout
from server.inference.pool import CpuPool
from server.repositories import datasets, provenance
from server.services.snapshots import SnapshotService
from server.services.verification import verify_blobs

# Part of every entity tag: whoever changes what a format's bytes are raises it.
FORMAT_VERSION: Final = "2"
# Listings kept in memory, 8 MB for 100,000 images: those of a download and of the one beside it.
_KEPT_LISTINGS: Final = 2
# Rows read at once: few enough for one query's parameters.
_ROWS: Final = 500
_MAX_NAME_CHARS: Final = 60


_MEDIA_TYPES: Final = {
    ExportFormat.FOLDER: "application/zip",
    ExportFormat.WEBDATASET: "application/x-tar",
    ExportFormat.HF: "application/zip",
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
    ExportFormat.CROISSANT: "application/ld+json",
    ExportFormat.DATASHEET: "text/markdown; charset=utf-8",
}


@dataclass(frozen=True)
class Export:
    """A file that is ready to be read.

    Attributes:
        name: What to call it; ASCII letters, digits, dots and dashes.
        etag: Strong: the same tag is the same bytes, for ever.
    """

    name: str
    media_type: str
    etag: str
    layout: Layout


class ExportService:
    """Opens and reads exports. Nothing of the database is held while a client reads."""

    def __init__(
        self,
        database: Database,
        snapshot_service: SnapshotService,
        shelves: Shelves,
        pool: CpuPool,
        version: str,
    ) -> None:
        """Keep what the use cases need.

        Args:
            database: Where provenance is read, once per snapshot.
            snapshot_service: Reads listings.
            shelves: Where files lie.
            pool: Where they are read and written.
            version: Of Bowerbird.
        """
        self._database = database
        self._snapshots = snapshot_service
        self._blobs = shelves.blobs
        self._files = SnapshotFiles(shelves.snapshots)
        self._cache = shelves.cache
        self._pool = pool
        self._version = version
        self._listings: OrderedDict[str, Listing] = OrderedDict()
        self._writing = shelves.writing
        # A client that asks again, tired of waiting, waits for the first and hashes nothing.
        self._describing = asyncio.Lock()

    async def open(self, snapshot_id: str, wanted: ExportFormat, shard: int | None) -> Export:
        """Return a snapshot as a file of a format.

        Args:
            snapshot_id: The snapshot.
            wanted: The format.
            shard: Of `webdataset` only: which part of it, from 0 on; None for one tar of all.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            SnapshotDamagedError: Its manifest is gone.
            ImagesRemovedError: Some of its images are gone for good.
            ShardNotFoundError: There is no such part.
            BlobDamagedError: A blob is gone, of a snapshot without checksums.
        """
        record = await self._snapshots.show_whole(snapshot_id)
        listing = await self._listing(record)
        name = _file_name(listing)
        if wanted is ExportFormat.FOLDER:
            return await self._folder(listing)
        if wanted is ExportFormat.WEBDATASET:
            return await self._pool.run(self._tar, listing, shard)
        rows = await self._provenance(record, listing)
        if wanted is ExportFormat.HF:
            return await self._hugging_face(listing, rows)
        path = await self._document(wanted, listing, rows)
        sha256 = await self._pool.run(sha256_of_file, path)
        layout = Layout([Stored(path)])
        return Export(f"{name}{ENDINGS[wanted]}", _MEDIA_TYPES[wanted], f'"{sha256}"', layout)

    async def list_origins(self, snapshot_id: str) -> list[Origin]:
        """Return where a snapshot's images come from, as far as training asks.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            SnapshotDamagedError: Its manifest is gone.
        """
        record = await self._snapshots.show(snapshot_id)
        listing = await self._snapshots.read_listing(snapshot_id)
        return await self._pool.run(origins_of, await self._provenance(record, listing))

    async def count_shards(self, snapshot_id: str) -> int:
        """Return of how many parts the `webdataset` of a snapshot is.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            SnapshotDamagedError: Its manifest is gone.
            ImagesRemovedError: Some of its images are gone for good.
        """
        listing = await self._listing(await self._snapshots.show_whole(snapshot_id))
        return len(await self._pool.run(shards_of, listing))

    async def read(self, export: Export, start: int, stop: int) -> AsyncIterator[bytes]:
        """Yield a part of an export, a piece whenever the last one was taken.

        Raises:
            BlobDamagedError: A blob is no longer what it was when the snapshot was made.
            OSError: The disk fails.
        """
        pieces = export.layout.read(start, stop)
        while piece := await self._pool.run(next, pieces, b""):
            yield piece

    async def _listing(self, record: SnapshotRecord) -> Listing:
        found = self._listings.get(record.id)
        if found is None:
            found = await self._snapshots.read_listing(record.id)
            if found.crcs is None:
                found = await self._take_crcs(found)
            self._listings[record.id] = found
        self._listings.move_to_end(record.id)
        if len(self._listings) > _KEPT_LISTINGS:
            self._listings.popitem(last=False)
        return found

    async def _take_crcs(self, listing: Listing) -> Listing:
        """Read every blob, of a snapshot that was made when no checksums were kept."""
        sha256s = [listing.sha256(place) for place in range(len(listing))]
        checks = await verify_blobs(self._pool, self._blobs, sha256s)
        if checks.damaged is not None:
            sha256 = sha256s[checks.damaged]
            raise BlobDamagedError(f"the bytes of the blob {sha256} are damaged or gone")
        await self._pool.run(self._files.write_crcs, listing.snapshot_id, checks.crcs)
        return replace(listing, crcs=checks.crcs)

    async def _folder(self, listing: Listing) -> Export:
        samples = Samples(listing, self._blobs)
        extras = [Extra("labels.csv", _label_table(samples))]
        layout = await self._pool.run(zip_layout, samples, extras)
        return _export(ExportFormat.FOLDER, listing, layout)

    def _tar(self, listing: Listing, shard: int | None) -> Export:
        samples = Samples(listing, self._blobs)
        shards = shards_of(listing)
        if shard is None:
            # Those to train on first; else in the snapshot's order, which is by hash: well mixed.
            layout = tar_layout(samples, np.argsort(listing.is_valid, kind="stable"))
            return _export(ExportFormat.WEBDATASET, listing, layout)
        if shard >= len(shards):
            raise ShardNotFoundError(str(shard))
        part = shards[shard]
        layout = tar_layout(samples, part.places)
        return _export(ExportFormat.WEBDATASET, listing, layout, part.name)

    async def _hugging_face(self, listing: Listing, rows: Provenance) -> Export:
        extras = [Extra("README.md", await self._document(ExportFormat.DATASHEET, listing, rows))]
        for split in Split:
            path = await self._table_of_side(listing, rows, split)
            extras.append(Extra(f"{split.value}/metadata.csv", path))
        samples = Samples(listing, self._blobs)
        layout = await self._pool.run(zip_layout, samples, extras)
        return _export(ExportFormat.HF, listing, layout, sealed=rows.sha256)

    async def _provenance(self, record: SnapshotRecord, listing: Listing) -> Provenance:
        path = self._files.provenance(record.id)
        async with self._writing:
            if not await asyncio.to_thread(path.is_file):
                await self._freeze(path, record, listing)
        return await self._pool.run(Provenance.open, path)

    async def _freeze(self, path: Path, record: SnapshotRecord, listing: Listing) -> None:
        with ExitStack() as stack:
            file = await self._pool.run(stack.enter_context, atomic_writer(path))
            facts = await self._read_facts(record)
            await self._pool.run(write_line, file, facts)
            for start in range(0, len(listing), _ROWS):
                places = range(start, min(start + _ROWS, len(listing)))
                sha256s = [listing.sha256(place) for place in places]
                async with self._database.read() as session:
                    origins = await provenance.read_origins(session, record.dataset_id, sha256s)
                await self._pool.run(_write_rows, file, listing, places, origins)
            await self._pool.run(stack.close)

    async def _read_facts(self, record: SnapshotRecord) -> dict[str, Any]:
        async with self._database.read() as session:
            dataset = await datasets.get(session, record.dataset_id)
            left_out = await provenance.count_left_out(session, record.dataset_id)
        return {
            "description": dataset.description,
            "left_out": left_out,
            "straddling": record.counts.get("straddling", {}),
            "from_feedback": record.counts.get("from_feedback", {}),
        }

    async def _document(self, wanted: ExportFormat, listing: Listing, rows: Provenance) -> Path:
        path = self._derived(listing, rows, f"{wanted.value}{ENDINGS[wanted]}")
        if await asyncio.to_thread(path.is_file):
            return path
        samples = Samples(listing, self._blobs)
        writers: dict[ExportFormat, Callable[[BinaryIO], None]] = {
            ExportFormat.CSV: lambda file: write_csv(file, _named(samples, rows)),
            ExportFormat.PARQUET: lambda file: write_parquet(file, _named(samples, rows)),
            ExportFormat.DATASHEET: lambda file: write_datasheet(file, listing, rows),
        }
        if wanted in writers:
            await self._write_once(path, writers[wanted])
            return path
        async with self._describing:
            if not await asyncio.to_thread(path.is_file):
                value = await self._describe(listing, rows)
                await self._write_once(path, partial(_write_json, value=value))
        return path

    async def _describe(self, listing: Listing, rows: Provenance) -> dict[str, Any]:
        folder = await self._folder(listing)
        digest = hashlib.sha256()
        async for piece in self.read(folder, 0, folder.layout.length):
            await self._pool.run(digest.update, piece)
        archive = Archive(folder.name, folder.layout.length, digest.hexdigest())
        path = await self._document(ExportFormat.CSV, listing, rows)
        table_sha256 = await self._pool.run(sha256_of_file, path)
        length = Stored(path).length
        name = f"{_file_name(listing)}{ENDINGS[ExportFormat.CSV]}"
        return await self._pool.run(
            describe, listing, rows, archive, Archive(name, length, table_sha256), self._version
        )

    async def _table_of_side(self, listing: Listing, rows: Provenance, split: Split) -> Path:
        path = self._derived(listing, rows, f"{split.value}.csv")
        if await asyncio.to_thread(path.is_file):
            return path
        samples = Samples(listing, self._blobs)
        cut = len(split.value) + 1

        def side() -> Iterator[Row]:
            for row in _named(samples, rows):
                if row["split"] == split.value:
                    yield {**row, "file_name": row["file_name"][cut:]}

        await self._write_once(path, lambda file: write_csv(file, side()))
        return path

    async def _write_once(self, path: Path, write: Callable[[BinaryIO], None]) -> None:
        async with self._writing:
            if not await asyncio.to_thread(path.is_file):  # another one may have been first
                await self._pool.run(_write, path, write)

    def _derived(self, listing: Listing, rows: Provenance, name: str) -> Path:
        return self._cache / f"{listing.snapshot_id}-{rows.sha256[:16]}-{FORMAT_VERSION}" / name


def _export(
    wanted: ExportFormat, listing: Listing, layout: Layout, part: str = "", sealed: str = ""
) -> Export:
    name = _file_name(listing) + (f"-{part}" if part else "") + ENDINGS[wanted]
    etag = tag_of(listing.manifest_sha256, wanted.value, FORMAT_VERSION, part, sealed)
    return Export(name, _MEDIA_TYPES[wanted], etag, layout)


def _file_name(listing: Listing) -> str:
    words = re.sub(r"[^0-9A-Za-z]+", "-", listing.dataset_name).strip("-")
    return f"{words[:_MAX_NAME_CHARS] or 'dataset'}-{listing.snapshot_id}"


def _label_table(samples: Samples) -> bytes:
    """Return which folder stands for which label: some labels are no names of folders."""
    file = io.BytesIO()
    labels = zip(samples.folders, samples.listing.classes, strict=True)
    rows = ({"folder": folder, "label": label} for folder, label in labels)
    write_csv(file, rows, ("folder", "label"))
    return file.getvalue()


def _named(samples: Samples, rows: Provenance) -> Iterator[Row]:
    for place, row in enumerate(rows):
        yield {"file_name": samples.path(place).decode(), **row}


def _write_rows(
    file: BinaryIO, listing: Listing, places: range, origins: dict[str, dict[str, Any]]
) -> None:
    for place in places:
        write_line(file, row_of(listing, place, origins.get(listing.sha256(place), {})))


def _write(path: Path, write: Callable[[BinaryIO], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path) as file:
        write(file)


def _write_json(file: BinaryIO, value: dict[str, Any]) -> None:
    file.write(json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n")

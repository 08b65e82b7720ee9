"""Use cases on snapshots: freeze a dataset into a verified manifest with a fixed split."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from server.contract.errors import FormatError
from server.contract.files import sha256_of
from server.db.models import DatasetRecord, SnapshotRecord
from server.db.session import Database
from server.errors import (
    BlobDamagedError,
    ImagesRemovedError,
    LabelConflictError,
    SnapshotDamagedError,
)
from server.exports.difference import Difference, compare
from server.exports.listing import Listing, Shelves, SnapshotFiles
from server.inference.pool import CpuPool
from server.repositories import datasets, removals, snapshots
from server.repositories.paging import Page, PageRequest
from server.repositories.snapshots import Member
from server.services import freezing
from server.services.custody import Custody
from server.services.freezing import SplitRequest
from server.services.grouping import Grouping
from server.services.looks import LookService
from server.services.verification import verify_blobs
from server.services.wholeness import check_whole


class SnapshotService:
    """Make and show snapshots."""

    def __init__(
        self,
        database: Database,
        looks: LookService,
        shelves: Shelves,
        custody: Custody,
        pool: CpuPool,
    ) -> None:
        """Keep what the use cases need.

        Args:
            database: Rows.
            looks: Knows how every blob looks.
            shelves: Bytes to verify, and where manifests are kept.
            custody: Of the bytes.
            pool: Where they are hashed.
        """
        self._database = database
        self._looks = looks
        self._blobs = shelves.blobs
        self._custody = custody
        self._pool = pool
        self._files = SnapshotFiles(shelves.snapshots)
        # One at a time: two that name groups from different states would give an image two.
        self._grouping = asyncio.Lock()

    async def create(self, dataset_id: str, request: SplitRequest) -> SnapshotRecord:
        """Freeze the dataset's ready, labelled, not excluded images.

        Every blob is read again and its hash compared: that is what *verified* means.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            LabelConflictError: One blob stands under two labels.
            NotEnoughImagesError: Fewer than two labels, too few images, or an empty side.
            BlobDamagedError: Stored bytes are not what they were.
            ImagesRemovedError: Some were removed for good in this moment.
        """
        with self._custody.holding() as hold:
            return await self._create(dataset_id, request, hold)

    async def _create(
        self, dataset_id: str, request: SplitRequest, hold: set[str]
    ) -> SnapshotRecord:
        begun_at = datetime.now(UTC)
        await self._looks.group_new()  # a blob of an older revision may lack its second hash
        async with self._grouping:
            async with self._custody.keeping():
                dataset, members = await self._read(dataset_id)
                hold.update(member.sha256 for member in members)
            freezing.check_labels(members, request)
            order = await self._pool.run(freezing.order_of, members)
            # Beside each other: SQLite, numpy and the hashing leave Python's lock to others.
            (grouping, names), checks = await asyncio.gather(
                self._place(dataset_id, members, request),
                verify_blobs(self._pool, self._blobs, [members[i].sha256 for i in order]),
            )
        if checks.damaged is not None:
            image_id = members[order[checks.damaged]].image_id
            raise BlobDamagedError(
                f"the bytes of image {image_id} are damaged or gone; exclude it to go on",
                image_ids=[image_id],
            )
        kept = [at for at, place in enumerate(order) if names[place] is not None]
        ready = [members[order[at]] for at in kept]
        freezing.check_labels(ready, request)
        groups = [str(names[order[at]]) for at in kept]
        frozen = await self._pool.run(freezing.freeze, dataset, ready, groups, request)
        frozen.counts["straddling"] = grouping.count_straddling(frozen.sides)
        frozen.counts["from_feedback"] = {
            "train": sum(member.train_only for member in ready),
            "left_out": len(order) - len(kept),
        }
        freezing.check_sides(frozen.counts, request)
        crcs = checks.crcs[kept]
        await self._pool.run(self._files.write, frozen.snapshot_id, frozen.data, crcs)
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            gone = set(await removals.list_gone_since(session, begun_at))
            if not gone.isdisjoint(member.sha256 for member in ready):
                raise ImagesRemovedError("images were removed meanwhile; take the snapshot again")
            record = SnapshotRecord(
                id=frozen.snapshot_id,
                dataset_id=dataset_id,
                manifest_sha256=sha256_of(frozen.data),
                valid_ratio=request.valid_ratio,
                seed=request.seed,
                counts=frozen.counts,
                created_at=frozen.created_at,
            )
            session.add(record)
        return record

    async def show(self, snapshot_id: str) -> SnapshotRecord:
        """Return the snapshot.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
        """
        async with self._database.read() as session:
            return await snapshots.get(session, snapshot_id)

    async def show_whole(self, snapshot_id: str) -> SnapshotRecord:
        """Return the snapshot, for what needs the bytes of all its images.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            ImagesRemovedError: Some are gone for good.
        """
        async with self._database.read() as session:
            record = await snapshots.get(session, snapshot_id)
            await check_whole(session, snapshot_id)
        return record

    async def count_removed(self, snapshot_ids: Collection[str]) -> dict[str, int]:
        """Return how many images of snapshots are gone for good; those that are whole are not."""
        async with self._database.read() as session:
            return await removals.count_gone(session, snapshot_ids)

    async def get_manifest(self, snapshot_id: str) -> tuple[Path, str]:
        """Return where the manifest lies, and its sha256.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            SnapshotDamagedError: It should lie there, but the file is gone.
        """
        record = await self.show(snapshot_id)
        path = self._files.manifest(snapshot_id)
        if not await asyncio.to_thread(path.is_file):
            raise SnapshotDamagedError(
                f"the manifest of snapshot {snapshot_id} is gone from the data folder; "
                "take a new snapshot"
            )
        return path, record.manifest_sha256

    async def read_listing(self, snapshot_id: str) -> Listing:
        """Return what the snapshot holds, in little memory.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            SnapshotDamagedError: Its manifest is gone, or not what it was.
        """
        record = await self.show(snapshot_id)
        try:
            return await self._pool.run(self._files.read, snapshot_id, record.manifest_sha256)
        except (FormatError, OSError) as error:
            raise SnapshotDamagedError(
                f"the manifest of snapshot {snapshot_id} is damaged or gone; take a new snapshot"
            ) from error

    async def diff(self, before_id: str, after_id: str, most: int) -> Difference:
        """Return what differs between two snapshots.

        Args:
            before_id: The earlier one.
            after_id: The later one.
            most: How many of each kind are listed; all are counted.

        Raises:
            SnapshotNotFoundError: No snapshot has one of the ids.
            SnapshotDamagedError: A manifest is gone, or not what it was.
        """
        before = await self.read_listing(before_id)
        after = await self.read_listing(after_id)
        return await self._pool.run(compare, before, after, most)

    async def list_page(self, dataset_id: str, request: PageRequest) -> Page[SnapshotRecord]:
        """Return a page of the dataset's snapshots, newest first.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await snapshots.list_page(session, dataset_id, request)

    async def _read(self, dataset_id: str) -> tuple[DatasetRecord, Sequence[Member]]:
        async with self._database.read() as session:
            dataset = await datasets.get(session, dataset_id)
            conflict = await snapshots.find_conflict(session, dataset_id)
            members = await snapshots.list_members(session, dataset_id)
        if conflict is not None:
            raise LabelConflictError(
                f"image {conflict.first_id} ({conflict.first_label!r}) and image "
                f"{conflict.second_id} ({conflict.second_label!r}) are the same picture; "
                "relabel or exclude one of them",
                image_ids=[conflict.first_id, conflict.second_id],
                labels=[conflict.first_label, conflict.second_label],
            )
        return dataset, members

    async def _place(
        self, dataset_id: str, members: Sequence[Member], request: SplitRequest
    ) -> tuple[Grouping, list[str | None]]:
        """Return the grouping, and each image's group; None for those to be left out."""
        measured = [member for member in members if not member.train_only]
        grouping = await self._group(dataset_id, measured)
        if len(measured) == len(members):
            return grouping, list(grouping.names)
        names = await self._pool.run(freezing.place_all, members, grouping.names, request)
        return grouping, names

    async def _group(self, dataset_id: str, members: Sequence[Member]) -> Grouping:
        """Return each image's group; new ones are stored, old ones are kept.

        Called with ``_grouping`` held since the members were read. What a page shows beyond them,
        because it came in between, is left to the next snapshot.
        """
        async with self._database.read() as session:
            pages = await snapshots.list_pages(session, dataset_id)
        grouping = await self._pool.run(freezing.find_groups, members, pages)
        new = {
            member.image_id: name
            for member, name in zip(members, grouping.names, strict=True)
            if member.group is None
        }
        if new:
            async with self._database.write() as session:
                await snapshots.set_groups(session, new)
        return grouping

"""Use cases on snapshots: freeze a dataset into a verified manifest with a fixed split."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from server.contract.errors import FormatError
from server.contract.files import sha256_of
from server.contract.snapshot import DatasetRef, Manifest, Split, split_of
from server.db.ids import new_id
from server.db.models import DatasetRecord, SnapshotRecord
from server.db.session import Database
from server.errors import (
    BlobDamagedError,
    ImagesRemovedError,
    LabelConflictError,
    NotEnoughImagesError,
    SnapshotDamagedError,
)
from server.exports.difference import Difference, compare
from server.exports.listing import Listing, Shelves, SnapshotFiles
from server.exports.manifests import Row, write_manifest
from server.inference.pool import CpuPool
from server.repositories import datasets, removals, snapshots
from server.repositories.paging import Page, PageRequest
from server.repositories.snapshots import Member
from server.services.custody import Custody
from server.services.grouping import Grouping, Looks, group_images
from server.services.looks import LookService
from server.services.verification import verify_blobs
from server.services.wholeness import check_whole

MIN_LABELS = 2  # a classifier of one class has nothing to tell apart


@dataclass(frozen=True)
class SplitRequest:
    """How to split.

    Attributes:
        valid_ratio: Expected share of groups on the validation side, 0..1.
        seed: Which groups those are.
        min_per_label: Labels with fewer images are an error.
    """

    valid_ratio: float = 0.2
    seed: int = 42
    min_per_label: int = 2


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
            _check_labels(members, request)
            order = await self._pool.run(_order, members)
            # Beside each other: SQLite, numpy and the hashing leave Python's lock to others.
            grouping, checks = await asyncio.gather(
                self._group(dataset_id, members),
                verify_blobs(self._pool, self._blobs, [members[i].sha256 for i in order]),
            )
        if checks.damaged is not None:
            image_id = members[order[checks.damaged]].image_id
            raise BlobDamagedError(
                f"the bytes of image {image_id} are damaged or gone; exclude it to go on",
                image_ids=[image_id],
            )
        ready = [members[place] for place in order]
        names = [grouping.names[place] for place in order]
        frozen = await self._pool.run(_freeze, dataset, ready, names, request)
        frozen.counts["straddling"] = grouping.count_straddling(frozen.sides)
        _check_sides(frozen.counts, request)
        await self._pool.run(self._files.write, frozen.snapshot_id, frozen.data, checks.crcs)
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

    async def _group(self, dataset_id: str, members: Sequence[Member]) -> Grouping:
        """Return each image's group; new ones are stored, old ones are kept.

        Called with ``_grouping`` held since the members were read. What a page shows beyond them,
        because it came in between, is left to the next snapshot.
        """
        async with self._database.read() as session:
            pages = await snapshots.list_pages(session, dataset_id)
        grouping = await self._pool.run(_find_groups, members, pages)
        new = {
            member.image_id: name
            for member, name in zip(members, grouping.names, strict=True)
            if member.group is None
        }
        if new:
            async with self._database.write() as session:
                await snapshots.set_groups(session, new)
        return grouping


def _find_groups(members: Sequence[Member], pages: Sequence[tuple[str, str]]) -> Grouping:
    # By way of bytes: so numpy reads the signed numbers of SQL as the unsigned ones they stand for.
    looks = Looks(
        np.array([m.dhash for m in members], dtype=np.int64).view(np.uint64),
        np.array([m.phash or 0 for m in members], dtype=np.int64).view(np.uint64),
    )
    sha256s = [member.sha256 for member in members]
    places = {sha256: place for place, sha256 in enumerate(sha256s)}
    shown = {
        url: sorted({places[sha256] for sha256 in digests.split(",") if sha256 in places})
        for url, digests in pages
    }
    return group_images(looks, [member.group for member in members], sha256s, shown)


def _order(members: Sequence[Member]) -> list[int]:
    """Return the places of the members in the manifest's order, by sha256."""
    return sorted(range(len(members)), key=lambda place: members[place].sha256)


def _check_labels(members: Sequence[Member], request: SplitRequest) -> None:
    counts = Counter(member.label for member in members)
    if len(counts) < MIN_LABELS:
        raise NotEnoughImagesError(
            f"a classifier needs ready images under at least {MIN_LABELS} labels; "
            f"there are {len(counts)}"
        )
    small = sorted(label for label, n in counts.items() if n < request.min_per_label)
    if small:
        raise NotEnoughImagesError(
            f"labels with fewer than {request.min_per_label} ready images: {', '.join(small)}; "
            "collect more, or exclude theirs",
            labels=small,
        )


@dataclass(frozen=True)
class _Frozen:
    """A manifest's bytes, and what was counted on the way to them.

    Attributes:
        sides: Of each group, by name.
    """

    snapshot_id: str
    created_at: datetime
    data: bytes
    counts: dict[str, object]
    sides: dict[str, Split]


def _freeze(
    dataset: DatasetRecord,
    members: Sequence[Member],
    groups: Sequence[str],
    request: SplitRequest,
) -> _Frozen:
    sides = {name: split_of(request.seed, name, request.valid_ratio) for name in set(groups)}
    head = Manifest(
        snapshot_id=new_id(),
        dataset=DatasetRef(id=dataset.id, name=dataset.name),
        created_at=datetime.now(UTC),
        classes=tuple(sorted({member.label for member in members})),
        valid_ratio=request.valid_ratio,
        seed=request.seed,
        items=(),
    )
    counts = Counter(
        (member.label, sides[group]) for member, group in zip(members, groups, strict=True)
    )
    rows = (
        Row(m.sha256, m.label, sides[group].value, m.bytes, m.width, m.height, m.format, group)
        for m, group in zip(members, groups, strict=True)
    )
    data = write_manifest(head, rows)
    shown = _count(head.classes, counts) | {"groups": len(sides)}
    return _Frozen(head.snapshot_id, head.created_at, data, shown, sides)


def _count(classes: Sequence[str], counts: Counter[tuple[str, Split]]) -> dict[str, object]:
    labels = {
        label: {"train": counts[label, Split.TRAIN], "valid": counts[label, Split.VALID]}
        for label in classes
    }
    train = sum(sides["train"] for sides in labels.values())
    return {
        "total": counts.total(),
        "train": train,
        "valid": counts.total() - train,
        "labels": labels,
    }


def _check_sides(counts: dict[str, object], request: SplitRequest) -> None:
    labels = counts["labels"]
    assert isinstance(labels, dict)  # noqa: S101 - made by _count
    unseen = sorted(label for label, sides in labels.items() if sides["train"] == 0)
    if unseen:
        raise NotEnoughImagesError(
            f"no training image is left for {', '.join(unseen)} at valid_ratio "
            f"{request.valid_ratio:g}; collect more, or choose a smaller one",
            labels=unseen,
        )
    if counts["valid"] == 0:
        raise NotEnoughImagesError(
            f"of {counts['total']} images none falls on the validation side; collect more, "
            "or choose a larger valid_ratio"
        )

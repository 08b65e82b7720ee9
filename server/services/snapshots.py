"""Use cases on snapshots: freeze a dataset into a verified manifest with a fixed split."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from server.contract.files import write_atomically
from server.contract.snapshot import DatasetRef, Item, Manifest, Split, split_of
from server.db.ids import new_id
from server.db.models import DatasetRecord, SnapshotRecord
from server.db.session import Database
from server.errors import (
    BlobDamagedError,
    LabelConflictError,
    NotEnoughImagesError,
    SnapshotDamagedError,
)
from server.inference.pool import CpuPool
from server.media.blobs import BlobStore
from server.media.digests import near_duplicate_groups
from server.repositories import datasets, snapshots
from server.repositories.paging import Page, PageRequest
from server.repositories.snapshots import Member
from server.services.intake import to_unsigned
from server.services.looks import LookService

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
        blobs: BlobStore,
        pool: CpuPool,
        folder: Path,
    ) -> None:
        """Keep what the use cases need.

        Args:
            database: Rows.
            looks: Knows how every blob looks.
            blobs: Bytes to verify.
            pool: Where they are hashed.
            folder: Where manifests are kept, as ``<snapshot id>.json``.
        """
        self._database = database
        self._looks = looks
        self._blobs = blobs
        self._pool = pool
        self._folder = folder
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
        """
        await self._looks.group_new()  # a blob of an older revision may lack its second hash
        async with self._grouping:
            dataset, members = await self._read(dataset_id)
            _check_labels(members, request)
            groups = await self._group(members)
        damaged = await self._pool.run(self._find_damaged, members)
        if damaged is not None:
            raise BlobDamagedError(
                f"the bytes of image {damaged.image_id} are damaged or gone; exclude it to go on",
                image_ids=[damaged.image_id],
            )
        manifest = _manifest(dataset, members, groups, request)
        counts = _count(manifest)
        _check_sides(counts, request)
        data = manifest.to_bytes()
        path = self._path(manifest.snapshot_id)
        await self._pool.run(write_atomically, path, data)
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            record = SnapshotRecord(
                id=manifest.snapshot_id,
                dataset_id=dataset_id,
                manifest_sha256=manifest.sha256,
                valid_ratio=request.valid_ratio,
                seed=request.seed,
                counts=counts,
                created_at=manifest.created_at,
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

    async def get_manifest(self, snapshot_id: str) -> tuple[Path, str]:
        """Return where the manifest lies, and its sha256.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            SnapshotDamagedError: It should lie there, but the file is gone.
        """
        record = await self.show(snapshot_id)
        path = self._path(snapshot_id)
        if not await asyncio.to_thread(path.is_file):
            raise SnapshotDamagedError(
                f"the manifest of snapshot {snapshot_id} is gone from the data folder; "
                "take a new snapshot"
            )
        return path, record.manifest_sha256

    async def list_page(self, dataset_id: str, request: PageRequest) -> Page[SnapshotRecord]:
        """Return a page of the dataset's snapshots, newest first.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await snapshots.list_page(session, dataset_id, request)

    def _path(self, snapshot_id: str) -> Path:
        return self._folder / f"{snapshot_id}.json"

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

    async def _group(self, members: Sequence[Member]) -> dict[str, str]:
        """Return each image's near-duplicate group; new ones are stored, old ones are kept.

        Called with ``_grouping`` held since the members were read.
        """
        new = {m.image_id for m in members if m.group is None}
        if not new:
            return {m.image_id: m.group for m in members if m.group is not None}
        dhashes = np.array([to_unsigned(m.blob.dhash) for m in members], dtype=np.uint64)
        phashes = np.array([to_unsigned(m.blob.phash or 0) for m in members], dtype=np.uint64)
        clusters = await self._pool.run(near_duplicate_groups, dhashes, phashes)
        groups = _name_groups(members, clusters.tolist())
        async with self._database.write() as session:
            await snapshots.set_groups(session, {i: groups[i] for i in sorted(new)})
        return groups

    def _find_damaged(self, members: Sequence[Member]) -> Member | None:
        return next((m for m in members if not self._blobs.verify(m.blob.sha256)), None)


def _name_groups(members: Sequence[Member], clusters: Sequence[int]) -> dict[str, str]:
    """Name the group of each image.

    A cluster takes the name it has from its oldest member that has one; a new cluster is named by
    the sha256 of its oldest member. Names once given stay, so that an image stays on its side.
    """
    names: dict[int, str] = {}
    for named_only in (True, False):
        for member, cluster in zip(members, clusters, strict=True):
            if member.group is not None or not named_only:
                names.setdefault(cluster, member.group or member.blob.sha256)
    return {
        member.image_id: member.group or names[cluster]
        for member, cluster in zip(members, clusters, strict=True)
    }


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


def _manifest(
    dataset: DatasetRecord,
    members: Sequence[Member],
    groups: dict[str, str],
    request: SplitRequest,
) -> Manifest:
    items = [
        Item(
            sha256=member.blob.sha256,
            label=member.label,
            split=split_of(request.seed, groups[member.image_id], request.valid_ratio),
            bytes=member.blob.bytes,
            width=member.blob.width,
            height=member.blob.height,
            format=member.blob.format,
            group=groups[member.image_id],
        )
        for member in members
    ]
    return Manifest(
        snapshot_id=new_id(),
        dataset=DatasetRef(id=dataset.id, name=dataset.name),
        created_at=datetime.now(UTC),
        classes=tuple(sorted({item.label for item in items})),
        valid_ratio=request.valid_ratio,
        seed=request.seed,
        items=tuple(sorted(items, key=lambda item: item.sha256)),
    )


def _count(manifest: Manifest) -> dict[str, object]:
    labels: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"train": 0, "valid": 0})
    for item in manifest.items:
        labels[item.label][item.split.value] += 1
    sides = Counter(item.split for item in manifest.items)
    return {
        "total": len(manifest.items),
        "train": sides[Split.TRAIN],
        "valid": sides[Split.VALID],
        "labels": dict(labels),
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

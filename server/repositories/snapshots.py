"""Queries for making and finding snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import aliased

from server.db.models import BlobRecord, ImageRecord, ImageStatus, LabelRecord, SnapshotRecord
from server.db.session import Session
from server.errors import SnapshotNotFoundError
from server.repositories.paging import Page, PageRequest, read_page


@dataclass(frozen=True)
class Member:
    """A ready, labelled image that is not excluded: what a snapshot is made of."""

    image_id: str
    label: str
    group: str | None
    blob: BlobRecord


@dataclass(frozen=True)
class Conflict:
    """Two images of a dataset that hold the same bytes under different labels."""

    first_id: str
    first_label: str
    second_id: str
    second_label: str


async def get(session: Session, snapshot_id: str) -> SnapshotRecord:
    """Return the snapshot.

    Raises:
        SnapshotNotFoundError: No snapshot has this id.
    """
    record = await session.get(SnapshotRecord, snapshot_id)
    if record is None:
        raise SnapshotNotFoundError(snapshot_id)
    return record


async def list_page(
    session: Session, dataset_id: str, request: PageRequest
) -> Page[SnapshotRecord]:
    """Return a page of the dataset's snapshots, newest first."""
    query = select(SnapshotRecord).where(SnapshotRecord.dataset_id == dataset_id)
    return await read_page(session, query, SnapshotRecord.id, request, newest_first=True)


async def list_members(session: Session, dataset_id: str) -> Sequence[Member]:
    """Return what a snapshot of the dataset would hold now, oldest image first."""
    rows = await session.execute(
        select(ImageRecord.id, LabelRecord.name, ImageRecord.group, BlobRecord)
        .join(LabelRecord, LabelRecord.id == ImageRecord.label_id)
        .join(BlobRecord, BlobRecord.sha256 == ImageRecord.sha256)
        .where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.status == ImageStatus.READY,
            ImageRecord.excluded.is_(False),
        )
        .order_by(ImageRecord.id)
    )
    return [Member(image_id, label, group, blob) for image_id, label, group, blob in rows]


async def find_conflict(session: Session, dataset_id: str) -> Conflict | None:
    """Return the first pair of images that hold one blob under two labels, if there is one."""
    first, second = aliased(ImageRecord), aliased(ImageRecord)
    first_label, second_label = aliased(LabelRecord), aliased(LabelRecord)
    row = (
        await session.execute(
            select(first.id, first_label.name, second.id, second_label.name)
            .join(first_label, first_label.id == first.label_id)
            .join(second, (second.sha256 == first.sha256) & (second.dataset_id == dataset_id))
            .join(second_label, second_label.id == second.label_id)
            .where(
                first.dataset_id == dataset_id,
                first.status == ImageStatus.READY,
                second.status == ImageStatus.DUPLICATE,
                first.label_id != second.label_id,
                first.excluded.is_(False),
                second.excluded.is_(False),
            )
            .order_by(first.id, second.id)
            .limit(1)
        )
    ).first()
    return None if row is None else Conflict(*row)


async def set_groups(session: Session, groups: Mapping[str, str]) -> None:
    """Give images their near-duplicate group, by image id. One that has a group keeps it."""
    if not groups:
        return
    connection = await session.connection()
    await connection.execute(
        update(ImageRecord)
        .where(ImageRecord.id == bindparam("image_id"), ImageRecord.group.is_(None))
        .values({"group": bindparam("new_group")}),
        [{"image_id": image_id, "new_group": group} for image_id, group in groups.items()],
    )

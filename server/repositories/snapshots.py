"""Queries for making and finding snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, func, or_, select, union_all, update
from sqlalchemy.orm import aliased

from server.db.models import (
    BlobRecord,
    CaptureRecord,
    ImageRecord,
    ImageStatus,
    LabelRecord,
    ObtainedBy,
    SightingRecord,
    SnapshotRecord,
)
from server.db.session import Session
from server.errors import SnapshotNotFoundError
from server.net.sites import ANY_PAGE
from server.repositories.chunks import list_missing
from server.repositories.paging import Page, PageRequest, read_page

_WITH_BYTES = (ImageStatus.READY, ImageStatus.DUPLICATE)
_ROWS = 5_000  # made into objects at once: few megabytes, and little to do for each beside


class Member(NamedTuple):
    """A ready, labelled image that is not excluded: what a snapshot is made of.

    Columns rather than records: 100,000 records take two seconds to make, and these a sixth of one.

    Attributes:
        group: None when it was given none yet.
        dhash: Signed, as SQL has it.
        phash: Likewise; None when it is not known.
        train_only: Never on the validation side.
    """

    image_id: str
    label: str
    group: str | None
    sha256: str
    bytes: int
    width: int
    height: int
    format: str
    dhash: int
    phash: int | None
    train_only: bool = False


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


async def list_all(session: Session) -> Sequence[SnapshotRecord]:
    """Return all snapshots, oldest first."""
    return (await session.scalars(select(SnapshotRecord).order_by(SnapshotRecord.id))).all()


async def list_ids_of(session: Session, dataset_id: str) -> Sequence[str]:
    """Return the ids of a dataset's snapshots."""
    query = select(SnapshotRecord.id).where(SnapshotRecord.dataset_id == dataset_id)
    return (await session.scalars(query)).all()


async def list_unknown(session: Session, snapshot_ids: Sequence[str]) -> Sequence[str]:
    """Return those of these ids that are no snapshot's."""
    return await list_missing(session, SnapshotRecord.id, snapshot_ids)


async def list_members(session: Session, dataset_id: str) -> Sequence[Member]:
    """Return what a snapshot of the dataset would hold now, oldest image first."""
    rows = await session.execute(
        select(
            ImageRecord.id,
            LabelRecord.name,
            ImageRecord.group,
            BlobRecord.sha256,
            BlobRecord.bytes,
            BlobRecord.width,
            BlobRecord.height,
            BlobRecord.format,
            BlobRecord.dhash,
            BlobRecord.phash,
            ImageRecord.train_only,
        )
        .join(LabelRecord, LabelRecord.id == ImageRecord.label_id)
        .join(BlobRecord, BlobRecord.sha256 == ImageRecord.sha256)
        .where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.status == ImageStatus.READY,
            ImageRecord.excluded.is_(False),
        )
        .order_by(ImageRecord.id)
    )
    # Few different texts stand for most: each row has its own, equal ones. Many rows at once, taken
    # apart by place: asking each for its columns by name takes three times as long.
    kept: dict[str, str] = {}
    share = kept.setdefault
    return [
        Member(
            image_id,
            share(label, label),
            sha256 if group == sha256 else group,
            sha256,
            size,
            width,
            height,
            share(kind, kind),
            dhash,
            phash,
            train_only,
        )
        for part in rows.partitions(_ROWS)
        for (
            image_id,
            label,
            group,
            sha256,
            size,
            width,
            height,
            kind,
            dhash,
            phash,
            train_only,
        ) in part
    ]


async def list_pages(session: Session, dataset_id: str) -> Sequence[tuple[str, str]]:
    """Return which of the dataset's blobs were seen together on a page: their sha256, by commas.

    The page is the one that shows the image itself: what a search says of a result, or where
    a capture was taken that is no search; never the page of results. A part of a page is the page,
    and one that shows a single image says nothing.
    """
    is_page = or_(CaptureRecord.engine.is_(None), CaptureRecord.engine == ANY_PAGE)
    seen = (
        select(ImageRecord.sha256, SightingRecord.source_url.label("url"))
        .join(SightingRecord, SightingRecord.image_id == ImageRecord.id)
        .join(CaptureRecord, CaptureRecord.id == SightingRecord.capture_id)
        .where(
            SightingRecord.source_url.is_not(None),
            or_(is_page, SightingRecord.source_url.is_distinct_from(CaptureRecord.page_url)),
        )
    )
    shown = (
        select(ImageRecord.sha256, CaptureRecord.page_url)
        .join(SightingRecord, SightingRecord.image_id == ImageRecord.id)
        .join(CaptureRecord, CaptureRecord.id == SightingRecord.capture_id)
        .where(SightingRecord.source_url.is_(None), CaptureRecord.page_url.is_not(None), is_page)
    )
    sent = select(ImageRecord.sha256, ImageRecord.source_url).where(
        ImageRecord.obtained_by == ObtainedBy.UPLOAD, ImageRecord.source_url.is_not(None)
    )
    of_dataset = ImageRecord.dataset_id == dataset_id, ImageRecord.status.in_(_WITH_BYTES)
    found = union_all(*(query.where(*of_dataset) for query in (seen, shown, sent))).subquery()
    # Put together here: as rows, 100,000 sightings are some 60 MB.
    page = func.substr(found.c.url, 1, func.instr(found.c.url + "#", "#") - 1)
    rows = await session.execute(
        select(page, func.group_concat(found.c.sha256.distinct()))
        .group_by(page)
        .having(func.min(found.c.sha256) < func.max(found.c.sha256))
    )
    return [(str(url), str(digests)) for url, digests in rows]


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

"""Queries on images, the blobs they hold and the sightings of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, insert, or_, select, update

from server.db.models import (
    BlobRecord,
    CaptureRecord,
    ImageCountRecord,
    ImageRecord,
    ImageStatus,
    LabelRecord,
    ObtainedBy,
    SightingRecord,
)
from server.db.session import Session
from server.errors import ImageNotFoundError
from server.reasons import Reason
from server.repositories.obtainable import ObtainableBy, obtainable
from server.repositories.paging import Page, PageRequest, count_rows, read_page

MAX_DETAIL_CHARS = 500  # the column's width; details quote the web

# SQLite takes 32,766 variables a statement; a smaller chunk keeps statements short.
_CHUNK = 500


class ImageSort(StrEnum):
    """Which of a dataset's images comes first."""

    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True)
class ImageFilter:
    """Which images of a dataset to list, and how; None means any.

    Attributes:
        obtainable: Only rejected ones that could still be had in this way.
        q: Text that the title, an address or the sha256 holds.
        sort: In which order, by when they were first seen.
    """

    label: str | None = None
    status: str | None = None
    reason: str | None = None
    excluded: bool | None = None
    sha256: str | None = None
    obtainable: ObtainableBy | None = None
    q: str | None = None
    sort: ImageSort = ImageSort.OLDEST


async def get(session: Session, image_id: str) -> ImageRecord:
    """Return the image.

    Raises:
        ImageNotFoundError: No image has this id.
    """
    record = await session.get(ImageRecord, image_id)
    if record is None:
        raise ImageNotFoundError(image_id)
    return record


async def get_blobs(session: Session, digests: Iterable[str | None]) -> dict[str, BlobRecord]:
    """Return the blobs of these digests by digest; None is passed over."""
    wanted = [digest for digest in digests if digest is not None]
    found: dict[str, BlobRecord] = {}
    for chunk in _chunks(wanted):
        rows = await session.scalars(select(BlobRecord).where(BlobRecord.sha256.in_(chunk)))
        found |= {row.sha256: row for row in rows}
    return found


async def get_label_names(session: Session, label_ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of these labels by id."""
    wanted = {label_id for label_id in label_ids if label_id is not None}
    rows = await session.execute(
        select(LabelRecord.id, LabelRecord.name).where(LabelRecord.id.in_(wanted))
    )
    return dict(rows.all())


# What a list shows of an image. Columns and not records: a page of these takes a third of the time.
_SHOWN: Final[Any] = (
    select(
        ImageRecord.id,
        ImageRecord.dataset_id,
        LabelRecord.name.label("label"),
        ImageRecord.status,
        ImageRecord.reason,
        ImageRecord.detail,
        ImageRecord.http_status,
        ImageRecord.obtained_by,
        ImageRecord.excluded,
        ImageRecord.reviewed_at,
        ImageRecord.url,
        ImageRecord.final_url,
        ImageRecord.source_url,
        ImageRecord.thumbnail_url,
        ImageRecord.title,
        ImageRecord.declared_width,
        ImageRecord.declared_height,
        ImageRecord.license,
        ImageRecord.sha256,
        BlobRecord.bytes,
        BlobRecord.width,
        BlobRecord.height,
        BlobRecord.format,
        ImageRecord.duplicate_of,
        ImageRecord.attempts,
        ImageRecord.created_at,
        ImageRecord.settled_at,
    )
    .select_from(ImageRecord)
    .outerjoin(LabelRecord, LabelRecord.id == ImageRecord.label_id)
    .outerjoin(BlobRecord, BlobRecord.sha256 == ImageRecord.sha256)
)
_SHOWN_NAMES: Final = _SHOWN.selected_columns.keys()


def _filtered(query: Any, dataset_id: str, wanted: ImageFilter) -> Any:
    """Narrow a query on images, which joins their labels where one is wanted."""
    query = query.where(ImageRecord.dataset_id == dataset_id)
    equal = {
        LabelRecord.name: wanted.label,
        ImageRecord.status: wanted.status,
        ImageRecord.reason: wanted.reason,
        ImageRecord.excluded: wanted.excluded,
        ImageRecord.sha256: wanted.sha256,
    }
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.obtainable is not None:
        query = query.where(obtainable())
    if wanted.q:
        held = (ImageRecord.title, ImageRecord.url, ImageRecord.source_url, ImageRecord.sha256)
        query = query.where(or_(*(column.contains(wanted.q, autoescape=True) for column in held)))
    return query


async def list_page(
    session: Session, dataset_id: str, wanted: ImageFilter, request: PageRequest
) -> Page[Mapping[str, Any]]:
    """Return a page of the dataset's images in the order they were seen, or the reverse.

    Each is what is shown of it: the columns of its record, the name of its ``label`` and, where it
    has bytes, ``bytes``, ``width``, ``height`` and ``format``.
    """
    page: Page[Any] = await read_page(
        session,
        _filtered(_SHOWN, dataset_id, wanted),
        ImageRecord.id,
        request,
        newest_first=wanted.sort is ImageSort.NEWEST,
        total=await _read_total(session, dataset_id, wanted),
    )
    items = [dict(zip(_SHOWN_NAMES, row, strict=True)) for row in page.items]
    return Page(items, page.next_cursor, page.total)


async def _read_total(session: Session, dataset_id: str, wanted: ImageFilter) -> int:
    """Return how many images the list has: counted only where that is not kept."""
    if wanted.reason or wanted.sha256 or wanted.obtainable is not None or wanted.q:
        # Without the joins for what is shown: they would be made for every row that is counted.
        ids = select(ImageRecord.id)
        if wanted.label is not None:
            ids = ids.join(LabelRecord, LabelRecord.id == ImageRecord.label_id)
        return await count_rows(session, _filtered(ids, dataset_id, wanted))
    kept = ImageCountRecord
    number = {
        None: kept.number,
        True: kept.excluded_number,
        False: kept.number - kept.excluded_number,
    }[wanted.excluded]
    query = select(func.sum(number)).where(kept.dataset_id == dataset_id)
    if wanted.status is not None:
        query = query.where(kept.status == wanted.status)
    if wanted.label is not None:
        query = query.join(LabelRecord, LabelRecord.id == kept.label_id)
        query = query.where(LabelRecord.name == wanted.label)
    return await session.scalar(query) or 0


async def list_sightings(
    session: Session, image_id: str
) -> Sequence[tuple[SightingRecord, CaptureRecord]]:
    """Return where the image was seen, oldest first."""
    rows = await session.execute(
        select(SightingRecord, CaptureRecord)
        .join(CaptureRecord, CaptureRecord.id == SightingRecord.capture_id)
        .where(SightingRecord.image_id == image_id)
        .order_by(SightingRecord.id)
    )
    return [(sighting, capture) for sighting, capture in rows]


async def find_by_keys(
    session: Session, dataset_id: str, url_keys: Collection[str]
) -> dict[str, str]:
    """Return the ids of the dataset's images with these keys, by key."""
    found: dict[str, str] = {}
    for chunk in _chunks(list(url_keys)):
        rows = await session.execute(
            select(ImageRecord.url_key, ImageRecord.id).where(
                ImageRecord.dataset_id == dataset_id, ImageRecord.url_key.in_(chunk)
            )
        )
        found |= dict(rows.all())
    return found


async def requeue_rejected(session: Session, dataset_id: str, reason: Reason | None) -> int:
    """Queue the dataset's rejected images again, all or those of one reason; return how many."""
    query = update(ImageRecord).where(
        ImageRecord.dataset_id == dataset_id,
        ImageRecord.status == ImageStatus.REJECTED,
        ImageRecord.url.is_not(None),
    )
    if reason is not None:
        query = query.where(ImageRecord.reason == reason)
    cleared = dict.fromkeys(("reason", "detail", "http_status", "settled_at"))
    cleared |= {"status": ImageStatus.QUEUED, "retries": 0}
    result = await session.execute(query.values(cleared).returning(ImageRecord.id))
    return len(result.all())


async def add_blob(session: Session, blob: BlobRecord) -> None:
    """Record verified bytes; nothing happens when they are recorded already."""
    if await session.get(BlobRecord, blob.sha256) is None:
        session.add(blob)
        await session.flush()


async def list_unrecorded(session: Session, digests: Collection[str]) -> list[str]:
    """Return those of these digests that no blob is recorded under."""
    known = await get_blobs(session, digests)
    return [digest for digest in digests if digest not in known]


async def find_ready(session: Session, dataset_id: str, sha256: str) -> ImageRecord | None:
    """Return the dataset's ready image that holds this blob, if there is one."""
    return await session.scalar(
        select(ImageRecord).where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.sha256 == sha256,
            ImageRecord.status == ImageStatus.READY,
        )
    )


async def settle_verified(
    session: Session, image: ImageRecord, sha256: str, obtained_by: ObtainedBy
) -> None:
    """Give ``image`` its bytes: ready, or a duplicate of the image that had them first."""
    first = await find_ready(session, image.dataset_id, sha256)
    image.sha256 = sha256
    image.obtained_by = obtained_by
    image.status = ImageStatus.READY if first is None else ImageStatus.DUPLICATE
    image.duplicate_of = None if first is None else first.id
    image.reason = image.detail = None
    image.settled_at = datetime.now(UTC)
    await session.flush()


def settle_rejected(image: ImageRecord, reason: Reason, detail: str | None) -> None:
    """Say of ``image`` that it has no usable bytes, and why."""
    image.status = ImageStatus.REJECTED
    image.reason = reason
    image.detail = (detail or "")[:MAX_DETAIL_CHARS]
    image.settled_at = datetime.now(UTC)


async def delete_images(session: Session, image_ids: Collection[str]) -> None:
    """Delete images; a duplicate of a deleted one takes its place."""
    for chunk in _chunks(list(image_ids)):
        orphans = await session.scalars(
            select(ImageRecord)
            .where(ImageRecord.duplicate_of.in_(chunk), ImageRecord.id.not_in(image_ids))
            .order_by(ImageRecord.id)
        )
        waiting = orphans.all()
        await session.execute(delete(ImageRecord).where(ImageRecord.id.in_(chunk)))
        for orphan in waiting:
            await session.refresh(orphan)
            how = ObtainedBy(str(orphan.obtained_by))
            await settle_verified(session, orphan, str(orphan.sha256), how)


async def count_labelled(session: Session, label_id: str) -> int:
    """Return how many images carry the label."""
    query = select(func.count()).where(ImageRecord.label_id == label_id)
    return await session.scalar(query.select_from(ImageRecord)) or 0


async def move_label(session: Session, from_id: str, to_id: str) -> None:
    """Give every image and capture of one label to another."""
    for table in (ImageRecord, CaptureRecord):
        await session.execute(update(table).where(table.label_id == from_id).values(label_id=to_id))


async def label_duplicates(session: Session, image_ids: Collection[str], label_id: str) -> None:
    """Give the duplicates of these images the label."""
    for chunk in _chunks(list(image_ids)):
        await session.execute(
            update(ImageRecord).where(ImageRecord.duplicate_of.in_(chunk)).values(label_id=label_id)
        )


async def insert_images(session: Session, rows: list[dict[str, object]]) -> None:
    """Insert many images at once."""
    if rows:
        await session.execute(insert(ImageRecord), rows)


def _chunks(values: list[str]) -> Iterable[list[str]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))

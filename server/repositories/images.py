"""Queries on images, the blobs they hold and the sightings of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, func, insert, not_, select, update

from server.db.action_models import ActionChangeRecord
from server.db.models import (
    BlobRecord,
    CaptureRecord,
    ImageRecord,
    ImageStatus,
    LabelRecord,
    ObtainedBy,
    SightingRecord,
)
from server.db.session import Session
from server.errors import ImageNotFoundError
from server.reasons import Reason
from server.repositories.chunks import chunks, list_missing

MAX_DETAIL_CHARS = 500  # the column's width; details quote the web


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
    for chunk in chunks(wanted):
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
    for chunk in chunks(list(url_keys)):
        rows = await session.execute(
            select(ImageRecord.url_key, ImageRecord.id).where(
                ImageRecord.dataset_id == dataset_id, ImageRecord.url_key.in_(chunk)
            )
        )
        found |= dict(rows.all())
    return found


async def requeue_rejected(
    session: Session,
    dataset_id: str,
    reason: Reason | None,
    host: str | None,
    but: Sequence[ColumnElement[bool]] = (),
) -> int:
    """Queue the dataset's rejected images again; return how many.

    Args:
        session: To write with.
        dataset_id: Of the dataset.
        reason: Only those that were rejected for it.
        host: Only those whose address is on it, written as ``ImageRecord.host`` is.
        but: Conditions of images that stay as they are.
    """
    query = update(ImageRecord).where(
        ImageRecord.dataset_id == dataset_id,
        ImageRecord.status == ImageStatus.REJECTED,
        ImageRecord.url.is_not(None),
        *map(not_, but),
    )
    if reason is not None:
        query = query.where(ImageRecord.reason == reason)
    if host is not None:
        query = query.where(ImageRecord.host == host)
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
    return await list_missing(session, BlobRecord.sha256, digests)


async def find_ready(session: Session, dataset_id: str, sha256: str) -> ImageRecord | None:
    """Return the dataset's ready image that holds this blob, if there is one."""
    return await session.scalar(
        select(ImageRecord).where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.sha256 == sha256,
            ImageRecord.status == ImageStatus.READY,
        )
    )


async def find_used(session: Session, dataset_id: str, hashes: Collection[str]) -> dict[str, str]:
    """Return those of these hashes that are of ready images that are not excluded, with their ids.

    Args:
        session: Where to look.
        dataset_id: Of which dataset.
        hashes: A hundred at most.
    """
    rows = await session.execute(
        select(ImageRecord.sha256, ImageRecord.id).where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.sha256.in_(hashes),
            ImageRecord.status == ImageStatus.READY,
            not_(ImageRecord.excluded),
        )
    )
    return {sha256: image_id for sha256, image_id in rows if sha256 is not None}


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
    for chunk in chunks(list(image_ids)):
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
    """Give every image and capture of one label to another, and what is known of changes to it."""
    labelled = update(ImageRecord).where(ImageRecord.label_id == from_id)
    await session.execute(labelled.values(label_id=to_id, version=ImageRecord.version + 1))
    moves = (
        (CaptureRecord, CaptureRecord.label_id),
        (ActionChangeRecord, ActionChangeRecord.from_label_id),
        (ActionChangeRecord, ActionChangeRecord.to_label_id),
    )
    for table, column in moves:
        await session.execute(update(table).where(column == from_id).values({column: to_id}))


async def insert_images(session: Session, rows: list[dict[str, object]]) -> None:
    """Insert many images at once."""
    if rows:
        await session.execute(insert(ImageRecord), rows)


async def sum_blob_bytes(session: Session) -> int:
    """Return the bytes of all blobs, each counted once."""
    return (await session.scalar(select(func.coalesce(func.sum(BlobRecord.bytes), 0)))) or 0

"""Queries that take images and bytes away for good, and on what is kept of that."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, exists, func, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from server.contract.jobs import JobState
from server.db.action_models import ActionChangeRecord, ActionRecord
from server.db.models import (
    BlobRecord,
    CaptureRecord,
    DatasetRecord,
    ImageRecord,
    JobRecord,
    ModelRecord,
    SightingRecord,
    SnapshotRecord,
)
from server.db.removal_models import RemovalRecord, RemovedBlobRecord, SnapshotRemovalRecord
from server.db.session import Session
from server.errors import InvalidCursorError
from server.repositories import blobs, images
from server.repositories.chunks import chunks
from server.repositories.paging import Page, PageRequest, read_page

# A moment in microseconds since 1970, as the database keeps it, and a hash.
_CURSOR: Final = re.compile(r"(\d{1,17})\.([0-9a-f]{64})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Use:
    """How many images of a removal a snapshot holds.

    Attributes:
        gone_count: Of those, the ones whose bytes nothing else holds.
    """

    snapshot: SnapshotRecord
    image_count: int
    gone_count: int


# --- what would go --------------------------------------------------------------------------------


async def measure(session: Session, hashes: Collection[str]) -> tuple[int, int]:
    """Return how many of these blobs there are, and their bytes."""
    count = total = 0
    for chunk in chunks(list(hashes)):
        query = select(func.count(), func.sum(BlobRecord.bytes)).where(BlobRecord.sha256.in_(chunk))
        found, size = (await session.execute(query)).one()
        count, total = count + found, total + (size or 0)
    return count, total


async def describe(
    session: Session, image_counts: Mapping[str, int], uses: Sequence[Use]
) -> dict[str, Any]:
    """Return the datasets, snapshots and models that have images of a removal, as they are told.

    Args:
        session: To read with.
        image_counts: By dataset.
        uses: Of snapshots.
    """
    of_datasets = select(DatasetRecord.id, DatasetRecord.name).order_by(DatasetRecord.id)
    named = await session.execute(of_datasets.where(DatasetRecord.id.in_(image_counts)))
    counts = {use.snapshot.id: use.image_count for use in uses}
    of_models = select(ModelRecord).order_by(ModelRecord.id)
    models = await session.scalars(of_models.where(ModelRecord.snapshot_id.in_(counts)))
    return {
        "datasets": [{"id": key, "name": name, "images": image_counts[key]} for key, name in named],
        "snapshots": [
            {
                "id": use.snapshot.id,
                "dataset_id": use.snapshot.dataset_id,
                "created_at": use.snapshot.created_at.isoformat(),
                "images": use.image_count,
            }
            for use in uses
        ],
        "models": [
            {
                "id": model.id,
                "dataset_id": model.dataset_id,
                "stage": model.stage,
                "snapshot_id": model.snapshot_id,
                "images": counts[model.snapshot_id],
            }
            for model in models
        ],
    }


# --- taking away ----------------------------------------------------------------------------------


async def take_images(
    session: Session, removal: RemovalRecord, image_ids: Sequence[str], now: datetime
) -> Sequence[str]:
    """Delete images, the captures that lose their last one, and the bytes that nothing else holds.

    The removal's counts go up in the same transaction.

    Args:
        session: To write with.
        removal: Says why.
        image_ids: Some hundreds; those that are gone are passed over.
        now: The time.

    Returns:
        The hashes of bytes that no row names any more: their files are to be deleted.
    """
    there = select(ImageRecord.id, ImageRecord.sha256).where(ImageRecord.id.in_(image_ids))
    rows = (await session.execute(there)).all()
    doomed = [image_id for image_id, _ in rows]
    query = select(SightingRecord.capture_id).where(SightingRecord.image_id.in_(doomed))
    captures = set(await session.scalars(query))
    await images.delete_images(session, doomed)
    removal.image_count += len(doomed)
    await take_empty_captures(session, removal, captures)
    return await take_blobs(session, removal, {sha for _, sha in rows if sha is not None}, now)


async def take_empty_captures(
    session: Session, removal: RemovalRecord, capture_ids: Collection[str]
) -> None:
    """Delete those of these captures that have no sighting."""
    is_seen = exists().where(SightingRecord.capture_id == CaptureRecord.id)
    for chunk in chunks(list(capture_ids)):
        query = delete(CaptureRecord).where(CaptureRecord.id.in_(chunk), ~is_seen)
        gone = await session.scalars(query.returning(CaptureRecord.id))
        removal.capture_count += len(gone.all())


async def take_blobs(
    session: Session, removal: RemovalRecord, hashes: Collection[str], now: datetime
) -> Sequence[str]:
    """Delete the rows of those of these blobs that no image holds; return their hashes."""
    gone = await blobs.delete_unheld(session, hashes)
    removal.removed_bytes += sum(gone.values())
    removal.blob_count += len(gone)
    if gone:
        made = {"removal_id": removal.id, "removed_at": now}
        add = insert(RemovedBlobRecord).values([{"sha256": sha256, **made} for sha256 in gone])
        await session.execute(add.on_conflict_do_update(index_elements=["sha256"], set_=made))
    return list(gone)


async def forget_empty_actions(session: Session, dataset_ids: Collection[str]) -> None:
    """Delete the actions of these datasets of which no image is left: undoing them is nothing."""
    is_kept = exists().where(ActionChangeRecord.action_id == ActionRecord.id)
    query = delete(ActionRecord).where(ActionRecord.dataset_id.in_(dataset_ids), ~is_kept)
    await session.execute(query)


# --- what is kept of it ---------------------------------------------------------------------------


async def get(session: Session, removal_id: str) -> RemovalRecord:
    """Return a removal that is known to be there."""
    return await session.get_one(RemovalRecord, removal_id)


async def find_unfinished(
    session: Session, site: str, dataset_id: str | None
) -> RemovalRecord | None:
    """Return the removal of a site that was cut short, if there is one."""
    query = select(RemovalRecord).where(
        RemovalRecord.site == site,
        RemovalRecord.dataset_id.is_not_distinct_from(dataset_id),
        RemovalRecord.finished_at.is_(None),
    )
    return (await session.scalars(query.order_by(RemovalRecord.id).limit(1))).first()


async def list_unfinished(session: Session) -> Sequence[RemovalRecord]:
    """Return the removals that were cut short, oldest first."""
    query = select(RemovalRecord).where(RemovalRecord.finished_at.is_(None))
    return (await session.scalars(query.order_by(RemovalRecord.id))).all()


async def list_page(session: Session, request: PageRequest) -> Page[RemovalRecord]:
    """Return a page of removals, newest first."""
    query = select(RemovalRecord)
    return await read_page(session, query, RemovalRecord.id, request, newest_first=True)


async def list_gone(session: Session, removal_id: str) -> Sequence[str]:
    """Return the hashes of the bytes that a removal took, but for those that came back since."""
    is_back = exists().where(BlobRecord.sha256 == RemovedBlobRecord.sha256)
    query = select(RemovedBlobRecord.sha256).where(RemovedBlobRecord.removal_id == removal_id)
    return (await session.scalars(query.where(~is_back))).all()


async def list_blobs(
    session: Session, cursor: str | None, limit: int
) -> tuple[Sequence[RemovedBlobRecord], str | None]:
    """Return bytes that were taken, in the order in which they went, and where to go on later.

    Args:
        session: To read with.
        cursor: Where to go on; None for the first.
        limit: How many at the most.

    Raises:
        InvalidCursorError: The cursor is none of this list.
    """
    key = tuple_(RemovedBlobRecord.removed_at, RemovedBlobRecord.sha256)
    query = select(RemovedBlobRecord).order_by(*key).limit(limit)
    if cursor is not None:
        query = query.where(key > _place_of(cursor))
    records = (await session.scalars(query)).all()
    return records, _cursor_at(records[-1]) if records else cursor


def _cursor_at(record: RemovedBlobRecord) -> str:
    return f"{(record.removed_at - _EPOCH) // _MICROSECOND}.{record.sha256}"


def _place_of(cursor: str) -> tuple[datetime, str]:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InvalidCursorError(f"{cursor[:40]!r} is not a cursor of this list")
    return _EPOCH + int(match[1]) * _MICROSECOND, match[2]


async def find_latest(session: Session) -> datetime | None:
    """Return when bytes were taken last; None when none ever were."""
    return await session.scalar(select(func.max(RemovedBlobRecord.removed_at)))


async def list_gone_since(session: Session, moment: datetime) -> Sequence[str]:
    """Return the hashes of the bytes that were taken at this moment or later."""
    query = select(RemovedBlobRecord.sha256).where(RemovedBlobRecord.removed_at >= moment)
    return (await session.scalars(query)).all()


async def find_removal_of_blob(session: Session, sha256: str) -> RemovalRecord | None:
    """Return the removal that took these bytes, if one did."""
    query = select(RemovalRecord).join(
        RemovedBlobRecord, RemovedBlobRecord.removal_id == RemovalRecord.id
    )
    return await session.scalar(query.where(RemovedBlobRecord.sha256 == sha256))


async def keep_uses(session: Session, removal_id: str, uses: Sequence[Use]) -> None:
    """Keep how many images of snapshots a removal took; of two numbers, the larger stays."""
    for use in uses:
        row = {"snapshot_id": use.snapshot.id, "removal_id": removal_id}
        add = insert(SnapshotRemovalRecord).values(
            row | {"image_count": use.image_count, "gone_count": use.gone_count}
        )
        larger = {
            name: func.max(getattr(SnapshotRemovalRecord, name), getattr(add.excluded, name))
            for name in ("image_count", "gone_count")
        }
        await session.execute(add.on_conflict_do_update(index_elements=list(row), set_=larger))


async def settle_uses(session: Session, removal_id: str, uses: Sequence[Use]) -> None:
    """Keep of a removal that is through what it took after all: some bytes may have stayed.

    Others may have come to hold them between the plan and the taking.
    """
    kept = SnapshotRemovalRecord
    planned = update(kept).where(kept.removal_id == removal_id).values(gone_count=0)
    await session.execute(planned.execution_options(synchronize_session=False))
    await keep_uses(session, removal_id, uses)


async def count_gone(session: Session, snapshot_ids: Collection[str]) -> dict[str, int]:
    """Return how many images of these snapshots are gone, by snapshot; others are left out."""
    kept = SnapshotRemovalRecord
    query = (
        select(kept.snapshot_id, func.sum(kept.gone_count))
        .where(kept.snapshot_id.in_(snapshot_ids), kept.gone_count > 0)
        .group_by(kept.snapshot_id)
    )
    return dict((await session.execute(query)).all())


async def list_removals_of(session: Session, snapshot_id: str) -> Sequence[RemovalRecord]:
    """Return the removals that took bytes of a snapshot, oldest first."""
    kept = SnapshotRemovalRecord
    query = (
        select(RemovalRecord)
        .join(kept, kept.removal_id == RemovalRecord.id)
        .where(kept.snapshot_id == snapshot_id, kept.gone_count > 0)
        .order_by(RemovalRecord.id)
    )
    return (await session.scalars(query)).all()


async def fail_jobs(session: Session, snapshot_ids: Collection[str], now: datetime) -> None:
    """End the jobs on snapshots that are no longer whole, queued or running."""
    detail = "images of its snapshot were removed; take a new snapshot"
    values: dict[str, Any] = {
        "state": JobState.FAILED,
        "error": {"kind": "images-removed", "detail": detail},
        "lease_until": None,
        "finished_at": now,
    }
    open_states = (JobState.QUEUED, JobState.RUNNING)
    query = update(JobRecord).where(
        JobRecord.snapshot_id.in_(snapshot_ids), JobRecord.state.in_(open_states)
    )
    await session.execute(query.values(values))

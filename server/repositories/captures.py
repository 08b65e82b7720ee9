"""Queries on captures and the sightings they made."""

from __future__ import annotations

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import aliased

from server.db.models import CaptureRecord, SightingRecord
from server.db.session import Session
from server.errors import CaptureNotFoundError
from server.repositories.paging import Page, PageRequest, read_page


async def get(session: Session, capture_id: str) -> CaptureRecord:
    """Return the capture.

    Raises:
        CaptureNotFoundError: No capture has this id.
    """
    record = await session.get(CaptureRecord, capture_id)
    if record is None:
        raise CaptureNotFoundError(capture_id)
    return record


async def find_by_key(session: Session, dataset_id: str, capture_key: str) -> CaptureRecord | None:
    """Return the dataset's capture with this key, if it was received before."""
    return await session.scalar(
        select(CaptureRecord).where(
            CaptureRecord.dataset_id == dataset_id, CaptureRecord.capture_key == capture_key
        )
    )


async def list_page(session: Session, dataset_id: str, request: PageRequest) -> Page[CaptureRecord]:
    """Return a page of the dataset's captures, newest first."""
    query = select(CaptureRecord).where(CaptureRecord.dataset_id == dataset_id)
    return await read_page(session, query, CaptureRecord.id, request, newest_first=True)


async def insert_sightings(session: Session, rows: list[dict[str, object]]) -> None:
    """Insert many sightings at once."""
    if rows:
        await session.execute(insert(SightingRecord), rows)


async def list_images_only_seen_in(session: Session, capture_id: str) -> list[str]:
    """Return the ids of the images that no other capture saw."""
    other = aliased(SightingRecord)
    elsewhere = exists().where(
        other.image_id == SightingRecord.image_id, other.capture_id != capture_id
    )
    rows = await session.scalars(
        select(SightingRecord.image_id).where(SightingRecord.capture_id == capture_id, ~elsewhere)
    )
    return list(rows)

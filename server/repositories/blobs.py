"""Queries on which bytes are held by images, and which by none."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, exists, select

from server.db.models import BlobRecord, ImageRecord
from server.db.session import Session
from server.repositories.chunks import chunks


async def list_unheld(session: Session, after: str, most: int) -> Sequence[str]:
    """Return the hashes of bytes that no image holds, in their order.

    Args:
        session: To read with.
        after: Only what comes after this one; empty for all.
        most: How many at the most.
    """
    is_held = exists().where(ImageRecord.sha256 == BlobRecord.sha256)
    query = select(BlobRecord.sha256).where(BlobRecord.sha256 > after, ~is_held)
    return (await session.scalars(query.order_by(BlobRecord.sha256).limit(most))).all()


async def find_last_held(
    session: Session, hashes: Collection[str], image_ids: Collection[str]
) -> set[str]:
    """Return the bytes that no image but these holds.

    Args:
        session: To read with.
        hashes: Of the bytes.
        image_ids: To be looked up by, so a set.
    """
    last = set(hashes)
    for chunk in chunks(list(hashes)):
        query = select(ImageRecord.sha256, ImageRecord.id).where(ImageRecord.sha256.in_(chunk))
        for sha256, image_id in await session.execute(query):
            if image_id not in image_ids:
                last.discard(str(sha256))
    return last


async def delete_unheld(session: Session, hashes: Collection[str]) -> dict[str, int]:
    """Delete the rows of those of these blobs that no image holds; return their bytes, by hash."""
    free = await find_last_held(session, hashes, ())
    gone: dict[str, int] = {}
    for chunk in chunks(list(free)):
        query = delete(BlobRecord).where(BlobRecord.sha256.in_(chunk))
        rows = await session.execute(query.returning(BlobRecord.sha256, BlobRecord.bytes))
        gone |= dict(rows.all())
    return gone

"""Queries on links for others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update

from server.db.link_models import PublicLinkRecord
from server.db.session import Session
from server.errors import LinkNotFoundError


async def find_by_digest(session: Session, sha256: str) -> PublicLinkRecord | None:
    """Return the link whose secret has this hash, if there is one."""
    query = select(PublicLinkRecord).where(PublicLinkRecord.sha256 == sha256)
    return await session.scalar(query)


async def list_all(session: Session, dataset_id: str) -> Sequence[PublicLinkRecord]:
    """Return a dataset's links, newest first."""
    query = select(PublicLinkRecord).where(PublicLinkRecord.dataset_id == dataset_id)
    return (await session.scalars(query.order_by(PublicLinkRecord.id.desc()))).all()


async def count(session: Session, dataset_id: str) -> int:
    """Return how many links a dataset has, expired ones included."""
    query = select(func.count()).where(PublicLinkRecord.dataset_id == dataset_id)
    return await session.scalar(query) or 0


async def delete_one(session: Session, dataset_id: str, link_id: str) -> None:
    """Delete a dataset's link.

    Raises:
        LinkNotFoundError: The dataset has no link with this id.
    """
    record = await session.get(PublicLinkRecord, link_id)
    if record is None or record.dataset_id != dataset_id:
        raise LinkNotFoundError(link_id)
    await session.delete(record)


async def add_uses(session: Session, link_id: str, number: int, now: datetime) -> None:
    """Count answers of a link; one that is gone is passed over."""
    query = update(PublicLinkRecord).where(PublicLinkRecord.id == link_id)
    total = PublicLinkRecord.answer_count + number
    await session.execute(query.values(answer_count=total, last_used_at=now))

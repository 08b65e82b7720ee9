"""Queries on feedback."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from server.db.feedback_models import FeedbackRecord, FeedbackState
from server.db.removal_models import RemovedBlobRecord
from server.db.session import Session
from server.errors import FeedbackNotFoundError
from server.repositories import sites
from server.repositories.chunks import chunks
from server.repositories.paging import Page, PageRequest, read_page

_BATCH = 500  # rows of one statement


@dataclass(frozen=True)
class FeedbackFilter:
    """Which feedback is asked for; None asks for all."""

    state: FeedbackState | None = None
    is_right: bool | None = None


@dataclass(frozen=True)
class Held:
    """What an inbox holds: feedback that waits for a person, and bytes of pictures."""

    waiting_count: int
    bytes: int


async def get(session: Session, feedback_id: str) -> FeedbackRecord:
    """Return the feedback.

    Raises:
        FeedbackNotFoundError: None has this id.
    """
    record = await session.get(FeedbackRecord, feedback_id)
    if record is None:
        raise FeedbackNotFoundError(feedback_id)
    return record


async def find(session: Session, client: str, model_id: str, sha256: str) -> FeedbackRecord | None:
    """Return what a client said of a model's answer to a picture, if it did."""
    return await session.scalar(
        select(FeedbackRecord).where(
            FeedbackRecord.client == client,
            FeedbackRecord.model_id == model_id,
            FeedbackRecord.sha256 == sha256,
        )
    )


async def list_page(
    session: Session, dataset_id: str, wanted: FeedbackFilter, request: PageRequest
) -> Page[FeedbackRecord]:
    """Return a page of a dataset's feedback, newest first."""
    query = select(FeedbackRecord).where(FeedbackRecord.dataset_id == dataset_id)
    if wanted.state is not None:
        query = query.where(FeedbackRecord.state == wanted.state)
    if wanted.is_right is not None:
        query = query.where(FeedbackRecord.is_right == wanted.is_right)
    return await read_page(session, query, FeedbackRecord.id, request, newest_first=True)


async def measure(session: Session) -> Held:
    """Return what is held, of all datasets."""
    waiting = select(func.count()).where(FeedbackRecord.state == FeedbackState.NEW)
    # A picture that several said something of is one file; at most it is counted too often.
    size = select(func.coalesce(func.sum(FeedbackRecord.bytes), 0))
    return Held(await session.scalar(waiting) or 0, await session.scalar(size) or 0)


async def count_by_verdict(session: Session, model_id: str, since: datetime) -> tuple[int, int]:
    """Return how many of a model's answers were called right since then, and how many wrong."""
    rows = await session.execute(
        select(FeedbackRecord.is_right, func.count())
        .where(FeedbackRecord.model_id == model_id, FeedbackRecord.created_at >= since)
        .group_by(FeedbackRecord.is_right)
    )
    counts = {bool(is_right): int(number) for is_right, number in rows}
    return counts.get(True, 0), counts.get(False, 0)


async def delete_surplus(session: Session, decided_before: datetime) -> int:
    """Delete some of what was decided long ago, and of what a removal took: its bytes or its site.

    Returns:
        How many went, at most a batch of each kind: to be called until none does.
    """
    old = select(FeedbackRecord.id).where(FeedbackRecord.decided_at < decided_before)
    removed = select(FeedbackRecord.id).join(
        RemovedBlobRecord, RemovedBlobRecord.sha256 == FeedbackRecord.sha256
    )
    doomed = set(await session.scalars(old.limit(_BATCH)))
    doomed |= set(await session.scalars(removed.limit(_BATCH)))
    doomed |= set((await _list_blocked(session))[:_BATCH])
    for feedback_id in doomed:
        await session.execute(delete(FeedbackRecord).where(FeedbackRecord.id == feedback_id))
    return len(doomed)


async def _list_blocked(session: Session) -> list[str]:
    """Return the ids of what is from sites that are kept out; their number is an inbox's."""
    blocked = await sites.read_blocked(session)
    rows = await session.execute(
        select(FeedbackRecord.id, FeedbackRecord.source_url).where(
            FeedbackRecord.source_url.is_not(None), FeedbackRecord.image_id.is_(None)
        )
    )
    return [each_id for each_id, url in rows if blocked.find_by_address(url) is not None]


async def list_unnamed(session: Session, hashes: Collection[str]) -> list[str]:
    """Return those of these hashes that no feedback with a picture is of."""
    named: set[str] = set()
    for chunk in chunks(list(hashes)):
        of_these = select(FeedbackRecord.sha256).where(
            FeedbackRecord.sha256.in_(chunk), FeedbackRecord.bytes.is_not(None)
        )
        named |= set(await session.scalars(of_these))
    return [sha256 for sha256 in hashes if sha256 not in named]

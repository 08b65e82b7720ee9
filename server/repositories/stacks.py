"""Queries on images that are the same, or look it: groups of look-alikes, and contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased

from server.db.models import BlobRecord, ImageRecord, ImageStatus
from server.db.session import Session
from server.errors import InvalidCursorError
from server.repositories import listing
from server.repositories.paging import Page, PageRequest
from server.repositories.picking import by_bytes

MOST_SHOWN: Final = 20  # images of one stack: a burst of photos; a logo may have hundreds
_SHA256_CHARS: Final = 64


@dataclass(frozen=True)
class Stack:
    """Images that belong together.

    Attributes:
        key: What they share: their group of look-alikes, or the sha256 of their bytes.
        image_count: All of them.
        images: What is shown of the first ones.
    """

    key: str
    image_count: int
    images: Sequence[dict[str, Any]]


async def list_stacks(session: Session, dataset_id: str, request: PageRequest) -> Page[Stack]:
    """Return a page of the groups of look-alikes with two ready images or more, the best first."""
    # A group has the name of its first blob, so each with two has one that is called otherwise:
    # few are left to be grouped, and the first of each is looked up.
    first = aliased(ImageRecord)
    of_first = (
        select(func.count())
        .where(
            first.dataset_id == dataset_id,
            first.sha256 == BlobRecord.near_group,
            first.status == text("'ready'"),
        )
        .scalar_subquery()
    )
    number = func.count() + of_first
    groups = (
        by_bytes(select(BlobRecord.near_group.label("key"), number.label("number")))
        .where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.status == ImageStatus.READY,
            BlobRecord.near_group != ImageRecord.sha256,
        )
        .group_by(BlobRecord.near_group)
        .having(number > 1)
    )
    keys, next_cursor, total = await _read_keys(session, groups, request)
    found = await listing.list_stacks(session, dataset_id, list(keys), MOST_SHOWN)
    stacks = [Stack(key, number, found.get(key, [])) for key, number in keys.items()]
    return Page(stacks, next_cursor, total)


async def list_conflicts(session: Session, dataset_id: str, request: PageRequest) -> Page[Stack]:
    """Return a page of the blobs that stand under two labels of the dataset, or more.

    Without images that are excluded.
    """
    copy, other = aliased(ImageRecord), aliased(ImageRecord)
    blobs = (
        # Every pair has a duplicate in it, and of those there are few.
        select(copy.sha256.label("key"), func.count(other.id.distinct()).label("number"))
        .join(other, (other.dataset_id == copy.dataset_id) & (other.sha256 == copy.sha256))
        .where(
            copy.dataset_id == dataset_id,
            copy.status == ImageStatus.DUPLICATE,
            copy.excluded.is_(False),
            other.excluded.is_(False),
            copy.label_id != other.label_id,
        )
        .group_by(copy.sha256)
    )
    keys, next_cursor, total = await _read_keys(session, blobs, request)
    found = await listing.list_holders(session, dataset_id, list(keys), MOST_SHOWN)
    stacks = [Stack(key, len(found.get(key, [])), found.get(key, [])) for key in keys]
    return Page(stacks, next_cursor, total)


async def _read_keys(
    session: Session, groups: Any, request: PageRequest
) -> tuple[dict[str, int], str | None, int]:
    """Return the keys of a page with their numbers, the next cursor, and how many there are."""
    cursor = request.cursor
    if cursor is not None and (len(cursor) != _SHA256_CHARS or not cursor.isalnum()):
        raise InvalidCursorError(f"{cursor[:40]!r} is not a cursor of this list")
    rows = (await session.execute(groups.order_by("key"))).all()  # two short columns of each
    beyond = [row for row in rows if cursor is None or row.key > cursor]
    shown = beyond[: request.limit]
    next_cursor = shown[-1].key if len(beyond) > request.limit else None
    return {row.key: row.number for row in shown}, next_cursor, len(rows)

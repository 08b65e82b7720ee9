"""Pages by key: a cursor is the last id that was shown.

Offsets would show a row twice when one is added above; ids that sort by time do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from server.db.session import Session
from server.errors import InvalidCursorError

Row = TypeVar("Row")
ULID_LENGTH = 26


@dataclass(frozen=True)
class PageRequest:
    """What a caller asks of a list.

    Attributes:
        cursor: Where the former page ended, or None for the first.
        limit: Rows at the most.
        skip: How many rows to leave out before the first; only where a list says so, and not
            beside a cursor. A row that is added above moves the others on.
    """

    cursor: str | None = None
    limit: int = 100
    skip: int = 0


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A part of a list.

    Attributes:
        items: The rows.
        next_cursor: Hand it in for the next page; None at the end.
        total: Rows in the whole list.
    """

    items: Sequence[Row]
    next_cursor: str | None
    total: int


async def count_rows(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    """Return how many rows the query has; it takes as long as they are many."""
    return await session.scalar(select(func.count()).select_from(query.subquery())) or 0


async def read_page(
    session: Session,
    query: Select[Row],
    key: InstrumentedAttribute[str],
    request: PageRequest,
    *,
    newest_first: bool = False,
    total: int | None = None,
) -> Page[Row]:
    """Return one page of ``query``, ordered by ``key``.

    Args:
        session: Where to read.
        query: Selects one entity, or columns with the key among them, without order or limit.
        key: The id column.
        request: Cursor and limit.
        newest_first: Order descending.
        total: Rows of the query, if known; None has them counted.

    Raises:
        InvalidCursorError: The cursor is not an id.
    """
    if total is None:
        total = await count_rows(session, query)
    if request.cursor is not None:
        if len(request.cursor) != ULID_LENGTH or not request.cursor.isalnum():
            raise InvalidCursorError(f"{request.cursor[:40]!r} is not a cursor of this list")
        query = query.where(key < request.cursor if newest_first else key > request.cursor)
    query = query.order_by(key.desc() if newest_first else key).limit(request.limit + 1)
    found = await session.execute(query)
    is_entity = len(query.column_descriptions) == 1
    rows: list[Any] = list(found.scalars() if is_entity else found)
    more = len(rows) > request.limit
    rows = rows[: request.limit]
    return Page(rows, getattr(rows[-1], key.key) if more else None, total)

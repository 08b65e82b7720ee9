"""Long lists of values in statements of a bounded length."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from server.db.session import Session

# SQLite takes 32,766 variables a statement; a smaller chunk keeps statements short.
_CHUNK = 500


def chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    """Return values in parts that are short enough for one statement."""
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


async def list_missing(
    session: Session, column: InstrumentedAttribute[str], values: Collection[str]
) -> list[str]:
    """Return those of these values that no row has in this column, in their order."""
    present: set[str] = set()
    for chunk in chunks(list(values)):
        present |= set(await session.scalars(select(column).where(column.in_(chunk))))
    return [value for value in values if value not in present]

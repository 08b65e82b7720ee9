"""Ids: ULIDs, which sort by the time they were made.

Imports nothing of the project.
"""

from __future__ import annotations

from ulid import ULID


def new_id() -> str:
    """Return a new ULID, 26 characters."""
    return str(ULID())


def new_ids(count: int) -> list[str]:
    """Return ``count`` new ULIDs in ascending order: a page's order is kept in a list's order.

    ULIDs of one millisecond are else in random order. The random part of the first is counted up;
    it overflows for one in 2**60 batches of a thousand, and then only loses its order.
    """
    first = int(ULID())
    return [str(ULID.from_int(first + offset)) for offset in range(count)]


def new_id_after(last: str | None) -> str:
    """Return a new ULID above ``last``, whatever the clock says."""
    made = ULID()
    return str(made if last is None else max(made, ULID.from_int(int(ULID.from_str(last)) + 1)))

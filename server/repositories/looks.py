"""Queries on how blobs look: their hashes, and the groups of those that look alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

from server.db.models import BlobRecord
from server.db.session import Session


@dataclass(frozen=True)
class LookRow:
    """How a blob looks, as the database has it.

    Attributes:
        dhash: Signed, as SQL has it.
        phash: Likewise; None when it is not known yet.
        near_group: None when it is in no group yet.
    """

    sha256: str
    dhash: int
    phash: int | None
    near_group: str | None


async def list_grouped(session: Session, after: str, most: int) -> Sequence[LookRow]:
    """Return up to ``most`` blobs that are in a group, by sha256 from behind ``after``."""
    query = _rows().where(BlobRecord.near_group.is_not(None), BlobRecord.sha256 > after)
    rows = await session.execute(query.order_by(BlobRecord.sha256).limit(most))
    return [LookRow(*row) for row in rows]


async def list_ungrouped(session: Session, most: int) -> Sequence[LookRow]:
    """Return up to ``most`` blobs that are in no group, oldest first."""
    query = _rows().where(BlobRecord.near_group.is_(None))
    rows = await session.execute(query.order_by(BlobRecord.created_at).limit(most))
    return [LookRow(*row) for row in rows]


def _rows() -> Any:  # a Select of four columns, whose type no reader is helped by
    return select(BlobRecord.sha256, BlobRecord.dhash, BlobRecord.phash, BlobRecord.near_group)


async def describe(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set columns of many blobs.

    Args:
        session: To write with.
        rows: Of each, ``sha256`` and the new values; the same columns in all of them.
    """
    if not rows:
        return
    table = BlobRecord.__table__
    columns = [name for name in rows[0] if name != "sha256"]
    connection = await session.connection()
    await connection.execute(
        update(table)  # type: ignore[arg-type] # a Table, which the class's attribute does not say
        .where(table.c.sha256 == bindparam("b_sha256"))
        .values({name: bindparam(f"b_{name}") for name in columns}),
        [{f"b_{name}": value for name, value in row.items()} for row in rows],
    )

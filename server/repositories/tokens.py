"""Queries on tokens."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update

from server.db.session import Session
from server.db.token_models import TokenRecord
from server.errors import TokenNotFoundError


async def find_by_digest(session: Session, sha256: str) -> TokenRecord | None:
    """Return the token with this hash, if it is known."""
    return await session.scalar(select(TokenRecord).where(TokenRecord.sha256 == sha256))


async def list_all(session: Session, kinds: Collection[str]) -> Sequence[TokenRecord]:
    """Return the tokens of these kinds, oldest first."""
    query = select(TokenRecord).where(TokenRecord.kind.in_(kinds)).order_by(TokenRecord.id)
    return (await session.scalars(query)).all()


async def delete_one(session: Session, token_id: str) -> TokenRecord:
    """Delete the token and return what it was.

    Raises:
        TokenNotFoundError: No token has this id.
    """
    record = await session.get(TokenRecord, token_id)
    if record is None:
        raise TokenNotFoundError(token_id)
    await session.delete(record)
    return record


async def delete_named(session: Session, kind: str, name: str) -> None:
    """Delete the tokens of a kind that have this name."""
    await session.execute(
        delete(TokenRecord).where(TokenRecord.kind == kind, TokenRecord.name == name)
    )


async def touch(session: Session, token_id: str, now: datetime) -> bool:
    """Record that the token was used; return whether it is still there."""
    query = update(TokenRecord).where(TokenRecord.id == token_id).values(last_used_at=now)
    return (await session.scalar(query.returning(TokenRecord.id))) is not None


async def delete_unused(session: Session, kind: str, before: datetime) -> None:
    """Delete the tokens of a kind that were not used since ``before``."""
    used_at = func.coalesce(TokenRecord.last_used_at, TokenRecord.created_at)
    await session.execute(delete(TokenRecord).where(TokenRecord.kind == kind, used_at < before))

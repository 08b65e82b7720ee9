"""Use cases of access: tokens, and who a request comes from."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from server.contract.files import write_atomically
from server.db.ids import new_id
from server.db.session import Database
from server.db.token_models import TokenRecord
from server.errors import UnauthenticatedError
from server.repositories import tokens

TOKEN_PREFIX = "bb_"  # noqa: S105 - tells a person, and a leak scanner, what the string is
TOUCH_EVERY = timedelta(minutes=5)  # "last used" need not be exact; a write per request would cost
SESSION_LIFE = timedelta(days=90)  # of a browser on one's own machine; also its cookie's
MAX_CACHED = 1000  # tokens of one person; more is an attack or a mistake, and only costs a query


class TokenKind(StrEnum):
    """Who holds a token."""

    OWNER = "owner"
    WEB = "web"
    EXTENSION = "extension"
    TRAINER = "trainer"
    API = "api"


# Shown to the person, and theirs to revoke. The others come and go with the server.
LISTED = (TokenKind.EXTENSION, TokenKind.API, TokenKind.WEB)


@dataclass(frozen=True)
class Caller:
    """Who a request comes from."""

    token_id: str
    name: str
    kind: TokenKind


@dataclass
class _Cached:
    caller: Caller
    touched_at: datetime


class AccessService:
    """Makes, checks and revokes tokens."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._clock = clock
        self._cache: dict[str, _Cached] = {}
        self._origins: frozenset[str] = frozenset()

    async def load_origins(self) -> None:
        """Read which extensions are paired; `is_paired` answers from memory."""
        async with self._database.read() as session:
            paired = await tokens.list_all(session, [TokenKind.EXTENSION])
        self._origins = frozenset(token.origin for token in paired if token.origin)

    def is_paired(self, origin: str) -> bool:
        """Return whether an extension of this origin is paired."""
        return origin in self._origins

    async def create(
        self, name: str, kind: TokenKind, origin: str | None = None
    ) -> tuple[str, TokenRecord]:
        """Make a token; return its text, which is kept nowhere, and its row."""
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        record = TokenRecord(
            id=new_id(),
            name=name,
            kind=kind,
            sha256=_digest(text),
            origin=origin,
            created_at=self._clock(),
        )
        async with self._database.write() as session:
            session.add(record)
        if origin is not None:
            await self.load_origins()
        return text, record

    async def replace(self, name: str, kind: TokenKind) -> str:
        """Make the only token of its kind and name; former ones stop working."""
        async with self._database.write() as session:
            await tokens.delete_named(session, kind, name)
        self._cache.clear()
        text, _ = await self.create(name, kind)
        return text

    async def leave(self, path: Path, name: str, kind: TokenKind) -> None:
        """Make sure that a token lies in a file, which its owner alone can read.

        Args:
            path: The file; one with a token that works stays as it is.
            name: What the token is for.
            kind: Of the token.

        Raises:
            OSError: The file cannot be read or written.
        """
        try:
            await self.check((await asyncio.to_thread(path.read_text)).strip())
            await asyncio.to_thread(path.chmod, 0o600)  # a copy or a backup may have opened it
        except (FileNotFoundError, UnauthenticatedError):
            text = await self.replace(name, kind)
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            await asyncio.to_thread(write_atomically, path, f"{text}\n".encode())

    async def check(self, text: str) -> Caller:
        """Return who holds the token.

        Raises:
            UnauthenticatedError: Nobody does.
        """
        digest = _digest(text)
        now = self._clock()
        cached = self._cache.get(digest)
        if cached is None:
            async with self._database.read() as session:
                record = await tokens.find_by_digest(session, digest)
            if record is None:
                raise UnauthenticatedError("the token is not known (any more)")
            caller = Caller(record.id, record.name, TokenKind(record.kind))
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            cached = _Cached(caller, now - TOUCH_EVERY)
            self._cache[digest] = cached
        if now - cached.touched_at >= TOUCH_EVERY:
            cached.touched_at = now
            async with self._database.write() as session:
                is_known = await tokens.touch(session, cached.caller.token_id, now)
            if not is_known:  # revoked by another process, or between our two looks
                self._cache.pop(digest, None)
                raise UnauthenticatedError("the token is not known (any more)")
        return cached.caller

    async def forget_old_sessions(self) -> None:
        """Delete the sessions of browsers that have not been back for a quarter."""
        async with self._database.write() as session:
            await tokens.delete_unused(session, TokenKind.WEB, self._clock() - SESSION_LIFE)

    async def list_all(self) -> Sequence[TokenRecord]:
        """Return the tokens that are the person's to revoke, oldest first."""
        async with self._database.read() as session:
            return await tokens.list_all(session, LISTED)

    async def revoke(self, token_id: str) -> None:
        """Delete the token; requests with it are refused from now on.

        Raises:
            TokenNotFoundError: No token has this id.
        """
        async with self._database.write() as session:
            await tokens.delete_one(session, token_id)
        self._cache.clear()
        await self.load_origins()


def _digest(text: str) -> str:
    # A fast hash is right here: the token has 256 random bits, there is nothing to guess.
    return hashlib.sha256(text.encode()).hexdigest()

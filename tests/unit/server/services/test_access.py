"""Tokens: what is remembered of them, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from server.db.session import Database
from server.errors import UnauthenticatedError
from server.services.access import MAX_CACHED, SESSION_LIFE, AccessService, TokenKind
from tests.support.app import Clock


@pytest.fixture
async def database(data_folder: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{data_folder / 'bowerbird.db'}")
    yield database
    await database.close()


async def test_the_last_use_is_written_now_and_then_and_not_each_time(database: Database):
    clock = Clock()
    access = AccessService(database, clock)
    text, record = await access.create("note", TokenKind.API)

    async def last_used():
        return (await access.list_all())[0].last_used_at

    assert await last_used() is None
    first = clock.now
    assert (await access.check(text)).token_id == record.id
    assert await last_used() == first
    clock.advance(minutes=4)
    await access.check(text)
    assert await last_used() == first
    clock.advance(minutes=1)
    await access.check(text)
    assert await last_used() == clock.now


async def test_a_token_that_another_process_revoked_ends_within_minutes(database: Database):
    clock = Clock()
    access, elsewhere = AccessService(database, clock), AccessService(database, clock)
    text, record = await access.create("note", TokenKind.API)
    await access.check(text)
    await elsewhere.revoke(record.id)
    clock.advance(minutes=5)
    for _ in range(2):
        with pytest.raises(UnauthenticatedError):
            await access.check(text)


async def test_a_kind_that_there_is_once_is_replaced(database: Database):
    access = AccessService(database, Clock())
    former = await access.replace("owner", TokenKind.OWNER)
    other, _ = await access.create("api", TokenKind.API)
    await access.check(former)
    new = await access.replace("owner", TokenKind.OWNER)
    with pytest.raises(UnauthenticatedError):
        await access.check(former)
    assert (await access.check(new)).kind is TokenKind.OWNER
    await access.check(other)


async def test_sessions_of_browsers_that_stay_away_are_forgotten(database: Database):
    clock = Clock()
    access = AccessService(database, clock)
    away, _ = await access.create("web pages", TokenKind.WEB)
    back, _ = await access.create("web pages", TokenKind.WEB)
    api, _ = await access.create("api", TokenKind.API)
    clock.advance(days=60)
    await access.check(back)
    clock.now += SESSION_LIFE - timedelta(days=50)
    await access.forget_old_sessions()
    fresh = AccessService(database, clock)
    await fresh.check(back)
    await fresh.check(api)
    with pytest.raises(UnauthenticatedError):
        await fresh.check(away)


async def test_what_is_remembered_is_bounded(database: Database, monkeypatch):
    access = AccessService(database, Clock())
    texts = [(await access.create("x", TokenKind.API))[0] for _ in range(4)]
    monkeypatch.setattr("server.services.access.MAX_CACHED", 3)
    for text in texts:
        await access.check(text)
    assert len(access._cache) == 1
    assert MAX_CACHED > 100

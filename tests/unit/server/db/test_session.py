"""Sessions: one state to a reader, one writer at a time, all or nothing."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, literal_column, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.sql.compiler import SQLCompiler

from server.db.ids import new_id, new_ids
from server.db.models import DatasetRecord, LabelRecord
from server.db.session import Database, DatabaseFailedError
from tests.support.app import running

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def path(data_folder: Path) -> Path:
    return data_folder / "bowerbird.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{path}")
    yield database
    await database.close()


def dataset(name: str, created_at: datetime = NOW) -> DatasetRecord:
    return DatasetRecord(id=new_id(), name=name, description="", created_at=created_at)


async def count(session) -> int:
    return int(await session.scalar(select(func.count()).select_from(DatasetRecord)))


async def test_what_is_written_is_committed_at_the_end(database: Database):
    async with database.write() as session:
        session.add(dataset("a"))
        async with database.read() as reader:
            assert await count(reader) == 0
    async with database.read() as reader:
        assert await count(reader) == 1


async def test_an_error_takes_back_all(database: Database):
    async def stumble() -> None:
        async with database.write() as session:
            session.add(dataset("a"))
            await session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        await stumble()
    async with database.read() as reader:
        assert await count(reader) == 0


async def test_a_cancelled_writer_takes_back_all_and_frees_the_lock(database: Database):
    entered = asyncio.Event()

    async def write() -> None:
        async with database.write() as session:
            session.add(dataset("a"))
            await session.flush()
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(2), database.write() as session:
        assert await count(session) == 0
        session.add(dataset("b"))


async def test_a_reader_sees_one_state_and_keeps_nothing(database: Database):
    async with database.read() as reader:
        assert await count(reader) == 0
        async with database.write() as session:
            session.add(dataset("a"))
        assert await count(reader) == 0, "the state it began with"
        reader.add(dataset("b"))
    async with database.read() as reader:
        assert list(await reader.scalars(select(DatasetRecord.name))) == ["a"]


async def test_a_writer_holds_the_file_from_its_first_statement(database: Database, path: Path):
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        async with database.write() as session:
            await count(session)  # a read alone: a deferred transaction would take no lock
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    finally:
        other.close()


async def test_a_lock_that_lasts_is_a_failure_of_the_database(path: Path, monkeypatch):
    monkeypatch.setattr("server.db.session._PRAGMAS", ("PRAGMA busy_timeout=50",))
    database = Database(f"sqlite+aiosqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(DatabaseFailedError, match="locked"):
            async with database.write() as session:
                session.add(dataset("a"))
    finally:
        other.close()
        await database.close()


async def test_many_writers_wait_their_turn(database: Database):
    async def add(n: int) -> None:
        async with database.write() as session:
            number = await count(session)
            await asyncio.sleep(0)
            session.add(dataset(f"{n} after {number}"))

    await asyncio.gather(*(add(n) for n in range(20)))
    async with database.read() as reader:
        names = await reader.scalars(select(DatasetRecord.name))
        assert sorted(int(name.split()[-1]) for name in names) == list(range(20))


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", 10000)],
)
async def test_every_connection_is_set_up(database: Database, pragma, value):
    async with database.read() as one, database.read() as two:
        for session in (one, two):
            assert await session.scalar(text(f"PRAGMA {pragma}")) == value


async def test_a_foreign_key_must_lead_somewhere(database: Database):
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(LabelRecord(id=new_id(), dataset_id="x", name="a", created_at=NOW))


async def test_times_are_utc_and_must_have_a_zone(database: Database):
    east = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=2)))
    async with database.write() as session:
        session.add(dataset("a", east))
    async with database.read() as reader:
        (kept,) = await reader.scalars(select(DatasetRecord.created_at))
    assert kept == NOW
    assert kept.tzinfo is UTC
    with pytest.raises(StatementError, match="zone"):
        async with database.write() as session:
            session.add(dataset("b", NOW.replace(tzinfo=None)))


def test_ids_of_a_batch_ascend():
    ids = new_ids(1000)
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert new_ids(0) == []
    assert len(new_id()) == 26


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts /proc/self/fd")
async def test_starting_and_stopping_leaves_nothing_open(data_folder: Path):
    async def once() -> None:
        async with running(data_folder) as bird:
            assert (await bird.get("/server")).status_code == 200

    def held() -> tuple[int, int, int]:
        gc.collect()
        return (
            len(list(Path("/proc/self/fd").iterdir())),
            # Not those of the event loop itself, which lives on with the test.
            sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate()),
            len(asyncio.all_tasks()),
        )

    await once()
    before = held()
    for _ in range(20):
        await once()
    assert held() == before


async def test_of_many_kinds_of_queries_few_are_kept(database: Database):
    def count_made() -> int:
        gc.collect()
        return sum(issubclass(type(each), SQLCompiler) for each in gc.get_objects())

    before = count_made()
    async with database.read() as session:
        for number in range(300):
            await session.execute(select(literal_column(str(number))))
    assert 0 < count_made() - before < 200

"""The driver: few turns of a connection's thread, and the same answers as by many."""

from __future__ import annotations

import _sqlite3
import asyncio
import ctypes
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from server.db import driver
from server.db.session import Database, DatabaseFailedError

CREATE = "CREATE TABLE birds (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"


@pytest.fixture
async def connection(data_folder: Path) -> AsyncIterator[driver.Connection]:
    connection = await driver.connector(f"sqlite+aiosqlite:///{data_folder / 'birds.db'}")()
    await connection.cursor().execute(CREATE)
    await connection.commit()
    yield connection
    await connection.close()


@pytest.fixture
def turns(monkeypatch) -> list[object]:
    """Return a list that gets an item for each turn of any connection's thread."""
    taken: list[object] = []
    execute = driver.Connection._execute

    async def counted(self, fn, *args, **kwargs):
        taken.append(fn)
        return await execute(self, fn, *args, **kwargs)

    monkeypatch.setattr(driver.Connection, "_execute", counted)
    return taken


async def test_a_transaction_takes_a_turn_for_each_statement_and_one_to_end(
    data_folder: Path, turns
):
    database = Database(f"sqlite+aiosqlite:///{data_folder / 'birds.db'}")
    async with database.write() as session:
        await session.execute(text(CREATE))
    turns.clear()

    async with database.write() as session:
        rows = [{"name": "wren"}, {"name": "robin"}]
        await session.execute(text("INSERT INTO birds (name) VALUES (:name)"), rows)
        found = await session.scalars(text("SELECT name FROM birds ORDER BY name"))
        assert found.all() == ["robin", "wren"]
    assert len(turns) == 3

    turns.clear()
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM birds")) == 2
    assert len(turns) == 2

    turns.clear()
    async with database.read():
        pass
    assert turns == []
    await database.close()


async def test_a_cursor_knows_what_its_statement_did(connection: driver.Connection):
    cursor = connection.cursor()
    assert (cursor.description, cursor.rowcount) == (None, -1)

    await cursor.executemany("INSERT INTO birds (name) VALUES (?)", [("wren",), ("robin",)])
    assert (cursor.description, cursor.rowcount) == (None, 2)
    await cursor.execute("INSERT INTO birds (name) VALUES ('owl')")
    assert (cursor.lastrowid, cursor.rowcount) == (3, 1)
    await cursor.execute("UPDATE birds SET name = upper(name) WHERE id < 3 RETURNING name")
    assert await cursor.fetchall() == [("WREN",), ("ROBIN",)]
    assert cursor.rowcount == 2
    assert [column[0] for column in cursor.description] == ["name"]


async def test_rows_are_given_once_and_none_after_closing(connection: driver.Connection):
    cursor = connection.cursor()
    await cursor.execute("SELECT 1")
    assert await cursor.fetchall() == [(1,)]
    assert await cursor.fetchall() == []
    await cursor.execute("SELECT 2")
    await cursor.close()
    assert await cursor.fetchall() == []


async def test_a_statement_that_fails_leaves_the_transaction_that_it_began(
    connection: driver.Connection,
):
    await connection.cursor().execute("INSERT INTO birds (name) VALUES ('wren')")
    connection.isolation_level = None
    connection.begin_by("BEGIN")
    with pytest.raises(sqlite3.IntegrityError):
        await connection.cursor().execute("INSERT INTO birds (name) VALUES ('wren')")
    assert connection.in_transaction
    await connection.rollback()
    assert not connection.in_transaction


async def test_a_transaction_that_cannot_be_committed_is_rolled_back(
    connection: driver.Connection,
):
    connection.isolation_level = None
    await connection.execute("PRAGMA foreign_keys = ON")
    children = "parent INTEGER REFERENCES birds (id) DEFERRABLE INITIALLY DEFERRED"
    await connection.cursor().execute(f"CREATE TABLE eggs ({children})")
    connection.begin_by("BEGIN")
    await connection.cursor().execute("INSERT INTO eggs VALUES (7)")
    with pytest.raises(sqlite3.IntegrityError):
        await connection.commit()
    await connection.rollback()
    assert not connection.in_transaction


async def test_a_beginning_that_nothing_followed_is_forgotten(connection: driver.Connection):
    connection.isolation_level = None
    connection.begin_by("BEGIN IMMEDIATE")
    await connection.rollback()
    await connection.cursor().execute("SELECT 1")
    assert not connection.in_transaction


async def test_a_writer_that_is_cancelled_while_the_file_is_locked_leaves_no_transaction(
    data_folder: Path,
):
    path = data_folder / "birds.db"
    database = Database(f"sqlite+aiosqlite:///{path}")
    async with database.write() as session:
        await session.execute(text(CREATE))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database.write() as session:
            await session.execute(text("INSERT INTO birds (name) VALUES ('wren')"))

    task = asyncio.create_task(write())
    await asyncio.sleep(0.1)  # it waits for the lock, in its thread
    task.cancel()
    other.execute("ROLLBACK")
    with pytest.raises((asyncio.CancelledError, DatabaseFailedError)):
        await task

    other.execute("PRAGMA busy_timeout=2000")
    other.execute("BEGIN IMMEDIATE")  # nobody holds it
    assert other.execute("SELECT count(*) FROM birds").fetchone() == (0,)
    other.close()
    await database.close()


async def test_no_statement_keeps_the_values_it_was_run_with(connection: driver.Connection):
    # What Python's SQLite has in its hands, its own allocations and no one else's.
    held_bytes = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
    held_bytes.restype = ctypes.c_int64
    before_bytes = held_bytes()
    for number in range(20):
        statement = f"SELECT {number}, length(?)"
        cursor = connection.cursor()
        await cursor.execute(statement, ["x" * 1_000_000])
        assert await cursor.fetchall() == [(number, 1_000_000)]
    assert held_bytes() - before_bytes < 2_000_000

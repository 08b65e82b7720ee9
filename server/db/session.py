"""Engine, pragmas and units of work. The one place where a transaction begins and ends.

``Database.read()`` and ``Database.write()`` are the only ways to a session. No transaction may be
open across an ``await`` on the network or an executor: read, work, write.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from server.db import driver
from server.db.hints import HintedCompiler

Session = AsyncSession

_BEGIN = "sqlite_begin"
# Of SQLAlchemy's: what a query was made into is found again, at 100 kB for each with all columns of
# an image. Lists alone come in thousands of kinds; who browses or collects needs some dozens. Up to
# half as many again are kept before the oldest go.
_KEPT_QUERIES = 128
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",  # readers never wait for the writer
    # What was acknowledged survives a power failure too. NORMAL would keep the file whole and might
    # lose the last commits; it saves some 6 ms of waiting a transaction, and 0.2 ms of processor.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",  # off by default in SQLite
    "PRAGMA busy_timeout=10000",  # another process (backup, token create) may hold the lock
)


class DatabaseFailedError(OSError):
    """The database could not be written: this machine's fault, and perhaps not for long."""


class Database:
    """The engine and its sessions.

    Attributes:
        write_count: Transactions that ended here, committed or not. What was read since it last
            changed is still so, as far as this process alone writes it.
    """

    def __init__(self, url: str) -> None:
        """Make the engine; nothing is opened yet.

        Args:
            url: An async SQLAlchemy address.
        """
        is_sqlite = make_url(url).get_backend_name() == "sqlite"
        creator = {"async_creator": driver.connector(url)} if is_sqlite else {}
        self._engine = create_async_engine(url, query_cache_size=_KEPT_QUERIES, **creator)
        if is_sqlite:
            event.listen(self._engine.sync_engine, "connect", _on_sqlite_connect)
            event.listen(self._engine.sync_engine, "begin", _on_sqlite_begin)
            # Many rows go in by one statement: run once for each, it would give Python's lock away
            # and wait to have it back as often.
            self._engine.dialect.use_insertmanyvalues_wo_returning = True
            self._engine.dialect.statement_compiler = HintedCompiler
        self._readers = async_sessionmaker(self._engine, expire_on_commit=False)
        self._writers = async_sessionmaker(
            self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}), expire_on_commit=False
        )
        # SQLite has one writer. Waiting here, in order, beats spinning on SQLITE_BUSY.
        self._write_lock = asyncio.Lock()
        self.write_count = 0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """Yield a session that sees one state of the database; nothing it changes is kept."""
        async with self._readers() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        """Yield a session whose changes are committed at the end, or rolled back on an error.

        SQLite's transaction begins IMMEDIATE: a deferred one that reads and then writes fails
        with "locked" whatever the time-out, when another has written between.

        Raises:
            DatabaseFailedError: The disk is full, the file is locked or cannot be written.
        """
        try:
            async with self._write_lock, self._writers() as session:
                yield session
                await session.commit()
        except OperationalError as error:
            raise DatabaseFailedError(str(error.orig)) from error
        finally:
            self.write_count += 1  # a commit that was cancelled may have come through

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def _on_sqlite_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # Python's own BEGIN comes late and is always deferred; ours is told by the event below.
    # Source: docs.sqlalchemy.org, "Serializable isolation / Savepoints / Transactional DDL".
    connection.isolation_level = None
    cursor: Any = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.begin_by(connection.get_execution_options().get(_BEGIN, "BEGIN"))

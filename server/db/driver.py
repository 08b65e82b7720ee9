"""SQLite's driver, with one turn of its thread for each statement.

A connection lives in a thread of its own. The driver as it comes has a statement wait there four
times, to make a cursor, to run, to read the rows and to close, and a transaction three times more
to begin; while every processor is busy, each turn waits for one. Here a statement is one turn, with
its whole result, and the first of a transaction begins it as well.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

import aiosqlite
from sqlalchemy import make_url
from typing_extensions import override

# A statement that the driver keeps to run it again also keeps the values it was run with: megabytes
# where those are a side of a snapshot, in each connection, for each list that names it. To prepare
# one anew takes 5 to 100 microseconds.
_KEPT_STATEMENTS: Final = 0


class Cursor:
    """A statement and its result, as SQLAlchemy's adapter for asyncio asks for it.

    Attributes:
        description: Names of the result's columns; None without a result.
        rowcount: Rows that were changed; -1 where that is not known.
        lastrowid: Of the last row inserted.
        arraysize: Rows at once where none are named: the result is here as a whole.
    """

    def __init__(self, connection: Connection) -> None:
        """Make a cursor that has run nothing."""
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Cursor:
        """Return itself."""
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and read its rows."""
        await self._connection.run(lambda cursor: self._keep(cursor.execute(sql, parameters)))

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        await self._connection.run(lambda cursor: self._keep(cursor.executemany(sql, parameters)))

    async def fetchall(self) -> list[Any]:
        """Return the rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Forget the rows; the database's own cursor was closed when they had been read."""
        self._rows = []

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description else []
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid


class Connection(aiosqlite.Connection):
    """A connection that takes few turns of its thread."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        """Make a connection that is opened when it is awaited."""
        super().__init__(connector, iter_chunk_size=1)
        self._begin: str | None = None
        self._is_used = False  # since the last transaction ended
        self._thread.daemon = True  # a connection that nobody closed must not keep the process

    def begin_by(self, statement: str) -> None:
        """Have the next statement begin a transaction by this one, in the same turn."""
        self._begin = statement

    async def run(self, action: Callable[[sqlite3.Cursor], None]) -> None:
        """Call ``action`` with a new cursor in the connection's thread.

        Raises:
            sqlite3.Error: As the action does.
        """
        begin, self._begin = self._begin, None
        self._is_used = True

        def in_thread() -> None:
            cursor = self._conn.cursor()
            try:
                if begin is not None:
                    cursor.execute(begin)
                action(cursor)
            finally:
                cursor.close()

        await self._in_turn(in_thread)

    @override
    def cursor(self) -> Cursor:  # type: ignore[override] # the parent's takes a turn
        """Return a new cursor."""
        return Cursor(self)

    @override
    async def commit(self) -> None:
        """Commit the transaction; nothing waits where nothing was run.

        After an error, such as a full disk's, it is still there to be rolled back.
        """
        if self._is_used:
            await self._in_turn(self._conn.commit)
            self._is_used = False
        self._begin = None

    @override
    async def rollback(self) -> None:
        """Take the transaction back; nothing waits where nothing was run."""
        is_used, self._is_used, self._begin = self._is_used, False, None
        if is_used:
            await self._in_turn(self._conn.rollback)

    async def _in_turn(self, action: Callable[[], None]) -> None:
        await self._execute(action)  # type: ignore[no-untyped-call] # the parent's


def connector(url: str) -> Callable[[], Connection]:
    """Return what makes connections to the database at this address of SQLAlchemy's.

    In the shape that the engine's ``async_creator`` has: the connection is awaited by the caller.
    """
    parsed = make_url(url)
    (path,), options = parsed.get_dialect()().create_connect_args(parsed)
    options.setdefault("cached_statements", _KEPT_STATEMENTS)
    return lambda: Connection(lambda: sqlite3.connect(path, **options))

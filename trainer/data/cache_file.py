"""Opening a cache that is one SQLite file, and the names of those. Standard library only.

A damaged file is replaced by an empty one: what it held can be computed again.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

FEATURES_FILE = "features.sqlite"
PICTURES_FILE = "pictures.sqlite"
MAX_PARAMETERS = 500  # of a statement; SQLite allows 999 in its oldest builds
_PAGE_BYTES = 4096  # SQLite's own
_OVERWRITING = 1  # the user version of a file in which what was deleted never stayed
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY = 0xFF  # of an extended code, the low byte says what kind it is
_BUSY_TIMEOUT_S = 30  # another trainer in the same folder writes a batch in milliseconds
_POLL_S = 0.05


@contextmanager
def open_cache(
    path: Path, tables: str, page_bytes: int = _PAGE_BYTES
) -> Iterator[sqlite3.Connection]:
    """Open the file, made or replaced as needed, and close it after the block.

    Args:
        path: The file; its folder is made.
        tables: Statements that make what is not there yet.
        page_bytes: Of a new file; a power of two. Larger for rows of many kilobytes.

    Yields:
        A connection that any thread may use, one at a time.
    """
    try:
        connection = _connect(path, tables, page_bytes)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & _PRIMARY not in _DAMAGED:
            raise  # busy, read-only, full: what it holds is whole
        log.warning("store.replaced", extra={"path": str(path)}, exc_info=True)
        discard(path)
        connection = _connect(path, tables, page_bytes)
    with closing(connection):
        yield connection


def discard(path: Path) -> None:
    """Delete a cache, which need not be there.

    Raises:
        OSError: It cannot be deleted.
    """
    for ending in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def is_overwriting(connection: sqlite3.Connection) -> bool:
    """Tell whether all that was ever deleted from an open cache was overwritten."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0]) == _OVERWRITING


def _connect(path: Path, tables: str, page_bytes: int) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA page_size = {page_bytes:d}")  # of a new file; then it stays
        # Somebody may ask that a picture is gone, and then it must be, also where others made room.
        connection.execute("PRAGMA secure_delete = ON")
        is_new = connection.execute("PRAGMA page_count").fetchone()[0] == 0
        if is_new:
            connection.execute(f"PRAGMA user_version = {_OVERWRITING:d}")
        _log_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")  # losing the last batch costs a second
        connection.executescript(tables)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Have changes written to a log first: a kill leaves no half-written batch.

    While another trainer does the same to the same new file, SQLite refuses at once, whatever the
    timeout: it has read the file and cannot wait with that in hand.
    """
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & _PRIMARY == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_S)
        else:
            return

"""Taking images out of the caches for good. Standard library and ``trainer.data.cache_file`` alone.

SQLite leaves what was deleted where it was until something else is written there. The caches are
therefore opened so that it is overwritten (``cache_file``), and a file of an older revision, which
may hold what nobody can name any more, goes whole: all of it can be computed again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from trainer.data.cache_file import (
    FEATURES_FILE,
    MAX_PARAMETERS,
    PICTURES_FILE,
    discard,
    is_overwriting,
    open_cache,
)

_TABLES: Final = {FEATURES_FILE: "images", PICTURES_FILE: "pictures"}


def erase(work: Path, hashes: Sequence[str]) -> int:
    """Delete what is cached of images, so that it is in no file any more; return how many rows.

    Rows of a file that went whole are not counted.

    Args:
        work: The trainer's folder.
        hashes: sha256 of images; those that are not there are passed over.

    Raises:
        sqlite3.Error: A file is locked, or another trainer reads it just now; asked again, it
            goes on.
        OSError: A file cannot be deleted.
    """
    return sum(_erase(work / name, table, hashes) for name, table in _TABLES.items())


def _erase(path: Path, table: str, hashes: Sequence[str]) -> int:
    if not path.is_file():
        return 0
    with open_cache(path, "") as cache:
        if is_overwriting(cache) and _has_table(cache, table):
            return _erase_rows(cache, table, hashes)
    # Of an older revision; or a damaged one, which was replaced just now.
    discard(path)
    return 0


def _has_table(cache: sqlite3.Connection, table: str) -> bool:
    found = cache.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,))
    return found.fetchone() is not None


def _erase_rows(cache: sqlite3.Connection, table: str, hashes: Sequence[str]) -> int:
    count = 0
    with cache:
        for variant in _list_variants(cache, table):
            for start in range(0, len(hashes), MAX_PARAMETERS):
                asked = hashes[start : start + MAX_PARAMETERS]
                marks = ",".join("?" * len(asked))
                count += cache.execute(
                    f"DELETE FROM {table} WHERE variant = ? AND sha256 IN ({marks})",  # noqa: S608 - of names above, and "?"
                    (variant, *asked),
                ).rowcount
    # What was written before is still in the log, whatever has become of it since.
    is_busy, _, _ = cache.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise sqlite3.OperationalError("somebody else reads the cache")
    return count


def _list_variants(cache: sqlite3.Connection, table: str) -> list[str]:
    """Return under which names images are kept: a handful, each found by one step in the index."""
    found = [""]
    while (variant := _next_variant(cache, table, found[-1])) is not None:
        found.append(variant)
    return found


def _next_variant(cache: sqlite3.Connection, table: str, after: str) -> str | None:
    row = cache.execute(f"SELECT MIN(variant) FROM {table} WHERE variant > ?", (after,)).fetchone()  # noqa: S608 - as above
    return None if row[0] is None else str(row[0])

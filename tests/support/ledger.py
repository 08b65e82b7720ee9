"""What must hold in a data folder, whatever happened to the server: rows and files agree.

Reads a copy of the database, so that what a killed server left is the next server's to mend.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.mixed_site import ENDS, kind_of

STATUSES = {"queued", "downloading", "ready", "rejected", "duplicate"}
COUNTED = """
SELECT dataset_id, ifnull(label_id, ''), status, count(*), sum(excluded) FROM images
GROUP BY 1, 2, 3
"""
KEPT = "SELECT dataset_id, label_id, status, number, excluded_number FROM image_counts WHERE number"
# A try that a crash cut short was counted and left no row; every other has one.
TRIES = """
SELECT images.url, images.status, images.reason, images.attempts, count(attempts.number),
  ifnull(max(attempts.number), 0), (
    SELECT reason FROM attempts AS last WHERE image_id = images.id ORDER BY number DESC LIMIT 1
  )
FROM images LEFT JOIN attempts ON attempts.image_id = images.id GROUP BY images.id
"""


@contextmanager
def open_copy(data: Path) -> Iterator[sqlite3.Connection]:
    """Yield a copy of the database as it is on disk, its write-ahead log included."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("bowerbird.db", "bowerbird.db-wal"):
            if (data / name).is_file():
                shutil.copy(data / name, folder)
        with closing(sqlite3.connect(Path(folder) / "bowerbird.db")) as connection:
            yield connection


def check(data: Path, sent: Collection[str], acknowledged: Collection[str]) -> None:
    """Hold the rows and files against what is promised at every moment; no server may run.

    Args:
        data: The data folder.
        sent: Every address that was sent.
        acknowledged: Those whose capture was answered with 201.
    """
    with open_copy(data) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        _check_addresses(connection, sent, acknowledged)
        _check_counts(connection)
        _check_tries(connection)
        _check_bytes(connection, data)


def check_ends(data: Path) -> None:
    """Hold the end of each address against what stands there: nothing is on its way any more."""
    with open_copy(data) as connection:
        rows = connection.execute("SELECT url, status, reason FROM images").fetchall()
        for url, status, reason in rows:
            expected, why = ENDS[kind_of(url)]
            assert status in expected, (url, status, reason)
            assert reason == why, (url, status, reason)
        for url, status, reason, count, _, last, last_reason in connection.execute(TRIES):
            assert (last, last_reason) == (count, reason), (url, status, "its last try has no row")
        ungrouped = connection.execute("SELECT count(*) FROM blobs WHERE near_group IS NULL")
        assert ungrouped.fetchone() == (0,)


def check_no_orphan(data: Path) -> None:
    """Assert that every file in the stores is one that a row names, and whole."""
    with open_copy(data) as connection:
        digests = {digest for (digest,) in connection.execute("SELECT sha256 FROM blobs")}
    assert {path.name for path in files_of(data / "blobs")} == digests
    assert {path.name for path in files_of(data / "thumbnails")} == {f"{d}.jpg" for d in digests}


def files_of(store: Path) -> list[Path]:
    """Return every file of a store, hidden ones included."""
    return [path for path in store.rglob("*") if path.is_file()]


def _check_addresses(
    connection: sqlite3.Connection, sent: Collection[str], acknowledged: Collection[str]
) -> None:
    rows = Counter(url for (url,) in connection.execute("SELECT url FROM images"))
    assert set(rows.values()) <= {1}, "an address has two rows"
    assert set(acknowledged) <= rows.keys(), "an acknowledged address is lost"
    assert rows.keys() <= set(sent)
    statuses = {status for (status,) in connection.execute("SELECT DISTINCT status FROM images")}
    assert statuses <= STATUSES


def _check_counts(connection: sqlite3.Connection) -> None:
    counted = sorted(connection.execute(COUNTED).fetchall())
    assert sorted(connection.execute(KEPT).fetchall()) == counted


def _check_tries(connection: sqlite3.Connection) -> None:
    for url, status, reason, count, row_count, last, last_reason in connection.execute(TRIES):
        assert row_count <= count, (url, "more tries are kept than were begun")
        assert last <= count, (url, "a try is numbered that was not begun")
        if status in {"ready", "duplicate", "rejected"}:
            assert (last, last_reason) == (count, reason), (url, "settled by a try without a row")


def _check_bytes(connection: sqlite3.Connection, data: Path) -> None:
    digests = [digest for (digest,) in connection.execute("SELECT sha256 FROM blobs")]
    for digest in digests:
        blob = data / "blobs" / digest[:2] / digest
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == digest
        thumbnail = data / "thumbnails" / digest[:2] / f"{digest}.jpg"
        assert thumbnail.read_bytes().endswith(b"\xff\xd9"), "a thumbnail is not whole"
    held = connection.execute(
        "SELECT dataset_id, sha256, sum(status = 'ready'), count(*) FROM images"
        " WHERE sha256 IS NOT NULL GROUP BY 1, 2"
    ).fetchall()
    for _, digest, ready_count, _ in held:
        assert ready_count == 1, "bytes of a dataset are ready once, and the rest are duplicates"
        assert digest in digests
    wrong = connection.execute(
        "SELECT count(*) FROM images WHERE (status IN ('ready', 'duplicate')) != (sha256 NOT NULL)"
    )
    assert wrong.fetchone() == (0,)

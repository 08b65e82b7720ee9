"""The journal of a folder: one row for every address that ended.

May import ``server.net.validators`` and ``server.reasons``.

A hidden SQLite file. It is what a run that was stopped, or killed at any moment, goes on from, and
what the table of outcomes is written from at the end. Memory does not grow with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from server.cli.errors import CommandError
from server.net.validators import Refusal, Validators
from server.reasons import Reason

FILE_NAME: Final = ".fetch.db"
_VERSION: Final = 2
_ROWS_AT_ONCE: Final = 1000  # fetched from SQLite while the table is written

_TABLES: Final = """
create table runs (id integer primary key, is_whole integer not null default 0);
create table outcomes (
    key blob not null unique,
    line integer not null,
    url text not null,
    status text not null,
    reason text,
    detail text not null,
    http_status integer,
    final_url text,
    sha256 text,
    format text,
    width integer,
    height integer,
    bytes integer,
    seconds real,
    attempts integer not null,
    downgraded integer,
    etag text,
    last_modified text,
    rules text,
    run integer not null references runs (id)
);
create index outcomes_by_line on outcomes (line);
create index outcomes_by_image on outcomes (sha256) where status = 'ready';
"""
# Version → what makes the next one of it: a folder that was begun is gone on with.
_STEPS: Final = {
    1: """
alter table outcomes add column downgraded integer;
alter table outcomes add column etag text;
alter table outcomes add column last_modified text;
alter table outcomes add column rules text;
"""
}


class Status(StrEnum):
    """How an address ended."""

    READY = "ready"  # its image is in the folder
    DUPLICATE = "duplicate"  # another address had given the same bytes before
    REJECTED = "rejected"  # no usable image


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of one address; members in the order of the journal's columns.

    Attributes:
        key: Of `addresses.Line`.
        line: Where it stood in the list.
        url: As written there.
        status: Never `Status.DUPLICATE`: the journal sees to that.
        reason: Given when rejected.
        detail: One sentence for a person; empty when all went well.
        http_status: Of the last answer.
        final_url: Where that came from, after redirects.
        sha256: Of the image's bytes.
        format: As `server.media.verify.Verified.format`.
        width: In pixels, upright.
        height: In pixels, upright.
        bytes: Size of the file.
        seconds: The last try took, waiting for its turn not counted; None when never asked for.
        attempts: Tries, in the run that ended it.
        downgraded: A redirect of the last try led from https to http.
        etag: With the two that follow: what the server calls the bytes that were refused, and under
            which rules of ours they were, as `server.net.validators.Refusal`.
        last_modified: See there.
        rules: See there.
    """

    key: bytes
    line: int
    url: str
    status: Status
    reason: Reason | None
    detail: str
    http_status: int | None = None
    final_url: str | None = None
    sha256: str | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    attempts: int = 0
    downgraded: bool = False
    etag: str | None = None
    last_modified: str | None = None
    rules: str | None = None


_MEMBERS: Final = tuple(field.name for field in fields(Ended))
_STATUS_PLACE: Final = _MEMBERS.index("status")
_INSERT: Final = (
    f"insert or replace into outcomes ({', '.join(_MEMBERS)}, run)"  # noqa: S608 - our own names
    f" values ({', '.join('?' * (len(_MEMBERS) + 1))})"
)


class Journal:
    """The outcomes in a folder, open for one run; no other process can open it meanwhile.

    Use `open`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        last = connection.execute("select is_whole from runs order by id desc limit 1").fetchone()
        self.was_interrupted = last is not None and not last[0]
        with connection:
            self._run = connection.execute("insert into runs default values").lastrowid

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the journal of a folder, made when it is not there, and begin a run.

        Raises:
            CommandError: Another process works in this folder, the journal is of another version,
                or the file is no journal.
            sqlite3.Error: The disk is full or fails.
        """
        connection = sqlite3.connect(folder / FILE_NAME, timeout=0)
        try:
            _prepare(connection, folder)
            return cls(connection)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def find_finished(self, keys: Sequence[bytes], *, is_rejected_final: bool) -> dict[bytes, bool]:
        """Return which of these addresses are not to be asked for.

        Args:
            keys: At most some hundreds.
            is_rejected_final: Rejected by an earlier run counts as finished.

        Returns:
            Key → whether it ended in this run.
        """
        marks = ", ".join("?" * len(keys))
        rows = self._connection.execute(
            f"select key, run, status from outcomes where key in ({marks})",  # noqa: S608 - marks
            keys,
        )
        return {
            key: run == self._run
            for key, run, status in rows
            if run == self._run or is_rejected_final or status != Status.REJECTED
        }

    def find_refusals(self, keys: Sequence[bytes]) -> dict[bytes, Refusal]:
        """Return what is known of the bytes that these addresses were rejected for, if they were.

        Args:
            keys: At most some hundreds.
        """
        marks = ", ".join("?" * len(keys))
        rows = self._connection.execute(
            "select key, final_url, etag, last_modified, reason, detail, rules from outcomes"  # noqa: S608 - marks
            f" where key in ({marks}) and rules is not null",
            keys,
        )
        return {
            key: Refusal(url, Validators(etag, modified), Reason(reason), detail, rules)
            for key, url, etag, modified, reason, detail, rules in rows
        }

    def record(self, ends: Sequence[Ended]) -> list[Status]:
        """Keep ends, all or none; return the status of each, now with duplicates told apart."""
        statuses = []
        with self._connection:
            for end in ends:
                values = list(astuple(end))
                if end.sha256 is not None and self.has_image(end.sha256):
                    values[_STATUS_PLACE] = Status.DUPLICATE
                self._connection.execute(_INSERT, (*values, self._run))
                statuses.append(Status(values[_STATUS_PLACE]))
        return statuses

    def has_image(self, sha256: str) -> bool:
        """Tell whether an address gave these bytes."""
        row = self._connection.execute(
            "select 1 from outcomes where sha256 = ? and status = 'ready'", (sha256,)
        ).fetchone()
        return row is not None

    def count(self) -> dict[tuple[Status, Reason | None], int]:
        """Return how many addresses of this folder ended how."""
        rows = self._connection.execute(
            "select status, reason, count(*) from outcomes group by 1, 2"
        )
        return {
            (Status(status), Reason(reason) if reason else None): count
            for status, reason, count in rows
        }

    def list_rows(self, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
        """Yield the values of these columns of every outcome, in the order of the list."""
        statement = f"select {', '.join(columns)} from outcomes order by line"  # noqa: S608 - ours
        with closing(self._connection.execute(statement)) as cursor:
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from rows

    def mark_whole(self) -> None:
        """Note that this run came to its end: there is nothing to clear up after it."""
        with self._connection:
            self._connection.execute("update runs set is_whole = 1 where id = ?", (self._run,))


def _prepare(connection: sqlite3.Connection, folder: Path) -> None:
    try:
        # Held from the first statement to the end of the process, however that comes.
        connection.execute("pragma locking_mode = exclusive")
        connection.execute("pragma journal_mode = wal")
        # What was recorded survives a killed process; after a power failure the last moments are
        # asked for again. The images themselves are on disk by then.
        connection.execute("pragma synchronous = normal")
        version = connection.execute("pragma user_version").fetchone()[0]
        made = _TABLES if version == 0 else _STEPS.get(version)
        if made is not None:
            connection.executescript(f"begin; {made} pragma user_version = {_VERSION}; end;")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            message = f"Another `bowerbird fetch` works in {folder}."
            raise CommandError(message, "Wait for its end, or choose another --out.") from error
        raise
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            message = f"{folder / FILE_NAME} is no journal of `bowerbird fetch`."
            raise CommandError(message, "Choose another --out.") from error
        raise
    if version not in {0, _VERSION, *_STEPS}:
        message = f"{folder} was filled by another version of Bowerbird ({version})."
        raise CommandError(message, "Choose another --out.")

"""A server that breaks where a file tells it to: how tests reach each boundary of files and rows.

``python -m tests.support.faulty_server serve …`` with ``FAULT_FILE`` in the environment. While that
file is there it holds a `Fault` in words: the point, what happens there, and how often the point is
passed before. All code is the product's own; some of its functions are wrapped before it starts.
"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from server.cli.app import main
from server.config import inherited_environment
from server.media import blobs, durable
from server.services.captures import CaptureService
from server.services.downloads import DownloadService
from server.services.imports_images import ImageImporter
from server.services.looks import LookService
from server.services.removals import RemovalService

ENVIRONMENT: Final = "FAULT_FILE"
KILL: Final = "kill"
# What SQLite says of the same errors of the system.
_SQLITE_SAYS: Final = {
    "ENOSPC": "database or disk is full",
    "EROFS": "attempt to write a readonly database",
    "EIO": "disk I/O error",
}
FILE_POINTS: Final = [
    f"{store}.{moment}"
    for store in ("thumbnails", "blobs")
    for moment in ("unwritten", "half", "unnamed", "named")
] + ["sync.before", "sync.after"]
_WRITERS: Final = ("capture", "claim", "settle", "look", "recover")
ROW_POINTS: Final = [f"{w}.{moment}" for w in _WRITERS for moment in ("uncommitted", "committed")]
# Of what a person asks for and waits for: reached only when a test asks.
ASKED_POINTS: Final = [
    f"{w}.{moment}" for w in ("removal", "import") for moment in ("uncommitted", "committed")
]

Value = TypeVar("Value")


@dataclass(frozen=True)
class Fault:
    """What is to happen.

    Attributes:
        point: One of `FILE_POINTS`, `ROW_POINTS` or `ASKED_POINTS`.
        action: `KILL`, or the name of an error of the system.
        after: How often the point is passed unharmed.
    """

    point: str
    action: str = KILL
    after: int = 0

    def put(self, file: Path) -> None:
        """Have it happen from now on."""
        part = file.with_suffix(".part")
        part.write_text(f"{self.point} {self.action} {self.after}")
        part.rename(file)


class _Faults:
    """Strikes at the point that the file names."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._passed: Counter[Fault] = Counter()
        self._lock = threading.Lock()

    def reach(self, point: str) -> None:
        """Break, if it is time to."""
        fault = self.due(point)
        if fault is not None:
            strike(fault, is_row=point not in FILE_POINTS)

    def due(self, point: str) -> Fault | None:
        """Return the fault if it is to happen at this point and now."""
        try:
            name, action, after = self._file.read_text().split()
        except FileNotFoundError:
            return None
        fault = Fault(name, action, int(after))
        if fault.point != point:
            return None
        with self._lock:  # files are written in threads
            self._passed[fault] += 1
            return fault if self._passed[fault] > fault.after else None


def strike(fault: Fault, *, is_row: bool) -> NoReturn:
    """Die as if killed, or raise what the system would."""
    if fault.action == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    if is_row:
        says = _SQLITE_SAYS[fault.action]
        raise OperationalError("COMMIT", None, sqlite3.OperationalError(says))
    code = getattr(errno, fault.action)
    raise OSError(code, os.strerror(code))


_writer: ContextVar[str] = ContextVar("writer", default="other")


def _wrap_files(faults: _Faults) -> None:
    write_new, rename = blobs._write_new, Path.rename
    make_durable = durable.FileSystem.make_durable

    def write(path: Path, data: bytes) -> None:
        store = path.parts[-3]  # root/ab/name
        faults.reach(f"{store}.unwritten")
        if (fault := faults.due(f"{store}.half")) is not None:
            write_new(path, data[: len(data) // 2])
            strike(fault, is_row=False)
        write_new(path, data)

    def name(self: Path, target: Path) -> Path:
        if not (self.name.startswith(".") and self.name.endswith(".tmp")):
            return rename(self, target)
        store = self.parts[-3]
        faults.reach(f"{store}.unnamed")
        renamed = rename(self, target)
        faults.reach(f"{store}.named")
        return renamed

    def sync(self: durable.FileSystem, paths: Iterable[Path]) -> None:
        faults.reach("sync.before")
        make_durable(self, paths)
        faults.reach("sync.after")

    blobs._write_new = write
    Path.rename = name  # type: ignore[assignment, method-assign]
    durable.FileSystem.make_durable = sync  # type: ignore[method-assign]


def _wrap_rows(faults: _Faults) -> None:
    commit = AsyncSession.commit

    async def commit_or_break(self: AsyncSession) -> None:
        faults.reach(f"{_writer.get()}.uncommitted")
        await commit(self)
        faults.reach(f"{_writer.get()}.committed")

    AsyncSession.commit = commit_or_break  # type: ignore[method-assign]
    methods: Sequence[tuple[type, str, str]] = (
        (CaptureService, "take", "capture"),
        (DownloadService, "claim", "claim"),
        (DownloadService, "settle", "settle"),
        (DownloadService, "recover", "recover"),
        (LookService, "_write", "look"),
        (RemovalService, "_take", "removal"),
        (ImageImporter, "_record", "import"),
    )
    for owner, method, writer in methods:
        setattr(owner, method, _named(getattr(owner, method), writer))


def _named(method: Callable[..., Awaitable[Value]], writer: str) -> Callable[..., Awaitable[Value]]:
    async def call(*args: Any, **options: Any) -> Value:
        token = _writer.set(writer)
        try:
            return await method(*args, **options)
        finally:
            _writer.reset(token)

    return call


if __name__ == "__main__":
    armed = _Faults(Path(inherited_environment()[ENVIRONMENT]))
    _wrap_files(armed)
    _wrap_rows(armed)
    main()

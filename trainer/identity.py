"""Who a trainer is to its server: its name, and a suffix that no other process has meanwhile.

A lease belongs to a name. A trainer that was killed shall have its job back at once, so the suffix
outlives its process; two trainers of one name shall not take each other's jobs, so a running one
holds a lock on the file of its suffix, which goes with the process however it ends.
Standard library alone.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

MAX_NAME_CHARS: Final = 91  # of the hundred that the server takes, less those of the suffix
_SUFFIX_BYTES: Final = 4
_SUFFIX = re.compile(r"[0-9a-f]{8}")
_MOST_PROCESSES: Final = 16  # of one name in one folder; those beyond have a suffix for once
# One that was told to end, or whose server was killed, may need this long to leave: who comes
# after it is to be the same trainer.
_PATIENCE_S: Final = 2.0
_POLL_S: Final = 0.1


@contextmanager
def claimed(work: Path, name: str) -> Iterator[str]:
    """Yield what the server is told as this process's name, its own during the block.

    Args:
        work: The trainer's folder, where suffixes are kept; made when it is not there.
        name: Of at most 100 characters; what is longer than `MAX_NAME_CHARS` is cut.
    """
    lock, suffix = _take(work, name)
    try:
        yield f"{name[:MAX_NAME_CHARS]}.{suffix}"
    finally:
        if lock is not None:
            os.close(lock)


def _take(work: Path, name: str) -> tuple[int | None, str]:
    """Return an open, locked file and the suffix in it; without a file when none can be had."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _PATIENCE_S
        for place in range(_MOST_PROCESSES):
            lock = _lock(work / f"{name}.{place}.identity", deadline if place == 0 else 0)
            if lock is not None:
                return lock, _suffix_of(lock)
    except OSError:
        # No room, or no rights: the job will say so better. A kill then costs the rest of a lease.
        log.warning("identity.not-kept", exc_info=True)
    return None, secrets.token_hex(_SUFFIX_BYTES)


def _lock(file: Path, deadline: float) -> int | None:
    """Return the open file, locked; None when another process has it until the deadline."""
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(lock)
                return None
            time.sleep(_POLL_S)
        else:
            return lock


def _suffix_of(lock: int) -> str:
    """Return the suffix in a locked file, a new one when there is none that is whole."""
    kept = os.pread(lock, 2 * _SUFFIX_BYTES + 1, 0).decode("ascii", "replace")
    if _SUFFIX.fullmatch(kept):
        return kept
    suffix = secrets.token_hex(_SUFFIX_BYTES)
    os.ftruncate(lock, 0)
    os.pwrite(lock, suffix.encode(), 0)
    return suffix

"""Why a job failed, told in a kind and a sentence. May import the contract and ``trainer.errors``.

What a machine runs out of is said by many libraries in as many ways, and by some in words alone.
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from server.contract.jobs import MAX_DETAIL_CHARS, JobError
from trainer.errors import JobFailedError, ServerRefusedError

UNEXPECTED = "unexpected"  # the kind of what nobody thought of
# Of torch's and oneDNN's allocators on a CPU, which have no error of their own kind; of CUDA; and
# of C++, as onnxruntime passes it on.
_MEMORY_WORDS = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "could not create a memory object",
    "failed to allocate memory",
    "bad_alloc",
    "bad allocation",
)
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT})
_PRIMARY_CODE = 0xFF  # of SQLite: the bits above it only say more


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory does not suffice."""
    if isinstance(error, MemoryError):
        return True
    is_memory = isinstance(error, OSError) and error.errno == errno.ENOMEM
    said = str(error).lower() if isinstance(error, RuntimeError) else ""
    return is_memory or any(word in said for word in _MEMORY_WORDS)


def is_disk_full(error: BaseException) -> bool:
    """Return whether an error, or what it was raised from, says that a disk has no room left."""
    seen: BaseException | None = error
    for _ in range(8):  # deeper than any library nests; errors may be chained in a ring
        if isinstance(seen, OSError) and seen.errno in _DISK_ERRORS:
            return True
        if isinstance(seen, sqlite3.Error) and _code_of(seen) == sqlite3.SQLITE_FULL:
            return True
        if seen is None:
            return False
        seen = seen.__cause__ or seen.__context__
    return False


def _code_of(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)  # absent where Python itself raised it
    return code & _PRIMARY_CODE


def explain(error: Exception, work: Path) -> JobError:
    """Return what the server is told of an error that ended a job.

    An error that nobody thought of is told by its class alone: its text may hold anything.

    Args:
        error: Any.
        work: The folder that the trainer writes to.
    """
    if isinstance(error, JobFailedError):
        kind, detail = error.kind, error.detail
    elif isinstance(error, ServerRefusedError):
        kind, detail = "server-refused", f"The server refused the trainer: {error}."
    elif is_disk_full(error):
        kind = "disk-full"
        detail = (
            f"The trainer's disk is full: there is no room in {work.absolute()}. Make room and "
            "train again; while nothing is trained, that folder itself may be deleted."
        )
    elif is_out_of_memory(error):
        kind = "out-of-memory"
        detail = "The trainer ran out of memory. Close other programs, or use smaller images."
    else:
        kind = UNEXPECTED
        detail = f"The trainer failed unexpectedly ({type(error).__name__}); its log says more."
    return JobError(kind=kind, detail=detail[:MAX_DETAIL_CHARS])

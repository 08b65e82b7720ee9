"""Reads blobs again and compares their hashes: that is what *verified* means."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from server.contract.files import sha256_of
from server.inference.pool import CpuPool
from server.media.blobs import BlobStore

# Files read by one call: enough that the way to a thread and back costs nothing beside it, few
# enough that others get their turn.
_BATCH: Final = 256
# Batches at once. Beyond one a processor they only take turns, and whatever else wants the pool
# has to wait.
_READERS: Final = 2


@dataclass(frozen=True)
class Checks:
    """What reading blobs again has shown.

    Attributes:
        crcs: ``[N]`` uint32, the CRC-32 of each, which archives need (reading costs more than it).
        damaged: The place of the first whose bytes are gone or not what they were; None when all
            are well.
    """

    crcs: NDArray[np.uint32]
    damaged: int | None


async def verify_blobs(pool: CpuPool, blobs: BlobStore, sha256s: Sequence[str]) -> Checks:
    """Read every blob and compare its hash.

    Args:
        pool: Where that is done.
        blobs: Where they lie.
        sha256s: Best sorted: so the disk's folders are gone through one after the other.
    """
    crcs = np.zeros(len(sha256s), dtype=np.uint32)
    damaged: list[int] = []
    starts = iter(range(0, len(sha256s), _BATCH))

    async def read() -> None:
        for start in starts:
            batch = sha256s[start : start + _BATCH]
            found = await pool.run(_check, blobs, batch)
            crcs[start : start + len(found)] = found
            if len(found) < len(batch):
                damaged.append(start + len(found))
            if damaged:
                return

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_READERS):
            tasks.create_task(read())
    return Checks(crcs, min(damaged, default=None))


def _check(blobs: BlobStore, sha256s: Sequence[str]) -> list[int]:
    """Return the CRC-32 of each blob up to the first that is damaged."""
    found: list[int] = []
    for sha256 in sha256s:
        try:
            data = blobs.read(sha256)
        except OSError:
            break
        if sha256_of(data) != sha256:
            break
        found.append(zlib.crc32(data))
    return found

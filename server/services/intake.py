"""From foreign bytes to a verified blob on disk: the one way in, for downloads and uploads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from server.db.models import BlobRecord
from server.inference.pool import CpuPool
from server.media.blobs import BlobStore, ThumbnailStore
from server.media.verify import Verified, VerifyLimits, verify


@dataclass(frozen=True)
class Stores:
    """Where verified bytes and their thumbnails lie, both by the sha256 of the bytes."""

    blobs: BlobStore
    thumbnails: ThumbnailStore


class Intake:
    """Verifies and stores."""

    def __init__(self, stores: Stores, pool: CpuPool, limits: VerifyLimits) -> None:
        """Keep what the use cases need."""
        self._stores = stores
        self._pool = pool
        self._limits = limits

    async def check(self, data: bytes) -> Verified:
        """Verify ``data`` and keep nothing.

        Raises:
            NotUsableError: It is no image that can be used, and why.
        """
        return await self._pool.run(verify, data, self._limits)

    async def store(self, data: bytes) -> Verified:
        """Verify ``data`` and write it and its thumbnail to disk.

        The files are whole and durable when this returns: a row that names them may follow. A
        crash in between leaves a blob without a row, never a row without bytes.

        Raises:
            NotUsableError: It is no image that can be used, and why.
        """
        return await self._pool.run(self._verify_and_write, data)

    def _verify_and_write(self, data: bytes) -> Verified:
        verified = verify(data, self._limits)
        self._stores.thumbnails.write(verified.thumbnail, verified.sha256)
        self._stores.blobs.write(data, verified.sha256)
        return verified


def blob_row(verified: Verified) -> dict[str, Any]:
    """Return the columns of the row for verified bytes."""
    return {
        "sha256": verified.sha256,
        "bytes": verified.bytes,
        "width": verified.width,
        "height": verified.height,
        "format": verified.format,
        "dhash": to_signed(verified.dhash),
        "phash": to_signed(verified.phash),
        **asdict(verified.quality),
        "created_at": datetime.now(UTC),
    }


def blob_record(verified: Verified) -> BlobRecord:
    """Return the row for verified bytes."""
    return BlobRecord(**blob_row(verified))


def to_signed(value: int) -> int:
    """Return an unsigned 64-bit integer as the signed one with the same bits (SQL has only it)."""
    return value - 2**64 if value >= 2**63 else value


def to_unsigned(value: int) -> int:
    """Return a signed 64-bit integer as the unsigned one with the same bits."""
    return value + 2**64 if value < 0 else value

"""What was computed of each image, kept in one SQLite file. Standard library, numpy only.

The file is a cache: a damaged one is replaced by an empty one. Rows are committed batch by batch,
so a trainer that is killed goes on where it stopped.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.baselines import PIXELS_SIDE_PX

log = logging.getLogger(__name__)

_MAX_PARAMETERS = 500  # SQLite allows 999 in its oldest builds
_BUSY_TIMEOUT_S = 30  # another trainer in the same folder writes a batch in milliseconds
_TABLE = """
CREATE TABLE IF NOT EXISTS images (
  variant TEXT NOT NULL, sha256 TEXT NOT NULL, features BLOB NOT NULL, pixels BLOB NOT NULL,
  PRIMARY KEY (variant, sha256)
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class ImageArrays:
    """What is kept of an image.

    Attributes:
        features: ``[F]`` float32, of the backbone.
        pixels: ``[32, 32, 3]`` uint8, RGB, for the baselines.
    """

    features: NDArray[np.float32]
    pixels: NDArray[np.uint8]


class ArrayStore:
    """The open file; use `open_store`. Not for use by several threads at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, variant: str, hashes: Sequence[str]) -> dict[str, ImageArrays]:
        """Return what is there of the images asked for, by sha256.

        Args:
            variant: Names backbone, weights and preprocessing.
            hashes: sha256 of images.
        """
        found = {}
        for start in range(0, len(hashes), _MAX_PARAMETERS):
            asked = hashes[start : start + _MAX_PARAMETERS]
            marks = ",".join("?" * len(asked))
            rows = self._connection.execute(
                f"SELECT sha256, features, pixels FROM images"  # noqa: S608 - marks are "?" alone
                f" WHERE variant = ? AND sha256 IN ({marks})",
                (variant, *asked),
            )
            found.update({row[0]: _decode(row[1], row[2]) for row in rows})
        return found

    def add(self, variant: str, arrays: Mapping[str, ImageArrays]) -> None:
        """Keep arrays by sha256, in one transaction."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?)",
                _encode(variant, arrays.items()),
            )


def _encode(
    variant: str, arrays: Iterable[tuple[str, ImageArrays]]
) -> Iterator[tuple[str, str, bytes, bytes]]:
    for sha256, image in arrays:
        yield variant, sha256, image.features.astype("<f4").tobytes(), image.pixels.tobytes()


def _decode(features: bytes, pixels: bytes) -> ImageArrays:
    shape = (PIXELS_SIDE_PX, PIXELS_SIDE_PX, 3)
    return ImageArrays(
        features=np.frombuffer(features, dtype="<f4").astype(np.float32),
        pixels=np.frombuffer(pixels, dtype=np.uint8).reshape(shape),
    )


@contextmanager
def open_store(path: Path) -> Iterator[ArrayStore]:
    """Open the cache, made or replaced as needed, and close it after the block."""
    try:
        connection = _connect(path)
    except sqlite3.DatabaseError:
        log.warning("store.replaced", extra={"path": str(path)}, exc_info=True)
        for leftover in (
            path,
            path.with_name(f"{path.name}-wal"),
            path.with_name(f"{path.name}-shm"),
        ):
            leftover.unlink(missing_ok=True)
        connection = _connect(path)
    try:
        yield ArrayStore(connection)
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S)
    try:
        connection.execute("PRAGMA journal_mode = WAL")  # a kill leaves no half-written batch
        connection.execute("PRAGMA synchronous = NORMAL")  # losing the last batch costs a second
        connection.execute(_TABLE)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection

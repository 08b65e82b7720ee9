"""What was computed of each image, kept in one SQLite file: see ``trainer.data.cache_file``.

Rows are committed batch by batch, so a trainer that is killed goes on where it stopped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.baselines import PIXELS_SIDE_PX
from trainer.data.cache_file import MAX_PARAMETERS, open_cache

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
        for start in range(0, len(hashes), MAX_PARAMETERS):
            asked = hashes[start : start + MAX_PARAMETERS]
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
    with open_cache(path, _TABLE) as connection:
        yield ArrayStore(connection)

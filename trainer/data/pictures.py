"""Pictures at the size of training: each decoded once, then read from a bounded file.

They are squares by the recipe's own method (``server.contract.preprocess.to_square``), so that the
validation split can be read from here too and is the same to the bit. May import the contract,
numpy, ``trainer.data.cache_file``, ``trainer.snapshot`` and ``trainer.errors``.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from server.contract.errors import FormatError
from server.contract.files import canonical_json, sha256_of
from server.contract.preprocess import Preprocessing, decode, to_square
from server.contract.snapshot import Item
from trainer.data.cache_file import MAX_PARAMETERS, open_cache
from trainer.errors import JobFailedError
from trainer.snapshot import LocalSnapshot

DECODE_THREADS = 2  # Pillow decodes outside the interpreter's lock; more only takes from torch
_CHUNK_IMAGES = 64  # decoded per transaction: what a kill loses, and 10 MB in memory at 224 px
_PAGE_BYTES = 65_536  # a picture of 224 x 224 (150 kB) is read in three steps and not in forty
_TABLES = """
CREATE TABLE IF NOT EXISTS pictures (
  variant TEXT NOT NULL, sha256 TEXT NOT NULL, used_at REAL NOT NULL, bytes INTEGER NOT NULL,
  pixels BLOB NOT NULL, PRIMARY KEY (variant, sha256)
);
CREATE INDEX IF NOT EXISTS ix_pictures_used ON pictures (used_at DESC, variant, sha256, bytes);
"""

Step = Callable[[int, int], None]
Square = NDArray[np.uint8]


class PictureStore:
    """The open file; use `open_pictures`.

    Args:
        connection: Of `open_cache`.
        max_bytes: Of all pictures together; beyond it the longest unused make room.
    """

    def __init__(self, connection: sqlite3.Connection, max_bytes: int) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.max_bytes = max_bytes

    def find(self, variant: str, hashes: Sequence[str]) -> dict[str, Square]:
        """Return the pictures that are there, by sha256; any thread may ask."""
        found = {}
        for marks, values in _questions(variant, hashes):
            question = (
                f"SELECT sha256, pixels FROM pictures WHERE variant = ? AND sha256 IN ({marks})"  # noqa: S608 - marks are "?" alone
            )
            with self._lock:
                rows = self._connection.execute(question, values).fetchall()
            found.update({sha256: _to_square(pixels) for sha256, pixels in rows})
        return found

    def use(self, variant: str, hashes: Sequence[str]) -> set[str]:
        """Note that pictures are wanted now, so that others make room; return which are there."""
        there: set[str] = set()
        with self._lock, self._connection:
            for marks, values in _questions(variant, hashes):
                rows = self._connection.execute(
                    f"UPDATE pictures SET used_at = ? WHERE variant = ? AND sha256 IN ({marks})"  # noqa: S608 - marks are "?" alone
                    " RETURNING sha256",
                    (time.time(), *values),
                ).fetchall()
                there.update(row[0] for row in rows)
        return there

    def add(self, variant: str, pictures: Mapping[str, Square]) -> None:
        """Keep pictures by sha256, in one transaction, within the cap."""
        now = time.time()
        with self._lock, self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?)",
                [
                    (variant, sha256, now, square.nbytes, square.tobytes())
                    for sha256, square in pictures.items()
                ],
            )
            # Newest first, all that is beyond the cap when summed up.
            self._connection.execute(
                "DELETE FROM pictures WHERE (variant, sha256) IN (SELECT variant, sha256 FROM ("
                "SELECT variant, sha256, SUM(bytes) OVER (ORDER BY used_at DESC, variant, sha256)"
                " AS total FROM pictures) WHERE total > ?)",
                (self.max_bytes,),
            )


def _questions(variant: str, hashes: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for start in range(0, len(hashes), MAX_PARAMETERS):
        asked = hashes[start : start + MAX_PARAMETERS]
        yield ",".join("?" * len(asked)), (variant, *asked)


def _to_square(pixels: bytes) -> Square:
    flat = np.frombuffer(pixels, dtype=np.uint8)
    side = round((flat.size / 3) ** 0.5)
    return flat.reshape(side, side, 3)


@contextmanager
def open_pictures(path: Path, max_bytes: int) -> Iterator[PictureStore]:
    """Open the cache, made or replaced as needed, and close it after the block."""
    with open_cache(path, _TABLES, _PAGE_BYTES) as connection:
        yield PictureStore(connection, max_bytes)


@dataclass(frozen=True)
class Pictures:
    """A snapshot's images as squares of one size, by one method."""

    snapshot: LocalSnapshot
    preprocessing: Preprocessing
    store: PictureStore

    @property
    def variant(self) -> str:
        """The name under which they are kept: all that they depend on but the image."""
        numbers = self.preprocessing
        parts = {
            "resize": numbers.resize,
            "interpolation": numbers.interpolation,
            "crop_ratio": numbers.crop_ratio,
            "side_px": numbers.size_px,
        }
        return sha256_of(canonical_json(parts))

    def prepare(self, items: Sequence[Item], step: Step) -> None:
        """Decode what the store lacks, as far as its cap allows.

        Args:
            items: All that will be read.
            step: Told (done, total) after each chunk; may raise to stop.

        Raises:
            JobFailedError: ``blob-unreadable``.
        """
        side = self.preprocessing.size_px
        fitting = list(items)[: self.store.max_bytes // (side * side * 3)]
        there = self.store.use(self.variant, [item.sha256 for item in fitting])
        todo = [item for item in fitting if item.sha256 not in there]
        step(len(there), len(fitting))
        for start in range(0, len(todo), _CHUNK_IMAGES):
            chunk = todo[start : start + _CHUNK_IMAGES]
            self.store.add(self.variant, self._decoded(chunk))
            step(len(there) + start + len(chunk), len(fitting))

    def read(self, items: Sequence[Item]) -> Square:
        """Return ``[B, side, side, 3]`` uint8; what the store had no room for is decoded anew.

        Raises:
            JobFailedError: ``blob-unreadable``.
        """
        found = self.store.find(self.variant, [item.sha256 for item in items])
        missing = [item for item in items if item.sha256 not in found]
        found.update(self._decoded(missing))
        return np.stack([found[item.sha256] for item in items])

    def _decoded(self, items: Sequence[Item]) -> dict[str, Square]:
        with ThreadPoolExecutor(DECODE_THREADS, thread_name_prefix="decode") as pool:
            squares = pool.map(self._decode, items)
            return {item.sha256: square for item, square in zip(items, squares, strict=True)}

    def _decode(self, item: Item) -> Square:
        try:
            image = decode(self.snapshot.path(item))
        except FormatError as error:
            raise unreadable(item, error) from error
        return to_square(image, self.preprocessing, self.preprocessing.size_px)


def unreadable(item: Item, error: FormatError) -> JobFailedError:
    """Return the failure of a job whose snapshot holds an image that cannot be decoded."""
    return JobFailedError(
        "blob-unreadable",
        f"The image {item.sha256} ({item.label}) cannot be used: {error}. "
        "Exclude it from the dataset and take a new snapshot.",
    )

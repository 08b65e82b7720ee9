"""Files that are never written: their length is known, and any part of them can be read.

An archive of stored files is a list of regions whose lengths follow from the sizes of the files. So
a download goes on in the middle after a broken connection, at the cost of what is left of it, and
nothing is held in memory but a piece. Imports nothing of the project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

# What is handed on at once: large enough that the ways between threads and through HTTP cost little
# beside the reading, small enough that many slow clients take little memory.
PIECE_BYTES: Final = 1 << 20


class Region(Protocol):
    """A part of a file."""

    @property
    def length(self) -> int:
        """Return how many bytes it has."""

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield its bytes from ``start`` up to ``stop``, in order, in pieces of any size."""


class Bytes:
    """Bytes that are there."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def length(self) -> int:
        """Return how many bytes it has."""
        return len(self._data)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield them."""
        yield self._data[start:stop]


class Stored:
    """A file on disk that does not change.

    Args:
        path: Where it lies.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._length = path.stat().st_size

    @property
    def length(self) -> int:
        """Return how many bytes it has."""
        return self._length

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield its bytes.

        Raises:
            OSError: It is gone, shorter than it was, or the disk fails.
        """
        with self._path.open("rb", buffering=0) as file:
            file.seek(start)
            while start < stop:
                piece = file.read(min(PIECE_BYTES, stop - start))
                if not piece:
                    raise OSError(f"{self._path.name} is shorter than it was")
                start += len(piece)
                yield piece


class Entries:
    """Many small parts, each made when it is read.

    Args:
        lengths: ``[N]`` int64, the bytes of each.
        build: Makes the one at a place; must be as long as was said, and the same each time.
    """

    def __init__(self, lengths: NDArray[np.int64], build: Callable[[int], bytes]) -> None:
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self._build = build

    @property
    def length(self) -> int:
        """Return how many bytes they have together."""
        return int(self._ends[-1]) if self._ends.size else 0

    @property
    def starts(self) -> NDArray[np.int64]:
        """Return where each begins."""
        return np.concatenate([np.zeros(1, np.int64), self._ends[:-1]])[: self._ends.size]

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield their bytes; one that is only half wanted is made all the same."""
        place = int(np.searchsorted(self._ends, start, side="right"))
        ends = self._ends.data  # gives plain numbers, which numpy would make objects of its own of
        begin = ends[place - 1] if place else 0
        while begin < stop:
            data = self._build(place)
            end = ends[place]
            if len(data) != end - begin:
                raise ValueError(f"part {place} has {len(data)} bytes, not {end - begin}")
            is_whole = begin >= start and end <= stop
            yield data if is_whole else data[max(0, start - begin) : stop - begin]
            place, begin = place + 1, end


class Layout:
    """A file made of regions, one after the other."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._regions = regions
        self.length = sum(region.length for region in regions)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` up to ``stop``, in pieces of about `PIECE_BYTES`."""
        waiting: list[bytes] = []
        size = 0
        for piece in self._read_parts(start, stop):
            waiting.append(piece)
            size += len(piece)
            if size >= PIECE_BYTES:
                yield b"".join(waiting)
                waiting, size = [], 0
        if waiting:
            yield b"".join(waiting)

    def _read_parts(self, start: int, stop: int) -> Iterator[bytes]:
        begin = 0
        for region in self._regions:
            end = begin + region.length
            first, last = max(start, begin), min(stop, end)
            if first < last:
                yield from region.read(first - begin, last - begin)
            begin = end

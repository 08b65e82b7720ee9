"""Finds every pair of pictures that look alike, among all that are given. numpy only.

Exact, as comparing all with all is, but not in its time: of two hashes that differ in 10 of 64
bits, one of four parts of 16 bits differs in 2 at most, so only pictures that agree so far in one
of the four have to be compared. That takes 1.4 s for 100,000 pictures, where all N²/2 take 20 s.
Source: M. Norouzi, A. Punjani, D. Fleet, "Fast Search in Hamming Space with Multi-Index Hashing",
CVPR 2012.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from server.media.digests import NEAR_DHASH_BITS, NEAR_PHASH_BITS

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]

_PARTS: Final = 4
_PART_BITS: Final = 16
_PART_VALUES: Final = 1 << _PART_BITS
# In the best of four parts, at most a quarter of the bits in which two hashes may differ.
_MOST_PART_BITS: Final = NEAR_DHASH_BITS // _PARTS
# Fewer than that are compared all with all, which then takes less time: at most 0.4 s.
_FEW: Final = 12_000
# Pairs compared at once: some 30 bytes each.
_BLOCK: Final = 1 << 18
# What a pair costs that is found by its parts, next to one of all with all.
_PAIR_COST: Final = 4
# Rows and columns of a tile of all with all: 2 MiB of distances, which a processor's cache holds.
_TILE: Final = 512


def near_pairs(dhashes: NDArray[np.uint64], phashes: NDArray[np.uint64]) -> Iterator[Pairs]:
    """Yield every pair of pictures that look alike, once; those that look most alike come first.

    The order is that of levels: pairs whose difference hashes differ in 3 bits at most, then those
    up to 7, then the others. (Given few pictures, or such as look alike for the most part, it has
    the first level and the others.)

    Args:
        dhashes: ``[N]`` difference hashes of 64 bits. Equal pictures are many pairs: better ask
            with each look once.
        phashes: ``[N]`` cosine hashes of the same pictures.

    Yields:
        Two arrays of places in the arguments; those of a pair stand at the same index.
    """
    if dhashes.size < _FEW:
        yield from _compare_all(dhashes, phashes)
        return
    parts = _split(dhashes)
    if _PAIR_COST * _count_candidates(parts) > dhashes.size**2 // 2:
        yield from _compare_all(dhashes, phashes)
        return
    tables = [_Table(parts[:, part], part) for part in range(_PARTS)]
    for bits in range(_MOST_PART_BITS + 1):
        for table in tables:
            for pairs in table.find(bits):
                pairs_alike = _keep_near(dhashes, *pairs, NEAR_DHASH_BITS)
                first, second = _keep_near(phashes, *pairs_alike, NEAR_PHASH_BITS)
                is_here = _is_found_in(parts, first, second, bits, table.part)
                if is_here.any():
                    yield first[is_here], second[is_here]


def _compare_all(dhashes: NDArray[np.uint64], phashes: NDArray[np.uint64]) -> Iterator[Pairs]:
    for closest, farthest in ((0, _PARTS - 1), (_PARTS, NEAR_DHASH_BITS)):
        for top in range(0, dhashes.size, _TILE):
            rows = dhashes[top : top + _TILE, None]
            for left in range(top, dhashes.size, _TILE):
                apart = np.bitwise_count(rows ^ dhashes[None, left : left + _TILE])
                first, second = np.nonzero((apart >= closest) & (apart <= farthest))
                first, second = first + top, second + left
                once = first < second
                pairs = _keep_near(phashes, first[once], second[once], NEAR_PHASH_BITS)
                if pairs[0].size:
                    yield pairs


def _split(hashes: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return ``[N, 4]``: each hash in four parts of bits that lie apart in the picture.

    Neighbours often agree (a plain sky is a row of zeros); parts of neighbours would be the same
    for half of all pictures, and tell nothing.
    """
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    row, column = np.divmod(np.arange(_PARTS * _PART_BITS), 8)
    order = np.argsort((row + column) % _PARTS, kind="stable")
    packed = np.ascontiguousarray(np.packbits(bits[:, order], axis=1))
    return packed.view(np.uint16)


def _masks(bits: int) -> list[int]:
    return [sum(1 << place for place in chosen) for chosen in combinations(range(_PART_BITS), bits)]


def _count_candidates(parts: NDArray[np.uint16]) -> int:
    """Return how many pairs would be compared."""
    found = 0.0
    values = np.arange(_PART_VALUES)
    for part in range(_PARTS):
        counts = np.bincount(parts[:, part], minlength=_PART_VALUES).astype(np.float64)
        for bits in range(_MOST_PART_BITS + 1):
            found += sum(float(counts @ counts[values ^ mask]) for mask in _masks(bits)) / 2
    return int(found)


class _Table:
    """Pictures in the order of one part of their hashes."""

    def __init__(self, values: NDArray[np.uint16], part: int) -> None:
        self.part = part
        self._order = np.argsort(values, kind="stable").astype(np.int64)
        self._values = values[self._order].astype(np.int64)
        counts = np.bincount(values, minlength=_PART_VALUES)
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts

    def find(self, bits: int) -> Iterator[Pairs]:
        """Yield the pairs whose parts differ in exactly so many bits, in blocks."""
        for mask in _masks(bits):
            partners = self._values ^ mask
            places = np.arange(self._values.size)
            # Each pair once: of equal parts the later one, else the one with the lesser part.
            starts = places + 1 if mask == 0 else self._starts[partners]
            rooms = self._ends[partners] - starts
            if mask:
                rooms = np.where(self._values < partners, rooms, 0)
            yield from self._cross(places, starts, rooms)

    def _cross(
        self, places: NDArray[np.int64], starts: NDArray[np.int64], rooms: NDArray[np.int64]
    ) -> Iterator[Pairs]:
        """Yield each place with the ``rooms`` ones from its start on."""
        some = np.flatnonzero(rooms)
        ends = np.cumsum(rooms[some])
        done = 0
        while done < some.size:
            base = int(ends[done - 1]) if done else 0
            # At least one place, so that it ends: that is one row of all with all.
            stop = max(done + 1, int(np.searchsorted(ends, base + _BLOCK, side="right")))
            part = some[done:stop]
            room = rooms[part]
            before = ends[done:stop] - room - base
            first = np.repeat(places[part], room)
            second = np.arange(first.size) + np.repeat(starts[part] - before, room)
            yield self._order[first], self._order[second]
            done = stop


def _keep_near(
    hashes: NDArray[np.uint64], first: NDArray[np.int64], second: NDArray[np.int64], bits: int
) -> Pairs:
    near = np.bitwise_count(hashes[first] ^ hashes[second]) <= bits
    return first[near], second[near]


def _is_found_in(
    parts: NDArray[np.uint16],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    bits: int,
    part: int,
) -> NDArray[np.bool_]:
    """Tell of each pair whether it is first found by this part at this level."""
    apart = np.bitwise_count(parts[first] ^ parts[second])
    is_first: NDArray[np.bool_] = (apart.min(axis=1) == bits) & (apart.argmin(axis=1) == part)
    return is_first

"""Finds every pair of pictures that look alike, among all that are given. numpy only.

Exact, as comparing all with all is, but not in its time: of two hashes that differ in 10 of 64
bits, one of four parts of 16 bits differs in 2 at most, so only pictures that agree so far in one
of the four have to be compared. That takes half a second for 100,000 pictures, where all N²/2 take
20 s.
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
# With that many in the best part, the parts before it, which differ in more, must leave room.
_LAST_AT_MOST: Final = NEAR_DHASH_BITS % _PARTS
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
    tables = [_Table(dhashes, parts[:, part], part) for part in range(_PARTS)]
    for bits in range(_MOST_PART_BITS + 1):
        for table in tables[: _LAST_AT_MOST + 1] if bits == _MOST_PART_BITS else tables:
            for pairs in table.find(bits):
                first, second = _keep_near(phashes, *pairs, NEAR_PHASH_BITS)
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
    """Return how many pairs would be compared, at most."""
    found = 0.0
    for part in range(_PARTS):
        counts = np.bincount(parts[:, part], minlength=_PART_VALUES).astype(np.float64)
        # Two steps of one bit lead to each value two bits away twice, and back by each bit.
        one = _sum_one_bit_away(counts)
        two = (_sum_one_bit_away(one) - _PART_BITS * counts) / 2
        found += float(counts @ (counts + one + two)) / 2
    return int(found)


def _sum_one_bit_away(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each value of a part, the sum of what those hold that differ in one bit."""
    total = np.zeros_like(counts)
    for bit in range(_PART_BITS):
        total += counts.reshape(-1, 2, 1 << bit)[:, ::-1].ravel()
    return total


class _Table:
    """Pictures in the order of one part of their hashes.

    Pairs are compared here, in that order: those of a block then lie side by side in memory.
    """

    def __init__(self, hashes: NDArray[np.uint64], values: NDArray[np.uint16], part: int) -> None:
        self.part = part
        self._order = np.argsort(values, kind="stable").astype(np.int64)
        self._hashes = hashes[self._order]
        self._values = values[self._order].astype(np.int64)
        self._counts = np.bincount(values, minlength=_PART_VALUES)
        self._starts = np.cumsum(self._counts) - self._counts

    def find(self, bits: int) -> Iterator[Pairs]:
        """Yield the pairs that are near and whose parts differ in exactly so many bits."""
        if bits == 0:
            places = np.arange(self._values.size)
            ends = (self._starts + self._counts)[self._values]
            yield from self._compare(places, places + 1, ends - places - 1)
            return
        # Each pair once, from the lesser part: it lacks the highest bit that differs.
        lacking = [np.flatnonzero(self._values >> bit & 1 == 0) for bit in range(_PART_BITS)]
        for mask in _masks(bits):
            places = lacking[mask.bit_length() - 1]
            partners = self._values[places] ^ mask
            yield from self._compare(places, self._starts[partners], self._counts[partners])

    def _compare(
        self, places: NDArray[np.int64], starts: NDArray[np.int64], rooms: NDArray[np.int64]
    ) -> Iterator[Pairs]:
        """Yield those of each place and the ``rooms`` ones from its start on that are near."""
        ends = np.cumsum(rooms)
        done = 0
        while done < places.size:
            base = int(ends[done - 1]) if done else 0
            # At least one place, so that it ends: that is one row of all with all.
            stop = max(done + 1, int(np.searchsorted(ends, base + _BLOCK, side="right")))
            room = rooms[done:stop]
            shift = starts[done:stop] - (ends[done:stop] - room - base)
            second = np.repeat(shift, room)
            second += np.arange(second.size)
            apart = np.repeat(self._hashes[places[done:stop]], room)
            apart ^= self._hashes[second]
            near = np.flatnonzero(np.bitwise_count(apart) <= NEAR_DHASH_BITS)
            if near.size:
                first = places[done + np.searchsorted(ends[done:stop], base + near, side="right")]
                yield self._order[first], self._order[second[near]]
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

"""Finds the picture that looks most like a new one, among all that are kept. numpy only.

Every hash is compared, so nothing is missed: under a millisecond for a million (``make bench-near``
prints it beside other indexes). At most 52 bytes a picture, in memory, made anew from the database
when the server starts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from server.media.digests import NEAR_DHASH_BITS, NEAR_PHASH_BITS

# Hashes compared at once. Their distances take 9 bytes each beside the hashes: 1 MiB stays in a
# processor's cache.
_TILE: Final = 65_536
_FIRST_ROOM: Final = 1024
_NAME_BYTES: Final = 32  # a sha256


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture looks.

    Attributes:
        dhash: Difference hash, 64 bits, unsigned.
        phash: Cosine hash, 64 bits, unsigned.
    """

    dhash: int
    phash: int


class NearIndex:
    """Looks of pictures, each in a group of those that look alike.

    A new picture joins the group of the one that it resembles most, or begins its own, under its
    own sha256. Groups are never joined afterwards: a picture that resembles two is in one of them,
    since moving the other group would move its pictures to the other side of a split. Not safe for
    threads.
    """

    def __init__(self, known: Iterable[tuple[Look, str]] = ()) -> None:
        """Keep what is known from before.

        Args:
            known: Looks of pictures, each with the name of its group.

        Raises:
            ValueError: A name is no sha256.
        """
        self._count = 0
        self._dhashes = np.empty(_FIRST_ROOM, dtype=np.uint64)
        self._phashes = np.empty(_FIRST_ROOM, dtype=np.uint64)
        self._groups = np.empty(_FIRST_ROOM, dtype=np.int32)
        self._group_count = 0
        self._names = np.empty((_FIRST_ROOM, _NAME_BYTES), dtype=np.uint8)
        self._xor = np.empty(_TILE, dtype=np.uint64)
        self._bits = np.empty(_TILE, dtype=np.uint8)
        numbers: dict[str, int] = {}
        for look, name in known:
            if name not in numbers:
                numbers[name] = self._begin_group(name)
            self._append(look, numbers[name])

    def __len__(self) -> int:
        """Return how many looks are kept; pictures that are equal in both hashes share one."""
        return self._count

    def find(self, look: Look) -> str | None:
        """Return the group of the picture that looks most like this; None where none does."""
        place = self._closest(look)
        return None if place is None else self._name(int(self._groups[place]))

    def join(self, sha256: str, look: Look) -> str:
        """Keep a picture and return the name of its group.

        Args:
            sha256: The picture's name, 64 hexadecimal digits.
            look: How it looks.

        Raises:
            ValueError: The name is no sha256.
        """
        place = self._closest(look)
        group = self._begin_group(sha256) if place is None else int(self._groups[place])
        # A look that is there to the bit would find nothing that the one there does not.
        if place is None or self._look(place) != look:
            self._append(look, group)
        return self._name(group)

    def _closest(self, look: Look) -> int | None:
        """Return the place of the picture that looks most like this, the first of several."""
        near = self._find_near(look)
        if near.size == 0:
            return None
        distances = np.bitwise_count(self._dhashes[near] ^ np.uint64(look.dhash)).astype(np.int64)
        distances += np.bitwise_count(self._phashes[near] ^ np.uint64(look.phash))
        return int(near[int(distances.argmin())])

    def _find_near(self, look: Look) -> NDArray[np.int64]:
        found = [np.empty(0, dtype=np.int64)]
        wanted = np.uint64(look.dhash)
        for start in range(0, self._count, _TILE):
            hashes = self._dhashes[start : min(start + _TILE, self._count)]
            xor, bits = self._xor[: hashes.size], self._bits[: hashes.size]
            np.bitwise_xor(hashes, wanted, out=xor)
            np.bitwise_count(xor, out=bits)
            found.append(np.flatnonzero(bits <= NEAR_DHASH_BITS) + start)
        near = np.concatenate(found)
        apart = np.bitwise_count(self._phashes[near] ^ np.uint64(look.phash))
        kept: NDArray[np.int64] = near[apart <= NEAR_PHASH_BITS]
        return kept

    def _look(self, place: int) -> Look:
        return Look(int(self._dhashes[place]), int(self._phashes[place]))

    def _append(self, look: Look, group: int) -> None:
        if self._count == self._dhashes.size:
            room = 2 * self._count
            for array in (self._dhashes, self._phashes, self._groups):
                array.resize(room, refcheck=False)
        self._dhashes[self._count] = look.dhash
        self._phashes[self._count] = look.phash
        self._groups[self._count] = group
        self._count += 1

    def _begin_group(self, sha256: str) -> int:
        name = np.frombuffer(bytes.fromhex(sha256), dtype=np.uint8)
        if name.size != _NAME_BYTES:
            raise ValueError(f"{sha256[:80]!r} is no sha256")
        if self._group_count == len(self._names):
            self._names.resize((2 * self._group_count, _NAME_BYTES), refcheck=False)
        self._names[self._group_count] = name
        self._group_count += 1
        return self._group_count - 1

    def _name(self, group: int) -> str:
        return bytes(self._names[group]).hex()

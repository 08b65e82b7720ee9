"""Lays out WebDataset tars, of which any part can be read. May import ``exports``.

A sample is three files of one name: the image, ``.cls`` (the place of its label among the classes,
as training code wants it) and ``.json`` (label and split, as people do). Names are short and files
under 8 GiB, so plain ``ustar`` headers hold them.
Source: github.com/webdataset/webdataset, README, "The WebDataset Format"; POSIX.1-1988, tar.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from server.contract.snapshot import Split
from server.exports.listing import Listing
from server.exports.regions import Bytes, Entries, Layout
from server.exports.samples import Samples

_BLOCK: Final = 512
_OWNER: Final = b"0000644\x00" + 2 * b"0000000\x00"  # rights, and nobody's
_PLAIN: Final = b"0"  # the type of a plain file
_REST: Final = (bytes(100) + b"ustar\x0000").ljust(355, b"\0")  # no link, no names of owners
_FIXED_SUM: Final = sum(_OWNER) + 8 * ord(" ") + sum(_PLAIN) + sum(_REST)
# Large enough that a disk or a network reads it in one go, small enough to be handed around.
SHARD_BYTES: Final = 256 << 20


@dataclass(frozen=True)
class Shard:
    """A part of a snapshot: images of one side.

    Attributes:
        name: ``train-000000``, without an extension.
        places: ``[N]`` places of its images in the listing.
    """

    name: str
    places: NDArray[np.int64]


def shards_of(listing: Listing) -> list[Shard]:
    """Return the shards of a snapshot, those to train on first; each of some 256 MiB."""
    found = []
    for split in (Split.TRAIN, Split.VALID):
        places = np.flatnonzero(listing.is_valid == (split is Split.VALID))
        ends = np.cumsum(_sample_lengths(listing, places))
        numbers = (ends - 1) // SHARD_BYTES
        for number, part in enumerate(np.split(places, np.flatnonzero(np.diff(numbers)) + 1)):
            if part.size:
                found.append(Shard(f"{split.value}-{number:06}", part))
    return found


def tar_layout(samples: Samples, places: NDArray[np.int64]) -> Layout:
    """Return a tar of some of a snapshot's images.

    Args:
        samples: All of them.
        places: Which ones, in this order.
    """
    listing = samples.listing
    modified = b"%011o\0" % int(listing.created_at.timestamp())
    notes = [
        (_File(".json", modified, note), _File(".cls", modified, number))
        for note, number in _notes(listing)
    ]
    numbers = (2 * listing.labels[places] + listing.is_valid[places]).tolist()
    folders = [f"{split.value}/".encode() for split in (Split.TRAIN, Split.VALID)]

    def build(index: int) -> bytes:
        place = int(places[index])
        number = numbers[index]
        base, dot, extension = samples.file_name(place).partition(b".")
        name = folders[number % 2] + base
        total = sum(name)  # of the three checksums
        data = samples.read(place)
        size = b"%011o\0" % len(data) + modified
        ending = dot + extension
        head = _head(name + ending, size, total + sum(ending) + sum(size))
        note, answer = notes[number]
        parts = (head, data, bytes(-len(data) % _BLOCK), answer.of(name, total))
        return b"".join((*parts, note.of(name, total)))

    ends = Bytes(bytes(2 * _BLOCK))
    return Layout([Entries(_sample_lengths(listing, places), build), ends])


def _notes(listing: Listing) -> list[tuple[bytes, bytes]]:
    """Return the ``.json`` and ``.cls`` of each label on each side."""
    return [
        (
            json.dumps({"label": label, "split": split.value}, ensure_ascii=False).encode(),
            str(number).encode(),
        )
        for number, label in enumerate(listing.classes)
        for split in (Split.TRAIN, Split.VALID)
    ]


def _sample_lengths(listing: Listing, places: NDArray[np.int64]) -> NDArray[np.int64]:
    small = np.array(
        [2 * _BLOCK + _padded(len(note)) + _padded(len(number)) for note, number in _notes(listing)]
    )
    kinds = 2 * listing.labels[places] + listing.is_valid[places]
    sizes = listing.sizes[places]
    lengths: NDArray[np.int64] = _BLOCK + sizes + -sizes % _BLOCK + small[kinds]
    return lengths


def _padded(size: int) -> int:
    return size + -size % _BLOCK


class _File:
    """A small file that is the same for many samples but for its name.

    Args:
        ending: Of its name.
        modified: When it was, as a header has it.
        data: All of it.
    """

    def __init__(self, ending: str, modified: bytes, data: bytes) -> None:
        self._ending = ending.encode()
        self._numbers = b"%011o\0" % len(data) + modified
        self._total = sum(self._ending) + sum(self._numbers)
        self._data = data + bytes(-len(data) % _BLOCK)

    def of(self, name: bytes, total: int) -> bytes:
        """Return it with its header.

        Args:
            name: Of the sample.
            total: The sum of the name's bytes.
        """
        return _head(name + self._ending, self._numbers, total + self._total) + self._data


def _head(name: bytes, numbers: bytes, total: int) -> bytes:
    """Return a header.

    Args:
        name: At most 100 bytes.
        numbers: Size and time, as they stand there.
        total: The sum of the bytes of both; summing a whole header takes five times as long.
    """
    # The checksum counts itself as spaces.
    checksum = b"%06o\0 " % (_FIXED_SUM + total)
    return b"".join((name.ljust(100, b"\0"), _OWNER, numbers, checksum, _PLAIN, _REST))

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
_NAME_FIELD: Final = 100
_NAME_BYTES: Final = len("train/") + 64  # or "valid/", and a sha256
_OWNER: Final = b"0000644\x00" + 2 * b"0000000\x00"  # rights, and nobody's
# A plain file; no link; no names of owners.
_BACK: Final = (b"0" + bytes(100) + b"ustar\x0000").ljust(356, b"\0")
_ZEROS: Final = bytes(_BLOCK)
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
        (_File(".cls", modified, number), _File(".json", modified, note))
        for note, number in _notes(listing)
    ]
    images = [_Image(extension, modified) for extension in listing.extensions]
    folders = [f"{split.value}/".encode() for split in (Split.TRAIN, Split.VALID)]
    # As views: they give plain numbers, as `Samples` has it.
    ordered = places.astype(np.int64).data
    numbers = (2 * listing.labels[places] + listing.is_valid[places]).data
    kinds = listing.kinds[places].data

    def build(index: int) -> bytes:
        place, number = ordered[index], numbers[index]
        name = folders[number % 2] + samples.sha256(place).encode()
        total = sum(name)  # of the three checksums
        answer, note = notes[number]
        image = images[kinds[index]].parts(name, total, samples.read(place))
        return b"".join((*image, *answer.parts(name, total), *note.parts(name, total)))

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
        self._front = _front(ending) + b"%011o\0" % len(data) + modified
        self._back = _BACK + data + bytes(-len(data) % _BLOCK)
        self._total = _sum_of_head(self._front)

    def parts(self, name: bytes, total: int) -> tuple[bytes, ...]:
        """Return it with its header, in parts.

        Args:
            name: Of the sample.
            total: The sum of the name's bytes; summing a whole header takes five times as long.
        """
        return name, self._front, b"%06o\0 " % (self._total + total), self._back


class _Image:
    """Images of one format: their headers differ in name and size.

    Args:
        extension: Of the name.
        modified: When they were, as a header has it.
    """

    def __init__(self, extension: str, modified: bytes) -> None:
        self._front = _front(f".{extension}")
        self._modified = modified
        self._total = _sum_of_head(self._front + modified)

    def parts(self, name: bytes, total: int, data: bytes) -> tuple[bytes, ...]:
        """Return one with its header, in parts.

        Args:
            name: Of the sample.
            total: The sum of the name's bytes.
            data: All of it.
        """
        size = b"%011o\0" % len(data)
        checksum = b"%06o\0 " % (self._total + total + sum(size))
        padding = _ZEROS[: -len(data) % _BLOCK]
        return name, self._front, size, self._modified, checksum, _BACK, data, padding


def _front(ending: str) -> bytes:
    """Return what stands in a header between the name of the sample and the size."""
    return ending.encode().ljust(_NAME_FIELD - _NAME_BYTES, b"\0") + _OWNER


def _sum_of_head(known: bytes) -> int:
    """Return the checksum of a header without the name and what else is not known yet."""
    # The checksum counts itself as spaces.
    return sum(known) + 8 * ord(" ") + sum(_BACK)

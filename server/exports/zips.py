"""Lays out a zip of stored files, of which any part can be read.

May import ``exports``, ``archives``. Images are compressed already, so they are stored: the place
of every byte follows from the sizes and names. Libraries that stream zips (zipstream-ng,
stream-zip) only write from the beginning, and either take their sizes one by one from objects or
leave them for behind the data; the format is small enough to be laid out here. Zip64 is used where
a number does not fit, and only there.
Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10, section 4.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from server.archives.zip_records import (
    CENTRAL,
    CENTRAL_MAGIC,
    END,
    END_64,
    END_64_MAGIC,
    END_MAGIC,
    IS_UTF_8,
    LOCAL,
    LOCAL_MAGIC,
    LOCATOR_64,
    LOCATOR_64_MAGIC,
    UNIX,
    UNKNOWN_16,
    UNKNOWN_32,
    WIDE_FIELD,
)
from server.exports.regions import Bytes, Entries, Layout, Region, Stored
from server.exports.samples import Samples

_EXTRA_64: Final = struct.Struct("<2HQ")
_STORED_VERSION: Final = 20
_ZIP64_VERSION: Final = 45
_RIGHTS: Final = 0o100644 << 16  # a plain file, as `ls -l` has it
_MAX_16: Final = UNKNOWN_16
_MAX_32: Final = UNKNOWN_32
_FIRST_YEAR: Final = 1980


@dataclass(frozen=True)
class Extra:
    """A file beside the images.

    Attributes:
        name: Its path in the archive.
        content: Its bytes, or where they lie.
    """

    name: str
    content: bytes | Path

    def region(self) -> Region:
        """Return what is stored."""
        return Bytes(self.content) if isinstance(self.content, bytes) else Stored(self.content)


def zip_layout(samples: Samples, extras: Sequence[Extra]) -> Layout:
    """Return a zip of a snapshot's images, ``train/<label>/<sha256>.jpg``, and of other files.

    Args:
        samples: The images; they come in the snapshot's order, after the other files.
        extras: The other files, of less than 4 GiB each.
    """
    stamp = _dos_time(samples.listing.created_at)
    regions: list[Region] = []
    directory: list[bytes] = []
    offset = 0
    for extra in extras:
        content, name = extra.region(), extra.name.encode()
        crc = _crc_of(content)
        head = _local(name, crc, content.length, stamp)
        directory.append(_central(name, crc, content.length, offset, stamp))
        regions += [Bytes(head), content]
        offset += len(head) + content.length
    images = _images(samples, stamp)
    starts = images.starts + offset
    central = _central_images(samples, starts, stamp)
    extra_directory = Bytes(b"".join(directory))
    directory_bytes = extra_directory.length + central.length
    end = _end(len(samples.listing) + len(extras), directory_bytes, offset + images.length)
    return Layout([*regions, images, extra_directory, central, Bytes(end)])


def _images(samples: Samples, stamp: tuple[int, int]) -> Entries:
    def build(place: int) -> bytes:
        data = samples.read(place)
        crc = int(samples.crcs[place])
        return _local(samples.path(place), crc, len(data), stamp) + data

    return Entries(LOCAL.size + samples.path_lengths + samples.listing.sizes, build)


def _central_images(samples: Samples, starts: NDArray[np.int64], stamp: tuple[int, int]) -> Entries:
    def build(place: int) -> bytes:
        size, crc = int(samples.listing.sizes[place]), int(samples.crcs[place])
        return _central(samples.path(place), crc, size, int(starts[place]), stamp)

    extra = np.where(starts >= _MAX_32, _EXTRA_64.size, 0)
    return Entries(CENTRAL.size + samples.path_lengths + extra, build)


def _local(name: bytes, crc: int, size: int, stamp: tuple[int, int]) -> bytes:
    time, date = stamp
    fields = (_STORED_VERSION, IS_UTF_8, 0, time, date, crc, size, size, len(name), 0)
    return LOCAL.pack(LOCAL_MAGIC, *fields) + name


def _central(name: bytes, crc: int, size: int, offset: int, stamp: tuple[int, int]) -> bytes:
    time, date = stamp
    is_far = offset >= _MAX_32
    extra = _EXTRA_64.pack(WIDE_FIELD, 8, offset) if is_far else b""
    version = _ZIP64_VERSION if is_far else _STORED_VERSION
    return (
        CENTRAL.pack(
            CENTRAL_MAGIC,
            version,
            UNIX,
            version,
            0,
            IS_UTF_8,
            0,
            time,
            date,
            crc,
            size,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            _RIGHTS,
            _MAX_32 if is_far else offset,
        )
        + name
        + extra
    )


def _end(count: int, size: int, offset: int) -> bytes:
    """Return what follows the directory: how many files, its size, and where it begins."""
    is_large = count >= _MAX_16 or size >= _MAX_32 or offset >= _MAX_32
    shown = min(count, _MAX_16)
    end = END.pack(END_MAGIC, 0, 0, shown, shown, min(size, _MAX_32), min(offset, _MAX_32), 0)
    if not is_large:
        return end
    versions = (UNIX << 8 | _ZIP64_VERSION, _ZIP64_VERSION)
    rest = END_64.size - 12
    end_64 = END_64.pack(END_64_MAGIC, rest, *versions, 0, 0, count, count, size, offset)
    return end_64 + LOCATOR_64.pack(LOCATOR_64_MAGIC, 0, offset + size, 1) + end


def _crc_of(region: Region) -> int:
    crc = 0
    for piece in region.read(0, region.length):
        crc = zlib.crc32(piece, crc)
    return crc


def _dos_time(moment: datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS had them: in steps of two seconds, in UTC."""
    utc = moment.astimezone(UTC)
    time = utc.hour << 11 | utc.minute << 5 | utc.second // 2
    date = max(0, utc.year - _FIRST_YEAR) << 9 | utc.month << 5 | utc.day
    return time, date

"""Zip files, read with as little trust as a stranger's file deserves.

Not ``zipfile``: that holds the whole directory in memory (1 M entries are some 600 MB), goes by
the first of two sizes that disagree, and does not mind entries that share their bytes, of which the
worst bombs are made (D. Fifield, "A better zip bomb", 2019). Here the directory is read entry by
entry under caps, each entry must own its bytes, and is held to the size that it claims.
Source: PKWARE APPNOTE 6.3.10, section 4.3. Stored and deflated entries are read; that is what
every tool writes unless told otherwise.
"""

from __future__ import annotations

import stat
import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from server.archives.entries import ArchiveLimits, Entry, Tally, check_size, entry_of, lies
from server.archives.refusals import EntryFlaw, EntryRefusedError, Flaw, refused
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

_MAX_COMMENT_BYTES: Final = 0xFFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000  # classic, strong, and a masked directory
_DARWIN: Final = 19
_CHUNK_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class _Directory:
    """Where the central directory lies."""

    at: int
    bytes: int
    count: int


class ZipArchive:
    """A zip on disk.

    Args:
        file: Open for reading; seekable.
        limits: How much of it is read.

    Raises:
        ImportRefusedError: It is no zip, damaged, or goes beyond its limits.
    """

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._file = file
        self._limits = limits
        self._size_bytes = file.seek(0, 2)
        self._directory = _find_directory(file, self._size_bytes)
        if self._directory.bytes > limits.directory_bytes:
            raise refused(
                Flaw.DIRECTORY_TOO_LARGE,
                f"its directory has {self._directory.bytes:,} bytes, over the limit of "
                f"{limits.directory_bytes:,}; import it in parts",
            )
        if self._directory.count > limits.entries:
            raise refused(
                Flaw.TOO_MANY_ENTRIES,
                f"it holds {self._directory.count:,} entries, over the limit of "
                f"{limits.entries:,}; import it in parts",
            )
        self._check_extents()

    def entries(self) -> Iterator[Entry]:
        """Yield the regular files and what is refused, in the directory's order.

        Raises:
            ImportRefusedError: The directory is damaged, or goes beyond its limits.
        """
        tally = Tally(self._limits, self._size_bytes)
        for entry in self._read_directory():
            tally.add(entry.bytes)
            if not (entry.refusal is None and not entry.parts):
                yield entry

    def read(self, entry: Entry, max_bytes: int) -> bytes:
        """Return the bytes of an entry.

        Raises:
            EntryRefusedError: It is damaged, or not as large as it claims, or larger than allowed.
        """
        check_size(entry.bytes, max_bytes)
        self._file.seek(entry.at)
        head = self._file.read(LOCAL.size)
        if len(head) < LOCAL.size or not head.startswith(LOCAL_MAGIC):
            raise EntryRefusedError(EntryFlaw.DAMAGED, "the directory points at no entry")
        _, _, flags, method, _, _, _, _, _, name_bytes, extra_bytes = LOCAL.unpack(head)
        if method != entry.method or flags & _ENCRYPTED:
            raise EntryRefusedError(EntryFlaw.DAMAGED, "it says other things than the directory")
        start = entry.at + LOCAL.size + name_bytes + extra_bytes
        if start + entry.packed_bytes > self._directory.at:
            raise EntryRefusedError(EntryFlaw.DAMAGED, "it reaches beyond the entries")
        self._file.seek(start)
        data = self._unpack(entry)
        if zlib.crc32(data) != entry.crc:
            raise EntryRefusedError(EntryFlaw.DAMAGED, "its checksum is wrong")
        return data

    def _unpack(self, entry: Entry) -> bytes:
        if entry.method == _STORED:
            if entry.packed_bytes != entry.bytes:
                raise lies(f"{entry.packed_bytes:,}", entry.bytes)
            return self._file.read(entry.bytes)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        left_bytes = entry.packed_bytes
        data = bytearray()
        try:
            while left_bytes > 0 and not unpacker.eof and len(data) <= entry.bytes:
                chunk = self._file.read(min(_CHUNK_BYTES, left_bytes))
                if not chunk:
                    break
                left_bytes -= len(chunk)
                while chunk and len(data) <= entry.bytes:  # one byte over the claim tells the lie
                    data += unpacker.decompress(chunk, entry.bytes + 1 - len(data))
                    chunk = unpacker.unconsumed_tail
        except zlib.error as error:
            raise EntryRefusedError(EntryFlaw.DAMAGED, f"it can't be unpacked: {error}") from error
        if len(data) > entry.bytes:
            raise lies("more", entry.bytes)
        if len(data) < entry.bytes:
            raise lies(f"{len(data):,}", entry.bytes)
        return bytes(data)

    def _check_extents(self) -> None:
        """Check the limits, and that no two entries share bytes.

        A pass over the whole directory; two numbers are kept of each entry.

        Raises:
            ImportRefusedError: They do, or are not where they are said to be.
        """
        tally = Tally(self._limits, self._size_bytes)
        starts, ends = array("Q"), array("Q")
        for entry in self._read_directory():
            tally.add(entry.bytes)
            end = entry.at + LOCAL.size + entry.packed_bytes
            if end > self._directory.at:
                raise refused(Flaw.DAMAGED, "its directory points beyond the entries")
            starts.append(entry.at)
            ends.append(end)
        if len(starts) != self._directory.count:
            raise refused(
                Flaw.DAMAGED,
                f"its end counts {self._directory.count:,} entries, its directory {len(starts):,}",
            )
        last_end = 0
        for place in sorted(range(len(starts)), key=starts.__getitem__):
            if starts[place] < last_end:
                raise refused(Flaw.OVERLAPPING_ENTRIES, "its entries share bytes, as bombs do")
            last_end = ends[place]

    def _read_directory(self) -> Iterator[Entry]:
        """Yield every entry; folders have neither parts nor a refusal."""
        at, end = self._directory.at, self._directory.at + self._directory.bytes
        while at < end:
            # By position: between two entries of this the file is read elsewhere.
            self._file.seek(at)
            head = self._file.read(CENTRAL.size)
            if len(head) < CENTRAL.size or not head.startswith(CENTRAL_MAGIC):
                raise refused(Flaw.DAMAGED, "its directory is damaged")
            fields = CENTRAL.unpack(head)
            lengths = fields[12:15]  # of the name, the extra fields, the comment
            rest = self._file.read(lengths[0] + lengths[1])
            at += CENTRAL.size + sum(lengths)
            if len(rest) < lengths[0] + lengths[1] or at > end:
                raise refused(Flaw.DAMAGED, "its directory is cut off")
            yield _entry(fields, rest[: lengths[0]], rest[lengths[0] :])


def _find_directory(file: BinaryIO, size_bytes: int) -> _Directory:
    """Find the end record, from the end of the file, and what it points to."""
    tail_bytes = min(size_bytes, END.size + _MAX_COMMENT_BYTES)
    file.seek(size_bytes - tail_bytes)
    tail = file.read(tail_bytes)
    place = tail.rfind(END_MAGIC)
    while place >= 0 and not _is_end(tail, place):
        place = tail.rfind(END_MAGIC, 0, place)
    if place < 0:
        raise refused(Flaw.DAMAGED, "it begins like a zip but has no proper end: cut off?")
    end_at = size_bytes - tail_bytes + place
    _, disk, first_disk, here, count, directory_bytes, at, _ = END.unpack_from(tail, place)
    limit = end_at
    if UNKNOWN_16 in {disk, here, count} or UNKNOWN_32 in {directory_bytes, at}:
        wide = _find_end_64(file, end_at)
        if wide is not None:
            limit, disk, first_disk, here, count, directory_bytes, at = wide
    if disk or first_disk or here != count:
        raise refused(Flaw.UNSUPPORTED, "it is one of several parts; join them first")
    if at + directory_bytes > limit:
        raise refused(Flaw.DAMAGED, "its end points to a directory beyond the file")
    return _Directory(at, directory_bytes, count)


def _is_end(tail: bytes, place: int) -> bool:
    """Tell whether an end record is whole and the last thing in the file."""
    if place + END.size > len(tail):
        return False
    return place + END.size + int(END.unpack_from(tail, place)[7]) == len(tail)


def _find_end_64(file: BinaryIO, end_at: int) -> tuple[int, ...] | None:
    """Return where the zip64 end record lies and what it says; None when there is none."""
    if end_at < LOCATOR_64.size:
        return None
    file.seek(end_at - LOCATOR_64.size)
    signature, _, at, _ = LOCATOR_64.unpack(file.read(LOCATOR_64.size))
    if signature != LOCATOR_64_MAGIC:
        return None
    if at + END_64.size > end_at:
        raise refused(Flaw.DAMAGED, "its zip64 end is not where it is said to be")
    file.seek(at)
    fields = END_64.unpack(file.read(END_64.size))
    if fields[0] != END_64_MAGIC:
        raise refused(Flaw.DAMAGED, "its zip64 end is not where it is said to be")
    return at, *fields[4:]


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes) -> Entry:
    made_by, flags, method = fields[2], fields[5], fields[6]
    crc, packed_bytes, size_bytes, at = fields[9], fields[10], fields[11], fields[18]
    try:
        size_bytes, packed_bytes, at = _widen((size_bytes, packed_bytes, at), extra)
        name = _decode(raw_name, is_utf_8=bool(flags & IS_UTF_8))
        refusal = _judge(flags, method, fields[17], made_by)
    except EntryRefusedError as error:
        name, refusal = raw_name.decode("utf-8", "replace"), error
    found = Entry("", (), size_bytes, at, packed_bytes, method, crc, refusal)
    if refusal is None and name.endswith("/"):
        return replace(found, path=name)  # a folder
    return entry_of(name, found)


def _widen(narrow: tuple[int, int, int], extra: bytes) -> tuple[int, int, int]:
    """Return the sizes and the offset, those that did not fit 32 bits from the zip64 field."""
    values = list(narrow)
    missing = [place for place, value in enumerate(values) if value == UNKNOWN_32]
    at = 0
    while missing and at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == WIDE_FIELD:
            if length < 8 * len(missing) or at + 4 + 8 * len(missing) > len(extra):
                break
            for number, place in enumerate(missing):
                (values[place],) = struct.unpack_from("<Q", extra, at + 4 + 8 * number)
            return values[0], values[1], values[2]
        at += 4 + length
    if missing:
        raise refused(Flaw.DAMAGED, "an entry says that it has a zip64 field, and has none")
    return narrow


def _decode(raw_name: bytes, *, is_utf_8: bool) -> str:
    """Return a name as text.

    Without the flag it is of code page 437 by the book, and UTF-8 as macOS and many others write
    it: bytes that are proper UTF-8 by chance are rare.
    """
    try:
        return raw_name.decode("utf-8")
    except UnicodeDecodeError as error:
        if is_utf_8:
            raise EntryRefusedError(
                EntryFlaw.BAD_NAME, "its name is said to be UTF-8 and is not"
            ) from error
        return raw_name.decode("cp437")


def _judge(flags: int, method: int, attributes: int, made_by: int) -> EntryRefusedError | None:
    """Return why an entry is not taken, by what it says of itself."""
    kind = stat.S_IFMT(attributes >> 16) if made_by in {UNIX, _DARWIN} else 0
    if kind == stat.S_IFLNK:
        return EntryRefusedError(EntryFlaw.LINK, "a link")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return EntryRefusedError(EntryFlaw.SPECIAL_FILE, "a device, pipe or socket")
    if flags & _ENCRYPTED:
        return EntryRefusedError(EntryFlaw.ENCRYPTED, "it is encrypted")
    if method not in {_STORED, _DEFLATED}:
        return EntryRefusedError(
            EntryFlaw.UNSUPPORTED_COMPRESSION, f"compression method {method}; deflate is read"
        )
    return None

"""Tar files: the POSIX forms (ustar, pax) and GNU's long names, uncompressed.

Not ``tarfile``: that reads a header's claim of any length into memory and keeps every entry.
Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar 1.35, "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from server.archives.entries import ArchiveLimits, Entry, Tally, check_size, entry_of
from server.archives.refusals import EntryFlaw, EntryRefusedError, Flaw, refused

BLOCK_BYTES: Final = 512
MAGIC_AT: Final = 257
MAGIC: Final = b"ustar"
_FILES: Final = frozenset({b"0", b"\0", b"7"})
_FOLDER: Final = b"5"
_LINKS: Final = frozenset({b"1", b"2"})
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_ABOUT_NEXT: Final = frozenset({_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK})
# A header on the next entry: its name and some attributes. Twice the longest name there is.
_MAX_HEADER_BYTES: Final = 128 * 1024


@dataclass
class _Next:
    """What headers before it say of the next entry."""

    name: bytes | None = None
    size_bytes: int | None = None
    is_sparse: bool = False


class TarArchive:
    """A tar on disk.

    Args:
        file: Open for reading; seekable.
        limits: How much of it is read.

    Raises:
        ImportRefusedError: It is damaged, or goes beyond its limits.
    """

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._file = file
        self._limits = limits
        self._size_bytes = file.seek(0, 2)

    def entries(self) -> Iterator[Entry]:
        """Yield the regular files and what is refused, in their order.

        Raises:
            ImportRefusedError: A header is damaged, the file is cut off or beyond its limits.
        """
        tally = Tally(self._limits, self._size_bytes)
        at, about = 0, _Next()
        while at + BLOCK_BYTES <= self._size_bytes:
            self._file.seek(at)
            block = self._file.read(BLOCK_BYTES)
            if not any(block):
                return
            _check(block)
            kind, body_at = block[156:157], at + BLOCK_BYTES
            size_bytes = _size(block) if about.size_bytes is None else about.size_bytes
            if kind in _ABOUT_NEXT:
                size_bytes = _size(block)
            elif kind not in _FILES:
                size_bytes = size_bytes if kind in {b"S"} else 0
            at = body_at + -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES
            if body_at + size_bytes > self._size_bytes:
                raise refused(Flaw.DAMAGED, "an entry reaches beyond the file: cut off?")
            tally.add(size_bytes)
            if kind in _ABOUT_NEXT:
                self._read_about(kind, size_bytes, about)
                continue
            if kind != _FOLDER:
                yield _entry(block, kind, Entry("", (), size_bytes, body_at), about)
            about = _Next()

    def read(self, entry: Entry, max_bytes: int) -> bytes:
        """Return the bytes of an entry.

        Raises:
            EntryRefusedError: It is larger than allowed.
        """
        check_size(entry.bytes, max_bytes)
        self._file.seek(entry.at)
        return self._file.read(entry.bytes)

    def _read_about(self, kind: bytes, size_bytes: int, about: _Next) -> None:
        """Read a header on the next entry, which the file stands before."""
        if size_bytes > _MAX_HEADER_BYTES:
            raise refused(
                Flaw.DIRECTORY_TOO_LARGE,
                f"a header of {size_bytes:,} bytes, over the limit of {_MAX_HEADER_BYTES:,}",
            )
        body = self._file.read(size_bytes)
        if kind == _LONG_NAME:
            about.name = body.rstrip(b"\0")
        elif kind == _PAX:
            _read_pax(body, about)


def _check(block: bytes) -> None:
    """Check a header by its sum, in which the sum itself counts as spaces.

    Raises:
        ImportRefusedError: It is wrong.
    """
    claimed = _number(block[148:156])
    if claimed != sum(block[:148]) + sum(block[156:]) + 8 * ord(" "):
        raise refused(Flaw.DAMAGED, "a header is damaged")


def _size(block: bytes) -> int:
    return _number(block[124:136])


def _number(field: bytes) -> int:
    """Read octal digits or, as GNU writes large numbers, a binary one."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    else:
        digits = field.split(b"\0", 1)[0].strip()
        if not all(digit in b"01234567" for digit in digits):
            raise refused(Flaw.DAMAGED, "a header holds no number where one belongs")
        value = int(digits or b"0", 8)
    return value


def _read_pax(body: bytes, about: _Next) -> None:
    """Read records such as ``24 path=grizzly/0001.jpg``, each with its own length first.

    Raises:
        ImportRefusedError: They are damaged.
    """
    while body.strip(b"\0"):
        digits, _, rest = body.partition(b" ")
        if not digits.isdigit() or len(digits) > 6:  # noqa: PLR2004 - digits of the cap
            raise refused(Flaw.DAMAGED, "a pax header is damaged")
        length = int(digits)
        record = rest[: length - len(digits) - 1]
        name, is_pair, value = record.rstrip(b"\n").partition(b"=")
        if not is_pair or not 0 < length <= len(body):
            raise refused(Flaw.DAMAGED, "a pax header is damaged")
        if name == b"path":
            about.name = value
        elif name == b"size" and value.isdigit() and len(value) < 20:  # noqa: PLR2004 - of 64 bits
            about.size_bytes = int(value)
        elif name.startswith(b"GNU.sparse."):
            about.is_sparse = True
        body = body[length:]


def _entry(block: bytes, kind: bytes, fields: Entry, about: _Next) -> Entry:
    raw_name = about.name
    if raw_name is None:
        raw_name = block[:100].split(b"\0", 1)[0]
        prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
        raw_name = prefix + b"/" + raw_name if prefix else raw_name
    refusal: EntryRefusedError | None = None
    if kind in _LINKS:
        refusal = EntryRefusedError(EntryFlaw.LINK, "a link")
    elif kind not in _FILES:
        refusal = EntryRefusedError(EntryFlaw.SPECIAL_FILE, "a device, a pipe or of an odd kind")
    elif about.is_sparse:
        refusal = EntryRefusedError(EntryFlaw.SPECIAL_FILE, "a sparse file")
    try:
        name = raw_name.decode("utf-8")
    except UnicodeDecodeError:
        name = raw_name.decode("utf-8", "replace")
        refusal = refusal or EntryRefusedError(EntryFlaw.BAD_NAME, "its name is not UTF-8")
    return entry_of(name, Entry("", (), fields.bytes, fields.at, fields.bytes, refusal=refusal))

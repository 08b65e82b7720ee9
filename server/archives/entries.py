"""What an archive holds, whatever its format. Imports ``names`` and ``refusals`` alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from server.archives.names import shown, split_path
from server.archives.refusals import EntryFlaw, EntryRefusedError, Flaw, refused

# Of all tables in an archive: a row for each of 250,000 images, and a URL in each.
MAX_TABLE_BYTES: Final = 64 * 1024**2


@dataclass(frozen=True)
class ArchiveLimits:
    """What is read of an archive at most.

    Attributes:
        entry_bytes: Of one entry; the server's cap of an image.
        entries: 100,000 images with a label's file each, and folders.
        directory_bytes: Of a zip's central directory: some 250 bytes for each entry.
        unpacked_bytes: Of all entries by what they claim, which they are then held to.
        ratio: Unpacked to packed, above ``ratio_from_bytes``: images hardly shrink, while deflate
            reaches 1,032 on zeros. A set of flat drawings as BMP reaches some 40.
    """

    entry_bytes: int = 20 * 1024**2
    entries: int = 250_000
    directory_bytes: int = 64 * 1024**2
    unpacked_bytes: int = 256 * 1024**3
    ratio: int = 100
    ratio_from_bytes: int = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file in an archive, or an entry that is refused for what it says of itself.

    Attributes:
        path: As it is shown: printable, capped.
        parts: Of the path, checked: no empty ones, no ``.`` or ``..``. Empty when it is refused.
        bytes: Its size once unpacked, as it claims.
        at: Where the reader of the format finds it.
        packed_bytes: What it takes in the archive.
        method: How it is packed, by the format's own number.
        crc: Its checksum; None where the format has none.
        refusal: Why it is not taken.
    """

    path: str
    parts: tuple[str, ...]
    bytes: int
    at: int
    packed_bytes: int = 0
    method: int = 0
    crc: int | None = None
    refusal: EntryRefusedError | None = None


class Archive(Protocol):
    """An archive on disk: listed as often as one likes, read entry by entry."""

    def entries(self) -> Iterator[Entry]:
        """Yield the regular files and what is refused, in their order; folders are passed over.

        Raises:
            ImportRefusedError: The archive is damaged, or goes beyond its limits.
        """

    def read(self, entry: Entry, max_bytes: int) -> bytes:
        """Return the bytes of an entry.

        Raises:
            EntryRefusedError: It is damaged, or not as large as it claims, or larger than allowed.
        """


class Tally:
    """Counts entries and what they unpack to, and stops at the limits."""

    def __init__(self, limits: ArchiveLimits, packed_bytes: int) -> None:
        """Begin at none.

        Args:
            limits: Where to stop.
            packed_bytes: Size of the archive.
        """
        self._limits = limits
        ratio_bytes = max(limits.ratio_from_bytes, limits.ratio * packed_bytes)
        self._max_bytes = min(limits.unpacked_bytes, ratio_bytes)
        self._max_read_bytes = max(limits.entry_bytes, MAX_TABLE_BYTES)
        self._count = 0
        self._bytes = 0

    def add(self, entry_bytes: int) -> None:
        """Count one entry.

        Raises:
            ImportRefusedError: It is one too many, or all unpack to too much.
        """
        self._count += 1
        if self._count > self._limits.entries:
            raise refused(
                Flaw.TOO_MANY_ENTRIES,
                f"it holds more than {self._limits.entries:,} entries; import it in parts",
            )
        # What is larger than an image and a table may be is refused unread, so it costs nothing.
        self._bytes += entry_bytes if entry_bytes <= self._max_read_bytes else 0
        if self._bytes > self._max_bytes:
            raise refused(
                Flaw.UNPACKS_TOO_LARGE,
                f"it would unpack to more than {self._max_bytes:,} bytes, as bombs do",
            )


def entry_of(name: str, fields: Entry) -> Entry:
    """Return the entry with its name checked; refused when that cannot be a path.

    Args:
        name: As the archive has it, without the slash that ends a folder's.
        fields: All but ``path`` and ``parts``.
    """
    refusal = fields.refusal
    parts: tuple[str, ...] = ()
    try:
        parts = split_path(name)
    except EntryRefusedError as error:
        refusal = error
    return Entry(
        shown(name),
        () if refusal else parts,
        fields.bytes,
        fields.at,
        fields.packed_bytes,
        fields.method,
        fields.crc,
        refusal,
    )


def check_size(claimed_bytes: int, max_bytes: int) -> None:
    """Refuse an entry by the size that it claims.

    Raises:
        EntryRefusedError: It is larger than allowed.
    """
    if claimed_bytes > max_bytes:
        raise EntryRefusedError(
            "too-large", f"{claimed_bytes:,} bytes, over the limit of {max_bytes:,}"
        )


def lies(actual: str, claimed_bytes: int) -> EntryRefusedError:
    """Return the error for an entry that is not as large as it claims."""
    return EntryRefusedError(
        EntryFlaw.LYING_SIZE, f"it claims {claimed_bytes:,} bytes and has {actual}"
    )

"""Which kind of file it is, by its first bytes, and the reader for it."""

from __future__ import annotations

import codecs
from enum import StrEnum
from typing import BinaryIO, Final

from server.archives.entries import Archive, ArchiveLimits
from server.archives.refusals import Flaw, refused
from server.archives.tars import BLOCK_BYTES, MAGIC, MAGIC_AT, TarArchive
from server.archives.zip_records import END_MAGIC, LOCAL_MAGIC
from server.archives.zips import ZipArchive

ZIP_MAGICS: Final = (LOCAL_MAGIC, END_MAGIC, b"PK\x07\x08")  # the last: of one in parts
_PARQUET: Final = b"PAR1"
# What is known by its first bytes and not read, with what to do about it.
_PACKED: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    _PARQUET: "Parquet",
}
_ARCHIVE_SUFFIXES: Final = (
    *(".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"),
    *(".zst", ".7z", ".rar", ".jar", ".cab", ".iso"),
)


class Format(StrEnum):
    """What is imported."""

    ZIP = "zip"
    TAR = "tar"
    CSV = "csv"


def sniff(file: BinaryIO) -> Format:
    """Tell what a file is; it stands at its beginning afterwards.

    Raises:
        ImportRefusedError: It is none of what is read.
    """
    file.seek(0)
    head = file.read(BLOCK_BYTES)
    file.seek(0)
    if not head:
        raise refused(Flaw.NOT_AN_ARCHIVE, "it is empty")
    if head.startswith(ZIP_MAGICS):
        return Format.ZIP
    if head[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC:
        return Format.TAR
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            advice = "unpack it, and send a zip, a tar or a CSV"
            if magic == _PARQUET:
                advice = "send a CSV, or an archive with the images"
            raise refused(Flaw.UNSUPPORTED, f"it is {name}, which is not read; {advice}")
    is_utf_16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if b"\0" in head and not is_utf_16:
        raise refused(Flaw.NOT_AN_ARCHIVE, "it is neither a zip nor a tar nor a CSV")
    return Format.CSV


def open_archive(file: BinaryIO, kind: Format, limits: ArchiveLimits) -> Archive:
    """Return the reader for a zip or a tar.

    Raises:
        ImportRefusedError: It is damaged, or goes beyond its limits.
    """
    return ZipArchive(file, limits) if kind is Format.ZIP else TarArchive(file, limits)


def is_archive_name(name: str) -> bool:
    """Tell whether a file's name says that it is an archive itself."""
    return name.lower().endswith(_ARCHIVE_SUFFIXES)


def is_archive(data: bytes) -> bool:
    """Tell whether bytes begin like an archive."""
    return data.startswith((*ZIP_MAGICS, *_PACKED)) or (
        data[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC
    )

"""A zip whose folders are labels. May import ``source``.

Nothing is extracted: members are read into memory, capped, and their names are only ever text.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from server.archives.names import is_hidden, label_of_folder
from server.cli.errors import CommandError
from server.cli.importing.source import (
    MAX_FILE_BYTES,
    MAX_FILES,
    Entry,
    Listing,
    Skipped,
    Unreadable,
    too_many,
)

_ENCRYPTED = 0x1
# What zipfile raises on bytes that are no proper zip; NotImplementedError for odd compression.
_BROKEN = (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error)


class ZipSource:
    """The folders of the zip give the labels; one folder around everything is looked through."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise CommandError(f"{path} is not a readable zip: {error}.") from error
        self._wrapper = _wrapper([i for i in self._zip.infolist() if not i.is_dir()])

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def scan(self) -> Listing:
        """List the members in the order of their names.

        Raises:
            CommandError: There are too many.
        """
        members = [member for member in self._zip.infolist() if not member.is_dir()]
        if len(members) > MAX_FILES:
            raise too_many(self._path)
        entries: list[Entry] = []
        skipped: list[Skipped] = []
        for member in sorted(members, key=lambda member: member.filename):
            why = self._why_not(member)
            if why is None:
                entries.append(Entry(self._label(member) or "", member.filename))
            else:
                skipped.append(Skipped(member.filename, why))
        return Listing(tuple(entries), tuple(skipped))

    def read(self, entry: Entry) -> bytes:
        """Return the bytes of one member, however large it claims to be.

        Raises:
            Unreadable: It is broken or unpacks to more than the limit.
        """
        try:
            with self._zip.open(entry.path) as member:
                content = member.read(MAX_FILE_BYTES + 1)
        except _BROKEN as error:
            raise Unreadable(f"broken in the zip ({error})") from error
        if len(content) > MAX_FILE_BYTES:
            raise Unreadable("larger than 20 MiB")
        return content

    def _label(self, member: zipfile.ZipInfo) -> str | None:
        parts = PurePosixPath(member.filename).parts[self._wrapper :]
        return label_of_folder(parts[0]) if len(parts) > 1 else None

    def _why_not(self, member: zipfile.ZipInfo) -> str | None:
        reasons = (
            (_is_unsafe(member.filename), "its path leads out of the zip"),
            (_is_hidden(member.filename), "hidden"),
            (stat.S_ISLNK(member.external_attr >> 16), "a link"),
            (bool(member.flag_bits & _ENCRYPTED), "encrypted"),
            (member.file_size == 0, "empty"),
            (member.file_size > MAX_FILE_BYTES, "larger than 20 MiB"),
            (self._label(member) is None, "not in a folder whose name can be a label"),
        )
        return next((why for applies, why in reasons if applies), None)


def _is_unsafe(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name


def _is_hidden(name: str) -> bool:
    return is_hidden(PurePosixPath(name).parts)


def _wrapper(members: list[zipfile.ZipInfo]) -> int:
    """Return 1 when one folder wraps folders of images (``bears/grizzly/1.jpg``), else 0."""
    paths = [PurePosixPath(m.filename).parts for m in members if not _is_hidden(m.filename)]
    deep = bool(paths) and all(len(parts) > 2 for parts in paths)  # noqa: PLR2004 - wrapper/label/file
    return int(deep and len({parts[0] for parts in paths}) == 1)

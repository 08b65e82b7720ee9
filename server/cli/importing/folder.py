"""A folder whose sub-folders are labels. May import ``source``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from server.archives.names import label_of_folder
from server.cli.errors import CommandError
from server.cli.importing.source import (
    MAX_DEPTH,
    MAX_FILE_BYTES,
    MAX_FILES,
    Entry,
    Listing,
    Skipped,
    Unreadable,
    too_many,
)


class FolderSource:
    """The first level of sub-folders gives the labels; deeper folders belong to their label."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def scan(self) -> Listing:
        """List the files in the order of their paths.

        Raises:
            CommandError: The folder can't be read, or holds too many files.
        """
        entries: list[Entry] = []
        skipped: list[Skipped] = []
        for found in self._walk(self._root, 0):
            (entries if isinstance(found, Entry) else skipped).append(found)  # type: ignore[arg-type] # told apart by the condition
            if len(entries) + len(skipped) > MAX_FILES:
                raise too_many(self._root)
        return Listing(tuple(entries), tuple(skipped))

    def read(self, entry: Entry) -> bytes:
        """Return the bytes of one file.

        Raises:
            Unreadable: It is gone, or grew beyond the limit.
        """
        try:
            with (self._root / entry.path).open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise Unreadable(error.strerror or "can't be read") from error
        if len(content) > MAX_FILE_BYTES:
            raise Unreadable("larger than 20 MiB")
        return content

    def _walk(self, folder: Path, depth: int) -> Iterator[Entry | Skipped]:
        try:
            with os.scandir(folder) as listing:
                children = sorted(listing, key=lambda child: child.name)
        except OSError as error:
            if depth == 0:
                raise CommandError(f"{folder} can't be read: {error.strerror}.") from error
            yield Skipped(self._relative(folder), error.strerror or "can't be read")
            return
        for child in children:
            path = Path(child.path)
            if child.name.startswith("."):
                yield Skipped(self._relative(path), "hidden")
            elif child.is_dir(follow_symlinks=False):
                yield from self._enter(path, depth)
            else:
                yield self._judge(path, depth)

    def _enter(self, folder: Path, depth: int) -> Iterator[Entry | Skipped]:
        if depth == 0 and label_of_folder(folder.name) is None:
            yield Skipped(self._relative(folder), "its name can't be a label")
        elif depth >= MAX_DEPTH:
            yield Skipped(self._relative(folder), f"more than {MAX_DEPTH} folders deep")
        else:
            yield from self._walk(folder, depth + 1)

    def _judge(self, path: Path, depth: int) -> Entry | Skipped:
        """Decide about one file, following a link only within the folder."""
        relative = self._relative(path)
        why = self._why_not(path, depth)
        if why is not None:
            return Skipped(relative, why)
        label = label_of_folder(Path(relative).parts[0])
        return Entry(label or "", relative)

    def _why_not(self, path: Path, depth: int) -> str | None:
        if depth == 0:
            return "not in a sub-folder, so it has no label"
        try:
            target = path.resolve(strict=True)
            status = target.stat()
        except OSError as error:
            return error.strerror or "can't be read"
        if not target.is_relative_to(self._root):
            return "a link that leads out of the folder"
        if not target.is_file():
            return "no regular file"
        if status.st_size == 0:
            return "empty"
        return "larger than 20 MiB" if status.st_size > MAX_FILE_BYTES else None

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self._root))

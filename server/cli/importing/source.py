"""What an import reads from: files with a label, and those left out. May import ``errors``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from server.cli.errors import CommandError

# The server's own limit of one image; sending more would only be refused.
MAX_FILE_BYTES = 20 * 1024**2
# Listing is kept in memory (about 30 MB at this number), and a mistyped PATH such as `/` ends soon.
MAX_FILES = 100_000
# A class folder in a class folder is usual, ten deep is a loop or a mistake.
MAX_DEPTH = 16


@dataclass(frozen=True)
class Entry:
    """A file to send: its label, and its path within the source."""

    label: str
    path: str


@dataclass(frozen=True)
class Skipped:
    """A file that is not sent, and why, in words."""

    path: str
    why: str


@dataclass(frozen=True)
class Listing:
    """Everything a source holds, in a fixed order; each file is in exactly one of the two."""

    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many files each label has, by name."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            counts[entry.label] = counts.get(entry.label, 0) + 1
        return dict(sorted(counts.items()))


class Unreadable(Exception):  # noqa: N818 - a verdict on one file, not a failure of the command
    """A file that was listed can't be read after all; its text says why."""


class Source(Protocol):
    """Labelled files, wherever they lie. ``read`` may be called from several threads."""

    def scan(self) -> Listing:
        """List the files.

        Raises:
            CommandError: There are too many, or the source can't be read.
        """

    def read(self, entry: Entry) -> bytes:
        """Return the bytes of one file, at most ``MAX_FILE_BYTES``.

        Raises:
            Unreadable: It is gone, too large, or broken.
        """


def too_many(path: object) -> CommandError:
    """Return the error for a source beyond ``MAX_FILES``."""
    return CommandError(
        f"{path} holds more than {MAX_FILES:,} files.", "Import it in parts, one folder at a time."
    )

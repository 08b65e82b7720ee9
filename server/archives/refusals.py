"""Why an archive, or one entry of it, is not taken: two closed lists, and their exceptions.

May import ``server.errors``. What an image is refused for once it was read is `server.reasons`.
"""

from __future__ import annotations

from enum import StrEnum

from server.errors import ImportRefusedError


class Flaw(StrEnum):
    """Why a whole file is refused, before anything of it is taken."""

    NOT_AN_ARCHIVE = "not-an-archive"  # neither zip nor tar nor a table
    UNSUPPORTED = "unsupported-archive"  # one that is known, and not read
    DAMAGED = "damaged-archive"
    TOO_MANY_ENTRIES = "too-many-entries"
    DIRECTORY_TOO_LARGE = "directory-too-large"
    UNPACKS_TOO_LARGE = "unpacks-too-large"
    OVERLAPPING_ENTRIES = "overlapping-entries"
    NOT_UTF_8 = "not-utf-8"
    LINE_TOO_LONG = "line-too-long"
    BROKEN_TABLE = "broken-table"
    MISSING_COLUMNS = "missing-columns"


class EntryFlaw(StrEnum):
    """Why one entry is refused; the others go on."""

    BAD_NAME = "bad-name"
    NAME_TOO_LONG = "name-too-long"
    UNSAFE_PATH = "unsafe-path"
    DUPLICATE_NAME = "duplicate-name"
    LINK = "link"
    SPECIAL_FILE = "special-file"
    ENCRYPTED = "encrypted"
    UNSUPPORTED_COMPRESSION = "unsupported-compression"
    NESTED_ARCHIVE = "nested-archive"
    LYING_SIZE = "lying-size"
    DAMAGED = "damaged"
    BAD_LABEL = "bad-label"
    BAD_ROW = "bad-row"


def refused(flaw: Flaw, detail: str) -> ImportRefusedError:
    """Return the error for a whole file."""
    return ImportRefusedError(detail, kind=flaw.value)


class EntryRefusedError(Exception):
    """One entry cannot be taken.

    Attributes:
        reason: Of `EntryFlaw` or `server.reasons.Reason`.
        detail: One sentence for a person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

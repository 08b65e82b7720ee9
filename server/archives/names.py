"""Names that strangers give: paths in archives, and labels. Only ever text, never opened.

Imports ``refusals`` and ``server.labels``.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from server import labels
from server.archives.refusals import EntryFlaw, EntryRefusedError

# Linux takes 4,096 bytes for a path and 255 for a name; a longer one was made to be odd.
MAX_PATH_CHARS: Final = 1024
MAX_DEPTH: Final = 32
_SHOWN_CHARS: Final = 200
_DRIVE: Final = re.compile(r"[A-Za-z]:")
# As exports write what file systems forbid in a label; and what tells two alike ones apart.
_ESCAPED: Final = re.compile(r"(?:%[0-9A-F]{2})+")
_NUMBERED: Final = re.compile(r"%\(\d{1,6}\)$")


def shown(name: str) -> str:
    """Return a name for a report: printable, of at most some 200 characters."""
    text = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in name[: _SHOWN_CHARS + 1]
    )
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def split_path(name: str) -> tuple[str, ...]:
    """Return the parts of a path within an archive.

    Raises:
        EntryRefusedError: It is none, or leads out of the archive.
    """
    _check_text(name)
    if "\\" in name or name.startswith("/") or _DRIVE.match(name):
        raise EntryRefusedError(
            EntryFlaw.UNSAFE_PATH, "an absolute path, one of Windows, or one with backslashes"
        )
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    if ".." in parts:
        raise EntryRefusedError(EntryFlaw.UNSAFE_PATH, "its path leads out of the archive")
    if not parts:
        raise EntryRefusedError(EntryFlaw.BAD_NAME, "it has no name")
    if len(parts) > MAX_DEPTH:
        raise EntryRefusedError(EntryFlaw.UNSAFE_PATH, f"more than {MAX_DEPTH} folders deep")
    return parts


def _check_text(name: str) -> None:
    if len(name) > MAX_PATH_CHARS:
        raise EntryRefusedError(
            EntryFlaw.NAME_TOO_LONG, f"a path of more than {MAX_PATH_CHARS:,} characters"
        )
    if not labels.is_printed(name):
        raise EntryRefusedError(EntryFlaw.BAD_NAME, "its name holds control characters or no text")


def label_of(text: str) -> str | None:
    """Return the label that a folder's name or a cell stands for; None when it can't be one.

    Unlike one that is typed, it is not mended: where a line breaks within, it was not meant as one.
    """
    label = labels.compose(text)
    return label if labels.find_flaw(label) is None and labels.is_printed(text) else None


def label_of_folder(name: str) -> str | None:
    """Return the label that a folder stands for; None when it can't be one.

    ``black%2Fbrown`` is the folder of ``black/brown``. What is no UTF-8 once decoded was not meant
    so, and stays.
    """
    return label_of(_ESCAPED.sub(_unescape, _NUMBERED.sub("", name)))


def _unescape(match: re.Match[str]) -> str:
    try:
        return unquote_to_bytes(match[0]).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]


def is_hidden(parts: tuple[str, ...]) -> bool:
    """Tell whether a path is of what systems leave behind: ``.DS_Store``, ``__MACOSX``."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)

"""What labels are called as folders, on every system. Imports nothing of the project.

A label may be any text; a folder's name may not. Whatever a system forbids or gives a meaning is
written as ``%`` and its byte in hexadecimal, as in addresses, so that the label can be read from
the name again: ``black/brown`` becomes ``black%2Fbrown``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

# Of Windows, which forbids the most; control characters; and our own sign.
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*%]')
_FIRST: Final = re.compile(r"^[ .~-]")  # hidden, "..", a home, an option
_LAST: Final = re.compile(r"[ .]$")  # dropped by Windows
# Devices, whatever follows behind a dot.
_DEVICE: Final = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(?=$|\.)")
_MOST_BYTES: Final = 200  # of the 255 that file systems allow


def folder_names(labels: Sequence[str]) -> list[str]:
    """Return a folder's name for each label; no two are the same, whatever the case of letters.

    Args:
        labels: All different.
    """
    taken: set[str] = set()
    found = []
    for label in labels:
        name = _escape(label)
        number = 2
        # A suffix that `_escape` never gives; ends, since there are fewer labels than numbers.
        while (key := unicodedata.normalize("NFKC", name).casefold()) in taken:
            name = f"{_escape(label)}%({number})"
            number += 1
        taken.add(key)
        found.append(name)
    return found


def label_of(folder: str) -> str:
    """Return the label that a folder was named for by `folder_names`."""
    return unquote(re.sub(r"%\(\d+\)$", "", folder), errors="replace")


def _escape(label: str) -> str:
    name = _FORBIDDEN.sub(_percent, label)
    name = _FIRST.sub(_percent, name)
    name = _LAST.sub(_percent, name)
    name = _DEVICE.sub(lambda m: _percent(m, 1) + m[0][1:], name)
    while len(name.encode()) > _MOST_BYTES:  # a label has 100 characters at most
        name = name[:-1]
    return name


def _percent(match: re.Match[str], count: int | None = None) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0][:count].encode())

"""What labels are called as folders, on every system. Imports nothing of the project.

A label may be any text; a folder's name may not. Whatever a system forbids or gives a meaning is
written as ``%`` and its byte in hexadecimal, as in addresses, so that the label can be read from
the name again by `server.archives.names.label_of_folder`: ``black/brown`` becomes
``black%2Fbrown``. A very long one is cut off: the table of labels beside the folders has it whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

# Of Windows, which forbids the most; control characters; and our own sign.
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*%]')
_FIRST: Final = re.compile(r"^[ .~-]")  # hidden, "..", a home, an option
_LAST: Final = re.compile(r"[ .]$")  # dropped by Windows
# Devices, whatever follows behind a dot. Source: learn.microsoft.com, "Naming Files, Paths, and
# Namespaces", with the consoles of "Console Handles".
_DEVICE: Final = re.compile(
    r"(?i)^(con|prn|aux|nul|(?:com|lpt)[0-9¹²³]|conin\$|conout\$)(?= *(?:$|\.))"
)
_HALF: Final = re.compile(r"%[0-9A-F]?$")  # of what `_percent` wrote
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


def _escape(label: str) -> str:
    name = _FORBIDDEN.sub(_percent, label)
    name = _FIRST.sub(_percent, name)
    name = _DEVICE.sub(lambda m: _percent(m, 1) + m[0][1:], name)
    while len(name.encode()) > _MOST_BYTES:  # a label has 100 characters at most
        name = name[:-1]
    return _LAST.sub(_percent, _HALF.sub("", name))


def _percent(match: re.Match[str], count: int | None = None) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0][:count].encode())

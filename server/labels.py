"""What a label may be called: one rule for what people type, pages propose and archives hold.

Imports nothing of the project. A label is stored composed (NFC): macOS writes letter and accent
apart, browsers mostly together, and the two look the same. What was stored before there was a rule
stays as it is and is found as it is written; only new labels are held to it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_LABEL_CHARS: Final = 100  # the column's width
# As it may be written: four characters come to one, when composed, at the most.
# Source: https://www.unicode.org/faq/normalization.html, the largest expansion of NFD.
MAX_WRITTEN_CHARS: Final = 4 * MAX_LABEL_CHARS
# They turn what follows around, so that a label would not read as what it is. Joiners are let
# through: Persian and some emoji are written with them.
_DIRECTION_MARKS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_PRINTED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def compose(text: str) -> str:
    """Return a label as it is stored: composed, with one space between words."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_printed(text: str) -> bool:
    """Tell whether a text has neither control characters nor breaks of lines."""
    return not any(unicodedata.category(char) in _NOT_PRINTED for char in text)


def find_odd_sign(text: str) -> str | None:
    """Return what a text has that no name may have, to follow "it has"; None when all is well."""
    if not is_printed(text):
        return "control characters"
    if mark := _DIRECTION_MARKS.search(text):
        return f"an invisible mark that turns text around (U+{ord(mark[0]):04X})"
    return None


def find_flaw(label: str) -> str | None:
    """Return why a label, composed, can't be one, as a sentence for who typed it; None if it can.

    Args:
        label: As `compose` returns it.
    """
    if not label:
        return "a label has at least one character"
    if len(label) > MAX_LABEL_CHARS:
        return f"a label has at most {MAX_LABEL_CHARS} characters; this one has {len(label):,}"
    if label in {".", ".."}:
        return f"{label!r} can't be a label: folders are called so; choose another name"
    if sign := find_odd_sign(label):
        return f"the label has {sign}; type it anew without"
    return None

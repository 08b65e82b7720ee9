"""What a label may be called."""

from __future__ import annotations

import unicodedata

import pytest

from server import labels
from server.archives.names import label_of

COMPOSED, APART = "b\u00e4r", "ba\u0308r"
BIDI = [*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (APART, COMPOSED),
        ("  teddy  bear ", "teddy bear"),
        ("x" * 100, "x" * 100),
        # 200 characters as they are written, 100 as they are stored.
        ("a\u0308" * 100, "\u00e4" * 100),
        # Persian is written with joiners, and so are some emoji.
        *[("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",) * 2],
        *[("👩\u200d🌾",) * 2],
        ("...", "..."),
    ],
)
def test_a_label_is_stored_composed(text: str, label: str):
    assert labels.compose(text) == label
    assert labels.find_flaw(label) is None
    assert label_of(text) == label, "a folder of this name is the same label"


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("", "at least one character"),
        ("x" * 101, "at most 100 characters; this one has 101"),
        (".", "folders are called so"),
        ("..", "folders are called so"),
        ("a\0b", "control characters"),
        ("a\x1b[2Jb", "control characters"),
        *((f"gr{mark}izzly", f"U+{ord(mark):04X}") for mark in BIDI),
    ],
)
def test_what_can_be_no_label_is_told(label: str, told: str):
    assert told in str(labels.find_flaw(label))
    assert label_of(label) is None, "nor of a folder"


def test_nothing_is_written_longer_than_the_cap_that_composes_to_a_label():
    worst = max(range(0x110000), key=lambda code: len(unicodedata.normalize("NFD", chr(code))))
    apart = unicodedata.normalize("NFD", chr(worst) * labels.MAX_LABEL_CHARS)
    assert len(apart) <= labels.MAX_WRITTEN_CHARS

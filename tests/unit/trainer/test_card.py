"""The model card says what must be known, and labels cannot break it."""

from __future__ import annotations

import pytest

from tests.support.bundles import bundle_manifest
from trainer.card import write_card


def test_the_error_rate_stands_beside_its_interval_and_baselines() -> None:
    card = write_card(bundle_manifest())
    assert "| **this model** | **0.0 %** |" in card
    assert "| always the most frequent class | 66.7 % |" in card
    assert "| nearest class mean image, pixel by pixel | 20.0 % |" in card
    assert "between 0.0 % and\n40.0 %" in card
    assert "| green | 100.0 % | 100.0 % | 2 |" in card
    assert "figures are anecdotes: blue, green, red" in card
    assert "float32 `[N, 3, 32, 32]`" in card


@pytest.mark.parametrize(
    ("label", "shown"),
    [("a|b", r"a\|b"), ("<script>", r"\<script\>"), ("two\nlines", "two lines"), ("*x*", r"\*x\*")],
)
def test_labels_are_escaped(label: str, shown: str) -> None:
    card = write_card(bundle_manifest((label, "other")))
    assert f"| {shown} | 100.0 % |" in card
    assert label not in card


def test_a_wide_confusion_matrix_is_left_to_the_json() -> None:
    card = write_card(bundle_manifest(tuple(f"class {number:02}" for number in range(25))))
    assert "The confusion matrix is in `bundle.json`" in card

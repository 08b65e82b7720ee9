"""The check for shortcuts: traits that give the label away. Its folds are dealt beside torch."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluation.shortcuts import check_shortcuts
from trainer.evaluation.traits import Traits

pytestmark = pytest.mark.slow


def _clues(words: list[str], labels: np.ndarray, groups: list[str]) -> dict[str, bool]:
    said = check_shortcuts(Traits({"site": words}), labels, groups, 2, 42)
    assert said is not None
    return {clue.name: clue.is_shortcut for clue in said.clues}


def test_a_site_that_gives_the_label_away_is_a_shortcut() -> None:
    labels = np.repeat([0, 1], 40)
    words = ["a.example" if label == 0 else "b.example" for label in labels]
    groups = [str(number) for number in range(80)]
    said = check_shortcuts(Traits({"site": words}), labels, groups, 2, 42)
    assert said is not None
    (clue,) = said.clues
    assert clue.is_shortcut
    assert clue.accuracy == 1
    assert clue.chance == pytest.approx(0.5, abs=0.1)
    assert clue.accuracy > clue.chance_limit >= clue.chance


def test_sites_that_have_both_labels_are_none() -> None:
    generator = np.random.default_rng(0)
    words = [f"{number}.example" for number in generator.integers(0, 8, 120)]
    groups = [str(number) for number in range(120)]
    assert _clues(words, np.repeat([0, 1], 60), groups) == {"site": False}


def test_copies_of_one_image_prove_nothing() -> None:
    # Each site has one picture, eight times over: of one group, it is guessed from no other.
    labels = np.repeat(np.arange(10) % 2, 8)
    words = [f"{number // 8}.example" for number in range(80)]
    groups = [str(number // 8) for number in range(80)]
    assert _clues(words, labels, groups) == {"site": False}


def test_a_clue_that_does_not_vary_is_left_out() -> None:
    labels, groups = np.repeat([0, 1], 10), [str(number) for number in range(20)]
    assert _clues(["a.example"] * 20, labels, groups) == {}

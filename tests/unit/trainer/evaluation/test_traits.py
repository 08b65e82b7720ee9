"""Traits, the slices by them, and the shortcut check."""

from __future__ import annotations

import numpy as np
import pytest

from server.contract.origins import Origin
from server.contract.snapshot import Item, Split
from trainer.evaluation.shortcuts import check_shortcuts
from trainer.evaluation.slices import cut
from trainer.evaluation.traits import Traits, border_of, read_traits, shape_of, size_of


def _item(number: int = 0, width: int = 640, height: int = 480) -> Item:
    return Item(
        sha256=f"{number:064x}", label="bear", split=Split.TRAIN, bytes=1, width=width,
        height=height, format="jpeg", group=str(number),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("width", "height", "size", "shape"),
    [
        (199, 5000, "below 200 px", "upright"),
        (200, 200, "200 to 399 px", "squarish"),
        (900, 500, "400 to 799 px", "landscape"),
        (4000, 1600, "1600 px and more", "panorama"),
    ],
)
def test_sizes_and_shapes_have_names(width: int, height: int, size: str, shape: str) -> None:
    assert size_of(_item(0, width, height)) == size
    assert shape_of(_item(0, width, height)) == shape


def test_an_even_border_is_told_by_its_colour() -> None:
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    assert border_of(image) == "varied"
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        image[edge] = (250, 250, 250)
    assert border_of(image) == "even 3-3-3"


def test_what_no_one_knows_is_no_trait() -> None:
    items = [_item(number) for number in range(2)]
    pixels = np.zeros((2, 32, 32, 3), np.uint8)
    assert set(read_traits(items, {}, pixels).words) == {"size", "shape", "border"}
    known = {items[0].sha256: Origin(sha256=items[0].sha256, site="a.example")}
    traits = read_traits(items, known, pixels)
    assert traits.words["site"] == ["a.example", "unknown"]
    assert "engine" not in traits.words


def test_a_slice_that_fails_is_named() -> None:
    words = ["good.example"] * 60 + ["bad.example"] * 20 + [f"{n}.example" for n in range(6)]
    is_wrong = np.zeros(86, dtype=np.bool_)
    is_wrong[[0, 1, *range(60, 70)]] = True
    rows = cut(Traits({"site": words}), is_wrong)
    assert [(row.value, row.count, row.is_worse) for row in rows] == [
        ("good.example", 60, False),
        ("bad.example", 20, True),
        ("others", 6, False),
    ]
    assert rows[1].error_rate == 0.5
    assert rows[1].error_rate_interval[0] < 0.5 < rows[1].error_rate_interval[1]


def test_a_dimension_of_one_value_is_no_slice() -> None:
    assert cut(Traits({"size": ["below 200 px"] * 9}), np.zeros(9, dtype=np.bool_)) == ()


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

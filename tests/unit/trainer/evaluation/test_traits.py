"""Traits and the slices by them."""

from __future__ import annotations

import numpy as np
import pytest

from server.contract.origins import Origin
from server.contract.snapshot import Item, Split
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

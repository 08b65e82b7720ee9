"""Measures of pictures whose measures are known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from server.media.quality import measure
from tests.support import images


@pytest.mark.parametrize("value", [0, 51, 255])
def test_a_plain_picture_has_one_luma_no_edges_and_no_entropy(value: int) -> None:
    quality = measure(Image.new("RGB", (64, 48), (value, value, value)))
    assert quality.luma_p99 == quality.luma_p05 == value / 255
    assert quality.sharpness == quality.entropy_bits == 0.0


def test_a_chessboard_has_one_bit_and_the_strongest_edges() -> None:
    board = (np.indices((40, 40)).sum(axis=0) % 2 * 255).astype(np.uint8)
    quality = measure(Image.fromarray(board))
    assert quality.entropy_bits == pytest.approx(1.0)
    assert quality.sharpness == pytest.approx(1020.0)  # ±4 × 255  # noqa: RUF003
    assert (quality.luma_p05, quality.luma_p99) == (0.0, 1.0)


def test_a_few_bright_pixels_do_not_make_a_dark_picture_bright() -> None:
    dark = Image.new("L", (100, 100), 10)
    dark.paste(255, (0, 0, 9, 9))
    assert measure(dark).luma_p99 == pytest.approx(10 / 255)


def test_a_blurred_photo_is_less_sharp_and_says_as_much() -> None:
    photo = images.photo(256, 192)
    blurred = photo.filter(ImageFilter.GaussianBlur(3))
    assert measure(blurred).sharpness < 0.2 * measure(photo).sharpness
    assert measure(blurred).entropy_bits > 5


@pytest.mark.parametrize("size", [(1, 1), (2, 90), (90, 2)])
def test_a_sliver_has_no_sharpness(size: tuple[int, int]) -> None:
    assert measure(Image.new("RGB", size, "red")).sharpness == 0.0

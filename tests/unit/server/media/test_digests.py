"""Hashes of looks."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from server.media.digests import (
    NEAR_PHASH_BITS,
    dhash,
    hamming_distance,
    phash,
)
from tests.support import images


def test_a_ramp_has_the_hash_that_its_definition_gives() -> None:
    falling = Image.fromarray(np.tile(np.linspace(255, 0, 90, dtype=np.uint8), (80, 1)))
    assert dhash(falling) == 2**64 - 1
    assert dhash(falling.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == 0
    top = falling.copy()
    top.paste(0, (0, 10, 90, 80))
    assert dhash(top) == 0xFF << 56  # the first row is the highest byte


def test_distance_counts_differing_bits() -> None:
    assert hamming_distance(0, 2**64 - 1) == 64
    assert hamming_distance(0b1011, 0b1101) == 2


@pytest.mark.parametrize("row", range(1, 9))
@pytest.mark.parametrize("column", range(1, 9))
def test_the_cosine_hash_knows_a_wave_by_its_place(row: int, column: int) -> None:
    # A pure wave: its strength is at the row of its vertical and the column of its horizontal
    # frequency; elsewhere is what rounding leaves.
    place = np.pi * (2 * np.arange(32) + 1) / 64
    wave = np.outer(np.cos(row * place), np.cos(column * place))
    picture = Image.fromarray((128 + 100 * wave).round().astype(np.uint8))
    bit = 63 - (8 * (row - 1) + (column - 1))
    assert phash(picture) >> bit & 1


def test_half_of_the_waves_are_above_the_median() -> None:
    assert phash(images.photo(300, 200, 9)).bit_count() == 32


def test_the_cosine_hash_survives_what_the_difference_hash_does() -> None:
    for seed in range(10):
        picture = images.photo(800, 600, seed)
        for copy in (picture.resize((300, 225)), picture.convert("L")):
            assert hamming_distance(phash(picture), phash(copy)) <= NEAR_PHASH_BITS // 2

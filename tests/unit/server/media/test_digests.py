"""Hashes of looks, and groups of those that look alike."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from server.media import digests
from server.media.digests import (
    NEAR_PHASH_BITS,
    dhash,
    hamming_distance,
    near_duplicate_groups,
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


def slow_groups(hashes: list[int], distance: int) -> list[int]:
    groups = list(range(len(hashes)))
    changed = True
    while changed:
        changed = False
        for i, a in enumerate(hashes):
            for j, b in enumerate(hashes):
                if hamming_distance(a, b) <= distance and groups[i] != groups[j]:
                    groups[i] = groups[j] = min(groups[i], groups[j])
                    changed = True
    return groups


@pytest.mark.parametrize("tile", [1, 3, 2048])
@pytest.mark.parametrize("distance", [0, 2, 5, 64])
def test_groups_equal_those_of_the_plain_algorithm(
    tile: int, distance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_TILE", tile)
    generator = random.Random(tile * 100 + distance)
    hashes = [generator.getrandbits(64) for _ in range(8)]
    for _ in range(40):  # chains: each new one a few bits from an earlier one
        near = generator.choice(hashes)
        for _ in range(generator.randrange(5)):
            near ^= 1 << generator.randrange(64)
        hashes.append(near)
    generator.shuffle(hashes)
    found = near_duplicate_groups(np.array(hashes, dtype=np.uint64), distance)
    assert found.tolist() == slow_groups(hashes, distance)


def test_no_hashes_are_no_groups() -> None:
    assert near_duplicate_groups(np.array([], dtype=np.uint64), 10).tolist() == []


def test_thousands_of_equal_hashes_are_one_group() -> None:
    assert set(near_duplicate_groups(np.zeros(20_000, dtype=np.uint64), 10).tolist()) == {0}


def test_a_chain_longer_than_a_tile_is_one_group() -> None:
    # A Gray code: neighbours differ in one bit.
    numbers = np.arange(5000, dtype=np.uint64)
    codes = numbers ^ (numbers >> np.uint64(1))
    assert set(near_duplicate_groups(codes, 1).tolist()) == {0}


def test_re_encodings_group_and_other_pictures_do_not() -> None:
    pictures = [images.photo(800, 600, seed) for seed in range(20)]
    hashes = [dhash(picture) for picture in pictures]
    hashes += [dhash(picture.resize((300, 225))) for picture in pictures]
    groups = near_duplicate_groups(np.array(hashes, dtype=np.uint64), 10).tolist()
    assert groups == list(range(20)) * 2


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

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


def slow_groups(looks: list[tuple[int, int]], dhash_bits: int, phash_bits: int) -> list[int]:
    groups = list(range(len(looks)))
    changed = True
    while changed:
        changed = False
        for i, (dhash_a, phash_a) in enumerate(looks):
            for j, (dhash_b, phash_b) in enumerate(looks):
                is_near = hamming_distance(dhash_a, dhash_b) <= dhash_bits
                is_near &= hamming_distance(phash_a, phash_b) <= phash_bits
                if is_near and groups[i] != groups[j]:
                    groups[i] = groups[j] = min(groups[i], groups[j])
                    changed = True
    return groups


def group(dhashes: list[int], phashes: list[int] | None = None) -> list[int]:
    both = (dhashes, phashes or [0] * len(dhashes))
    return near_duplicate_groups(*(np.array(each, dtype=np.uint64) for each in both)).tolist()


def nudged(value: int, generator: random.Random) -> int:
    for _ in range(generator.randrange(5)):
        value ^= 1 << generator.randrange(64)
    return value


@pytest.mark.parametrize("tile", [1, 3, 2048])
@pytest.mark.parametrize("bits", [(0, 0), (2, 3), (5, 2), (64, 4)])
def test_groups_equal_those_of_the_plain_algorithm(
    tile: int, bits: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_TILE", tile)
    monkeypatch.setattr(digests, "NEAR_DHASH_BITS", bits[0])
    monkeypatch.setattr(digests, "NEAR_PHASH_BITS", bits[1])
    generator = random.Random(tile * 100 + bits[0])
    looks = [(generator.getrandbits(64), generator.getrandbits(64)) for _ in range(8)]
    for _ in range(40):  # chains: each new one a few bits from an earlier one
        dhash_bits, phash_bits = generator.choice(looks)
        looks.append((nudged(dhash_bits, generator), nudged(phash_bits, generator)))
    generator.shuffle(looks)
    assert group(*map(list, zip(*looks, strict=True))) == slow_groups(looks, *bits)


def test_no_hashes_are_no_groups() -> None:
    assert group([]) == []


def test_thousands_of_equal_hashes_are_one_group() -> None:
    assert set(group([0] * 20_000)) == {0}


def test_a_chain_longer_than_a_tile_is_one_group() -> None:
    # A Gray code: neighbours differ in one bit.
    codes = [number ^ (number >> 1) for number in range(5000)]
    assert set(group(codes)) == {0}


def test_re_encodings_group_and_other_pictures_do_not() -> None:
    pictures = [images.photo(800, 600, seed) for seed in range(20)]
    pictures += [picture.resize((300, 225)) for picture in pictures]
    found = group([dhash(each) for each in pictures], [phash(each) for each in pictures])
    assert found == list(range(20)) * 2


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

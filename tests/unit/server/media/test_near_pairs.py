"""Pairs that look alike: all of them, once, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from server.media import near_pairs as module
from server.media.digests import NEAR_DHASH_BITS, NEAR_PHASH_BITS, dhash, hamming_distance, phash
from server.media.near_pairs import near_pairs
from tests.support import images

Hashes = NDArray[np.uint64]


def nudged(hashes: Hashes, bits: int, chance: np.random.Generator) -> Hashes:
    """Return the hashes with up to so many bits turned, wherever they are."""
    turned = hashes.copy()
    for _ in range(bits):
        turned ^= np.uint64(1) << chance.integers(0, 64, hashes.size).astype(np.uint64)
    return turned


def looks(count: int, seed: int, copies: int = 6) -> tuple[Hashes, Hashes]:
    """Return random looks, and nudged copies of some around the limits of what is alike."""
    chance = np.random.default_rng(seed)
    dhashes = chance.integers(0, 2**64, count, dtype=np.uint64)
    phashes = chance.integers(0, 2**64, count, dtype=np.uint64)
    for turn in range(copies):
        part = slice(turn * count // (2 * copies), (turn + 1) * count // (2 * copies))
        rest = slice(count // 2, count // 2 + (part.stop - part.start))
        dhashes[part] = nudged(dhashes[rest], 2 * turn + 2, chance)
        phashes[part] = nudged(phashes[rest], 4 * turn, chance)
    return dhashes, phashes


def found(dhashes: Hashes, phashes: Hashes) -> list[tuple[int, int]]:
    pairs = [
        (min(a, b), max(a, b))
        for first, second in near_pairs(dhashes, phashes)
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    assert len(pairs) == len(set(pairs)), "each once"
    return sorted(pairs)


def slow(dhashes: Hashes, phashes: Hashes) -> list[tuple[int, int]]:
    pairs = []
    for a in range(dhashes.size):
        near = np.bitwise_count(dhashes[a] ^ dhashes[a + 1 :]) <= NEAR_DHASH_BITS
        near &= np.bitwise_count(phashes[a] ^ phashes[a + 1 :]) <= NEAR_PHASH_BITS
        pairs += [(a, int(b) + a + 1) for b in np.flatnonzero(near)]
    return pairs


@pytest.mark.parametrize("few", [0, 10**9], ids=["by-parts", "all-with-all"])
@pytest.mark.parametrize(("tile", "block"), [(3, 5), (512, 1 << 18)])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_pairs_are_those_of_the_plain_algorithm(few: int, tile: int, block: int, seed: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEW", few)
        patch.setattr(module, "_PAIR_COST", 0)  # never too much work to go by parts
        patch.setattr(module, "_TILE", tile)
        patch.setattr(module, "_BLOCK", block)
        wanted = looks(120, seed)
        pairs = slow(*wanted)
        assert pairs
        assert found(*wanted) == pairs


def test_large_sets_are_gone_through_by_parts(monkeypatch: pytest.MonkeyPatch):
    wanted = looks(module._FEW + 500, 7)
    pairs = found(*wanted)
    assert len(pairs) > 1000
    monkeypatch.setattr(module, "_compare_all", None)
    assert found(*wanted) == pairs


def test_looks_that_agree_for_the_most_part_are_compared_all_with_all(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(module, "_FEW", 0)
    monkeypatch.setattr(module, "_Table", None)
    codes = np.arange(300, dtype=np.uint64)
    assert found(codes, codes) == slow(codes, codes)


def test_the_surest_pairs_come_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_FEW", 0)
    wanted = looks(5000, 3)
    levels = []
    for first, second in near_pairs(*wanted):
        levels += np.bitwise_count(wanted[0][first] ^ wanted[0][second]).tolist()
    assert max(levels) == NEAR_DHASH_BITS
    place = max(index for index, bits in enumerate(levels) if bits <= 3)
    assert min(levels[place + 1 :]) > 3


def test_none_and_one_are_no_pairs():
    for count in (0, 1):
        assert found(np.zeros(count, np.uint64), np.zeros(count, np.uint64)) == []


def test_re_encodings_are_pairs_and_other_pictures_are_not():
    pictures = [images.photo(800, 600, seed) for seed in range(20)]
    pictures += [picture.resize((300, 225)) for picture in pictures]
    hashes = [np.array([of(each) for each in pictures], np.uint64) for of in (dhash, phash)]
    assert found(*hashes) == [(n, n + 20) for n in range(20)]
    assert hamming_distance(int(hashes[0][0]), int(hashes[0][20])) <= NEAR_DHASH_BITS

"""How near images are to those that a model learned from, by numbers."""

from __future__ import annotations

import numpy as np
import pytest

from server.services.drift_tests import Shift, compare
from server.services.nearness import BIN_COUNT, make_yardstick, middle

SEEDS = range(10)


def cloud(rng, count: int, shift: float = 0.0):
    """Return ``[N, 64]`` around four centres; shifted, around others as well."""
    centres = np.random.default_rng(99).standard_normal((4, 64)) * 1.5
    other = np.random.default_rng(98).standard_normal(64)
    rows = centres[rng.integers(4, size=count)] + rng.standard_normal((count, 64)) + shift * other
    return rows.astype(np.float32)


def hold(seed: int, shift: float):
    rng = np.random.default_rng(seed)
    yardstick = make_yardstick(cloud(rng, 300), cloud(rng, 120))
    window = np.bincount(yardstick.bins(cloud(rng, 200, shift)), minlength=BIN_COUNT)
    (found,) = compare([(Shift.EMBEDDING, yardstick.reference, window)])
    return found, middle(yardstick.reference), middle(window)


@pytest.mark.parametrize("seed", SEEDS)
def test_images_of_the_same_kind_raise_no_alert(seed):
    found, _, _ = hold(seed, 0.0)
    assert not found.is_alert


@pytest.mark.parametrize("seed", SEEDS)
def test_images_that_lie_apart_do(seed):
    found, before, now = hold(seed, 1.5)
    assert found.is_alert
    assert now < before


def test_images_nearer_than_the_validation_split_raise_none():
    rng = np.random.default_rng(0)
    training = cloud(rng, 300)
    yardstick = make_yardstick(training, cloud(rng, 120))
    bins = yardstick.bins(training[:200])
    assert (bins == BIN_COUNT - 1).all(), "each is its own nearest"
    window = np.bincount(bins, minlength=BIN_COUNT)
    (found,) = compare([(Shift.EMBEDDING, yardstick.reference, window)])
    assert found.effect == pytest.approx(0, abs=1e-9)
    assert not found.is_alert


def test_a_row_without_length_is_like_nothing():
    rng = np.random.default_rng(0)
    yardstick = make_yardstick(cloud(rng, 50), cloud(rng, 30))
    assert yardstick.bins(yardstick.centre[np.newaxis]) in (BIN_COUNT // 2 - 1, BIN_COUNT // 2)

"""Drift by numbers: a resample of the same answers never alarms, another world always does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from server.services.drift_tests import ALPHA, Shift, compare, correct

SEEDS = range(10)
LABELS = np.array([0.5, 0.3, 0.15, 0.05])
BINS = np.array([0.01, 0.02, 0.03, 0.04, 0.1, 0.2, 0.6])
QUIET = np.array([0.95, 0.05])
NEAR = np.array([0.05, 0.1, 0.15, 0.3, 0.4])


def tables(seed: int, labels, bins, quiet, near, window: int = 200):
    """Return tables of 120 validation images, and of a window drawn from other shares."""
    rng = np.random.default_rng(seed)
    return [
        (shift, rng.multinomial(120, before), rng.multinomial(window, now))
        for shift, before, now in (
            (Shift.LABELS, LABELS, labels),
            (Shift.CONFIDENCE, BINS, bins),
            (Shift.ABSTENTION, QUIET, quiet),
            (Shift.EMBEDDING, NEAR, near),
        )
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_resample_raises_no_alert(seed):
    found = compare(tables(seed, LABELS, BINS, QUIET, NEAR))
    assert not [test for test in found if test.is_alert]
    assert all(0 <= test.effect <= 1 and 0 < test.p_value <= 1 for test in found)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shift", list(Shift))
def test_each_shift_is_told_from_the_others(seed, shift):
    now = {
        Shift.LABELS: LABELS, Shift.CONFIDENCE: BINS, Shift.ABSTENTION: QUIET,
        Shift.EMBEDDING: NEAR,
    }  # fmt: skip
    now[shift] = {
        Shift.LABELS: LABELS[::-1], Shift.CONFIDENCE: BINS[::-1], Shift.ABSTENTION: [0.6, 0.4],
        Shift.EMBEDDING: NEAR[::-1],
    }[shift]  # fmt: skip
    found = compare(tables(seed, *now.values()))
    assert [test.shift for test in found if test.is_alert] == [shift]


def test_a_small_shift_is_sure_and_yet_no_alert():
    (found,) = compare([(Shift.LABELS, np.array([5000, 5000]), np.array([5600, 4400]))])
    assert found.p_value < ALPHA
    assert found.effect == pytest.approx(0.06)
    assert not found.is_alert


def test_a_large_shift_of_a_handful_is_no_alert():
    (found,) = compare([(Shift.LABELS, np.array([3, 1]), np.array([1, 3]))])
    assert found.effect >= found.least
    assert not found.is_alert


def test_the_p_value_is_that_of_the_exact_test():
    """Of a table of two by two it is Fisher's, whose sum is short enough to write out."""
    before, now = np.array([18, 2]), np.array([11, 19])
    total, drawn = before + now, int(now.sum())

    def chance(first: int) -> float:
        ways = math.comb(total[0], first) * math.comb(total[1], drawn - first)
        return ways / math.comb(int(total.sum()), drawn)

    def distance(first: int) -> float:
        return abs((total[0] - first) / before.sum() - first / drawn)

    possible = range(max(0, drawn - int(total[1])), min(drawn, int(total[0])) + 1)
    exact = sum(chance(k) for k in possible if distance(k) >= distance(int(now[0])) - 1e-12)
    (found,) = compare([(Shift.ABSTENTION, before, now)])
    assert found.p_value == pytest.approx(exact, abs=0.002)


def test_p_values_are_corrected_by_holms_steps():
    assert correct([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert correct([0.9, 0.8]) == [1.0, 1.0]
    assert correct([]) == []


def test_the_same_answers_give_the_same_p_values():
    assert compare(tables(3, LABELS, BINS, QUIET, NEAR)) == compare(
        tables(3, LABELS, BINS, QUIET, NEAR)
    )


def test_an_empty_side_is_refused():
    with pytest.raises(ValueError, match="empty"):
        compare([(Shift.LABELS, np.array([0, 0]), np.array([1, 1]))])

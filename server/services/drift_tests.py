"""Whether two sets of answers differ by more than chance, and by enough to matter. Pure; numpy.

All tests are one: answers are counted by kind in the validation split and in the window, both
are shuffled together, and how often chance alone parts them so far is counted (a permutation test
over tables with fixed margins). That is exact however few answers a kind has, where the
approximations of the chi-square and Kolmogorov-Smirnov tests need five or so of each, and no ties.

Source: Phipson and Smyth 2010, "Permutation P-values should never be zero", for the p-value; Holm
1979, "A simple sequentially rejective multiple test procedure", for the correction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
# ``[N, C]`` shares of the validation split and ``[N, C]`` of the window to ``[N]`` distances.
Distance = Callable[[Floats, Floats], Floats]

# After the correction. Looked at every day, one in a hundred would cry wolf every three months,
# were it not for the effect that is asked for besides.
ALPHA: Final = 0.01
# Fewer answers show only changes that nobody needs a test for.
MIN_WINDOW: Final = 50
MIN_REFERENCE: Final = 20
_MOST_SHUFFLES: Final = 9_999  # tells p-values down to 0.0001
_MOST_CELLS: Final = 4_000_000  # of all shuffled tables: 32 MB, some tenths of a second
_FEWEST_SHUFFLES: Final = 999


class Shift(StrEnum):
    """What may shift."""

    LABELS = "label-mix"
    CONFIDENCE = "confidence"
    ABSTENTION = "abstention"
    EMBEDDING = "embedding"


def total_variation(reference: Floats, window: Floats) -> Floats:
    """Return which share of the answers would have to change for the two to be the same."""
    distance: Floats = np.abs(reference - window).sum(axis=1) / 2
    return distance


def largest_gap(reference: Floats, window: Floats) -> Floats:
    """Return the largest distance of the cumulative shares: Kolmogorov and Smirnov's, of bins."""
    gap: Floats = np.abs(np.cumsum(reference - window, axis=1)).max(axis=1)
    return gap


def largest_retreat(reference: Floats, window: Floats) -> Floats:
    """Return the largest excess of the window's cumulative shares: how many lie lower now.

    The other direction is none to warn of: images may well be nearer to the training images than
    those of the validation split, from which near-duplicates of them were kept away.
    """
    retreat: Floats = np.cumsum(window - reference, axis=1).max(axis=1).clip(min=0)
    return retreat


@dataclass(frozen=True)
class Rule:
    """How a shift is measured.

    Attributes:
        distance: 0 to 1; it is the statistic and the effect.
        least: A smaller effect raises no alert, however sure it is.
    """

    distance: Distance
    least: float


# A tenth of a shift is what a weekend does to a bird feeder; two are a change of its guests.
RULES: Final = {
    Shift.LABELS: Rule(total_variation, 0.2),
    Shift.CONFIDENCE: Rule(largest_gap, 0.2),
    Shift.ABSTENTION: Rule(total_variation, 0.1),
    Shift.EMBEDDING: Rule(largest_retreat, 0.2),
}


@dataclass(frozen=True)
class Tested:
    """What a test found.

    Attributes:
        effect: The statistic, 0 to 1; see `RULES`.
        least: The effect from which on it matters.
        p_value: Corrected for the number of tests.
    """

    shift: Shift
    effect: float
    least: float
    p_value: float

    @property
    def is_alert(self) -> bool:
        """Whether it is both more than chance and large enough to matter."""
        return self.p_value < ALPHA and self.effect >= self.least


def compare(tables: Sequence[tuple[Shift, Counts, Counts]], seed: int = 0) -> list[Tested]:
    """Test each shift, and correct for how many tests that are.

    Args:
        tables: A shift with ``[C]`` counts of the validation split and ``[C]`` of the window.
        seed: Of the shuffling: the same answers give the same p-values.

    Raises:
        ValueError: One side of a table is empty.
    """
    rng = np.random.default_rng(seed)
    found = [(shift, *_shuffle(rng, RULES[shift].distance, a, b)) for shift, a, b in tables]
    corrected = correct([p_value for _, _, p_value in found])
    return [
        Tested(shift, effect, RULES[shift].least, p_value)
        for (shift, effect, _), p_value in zip(found, corrected, strict=True)
    ]


def _shuffle(
    rng: np.random.Generator, distance: Distance, reference: Counts, window: Counts
) -> tuple[float, float]:
    """Return the effect and its p-value."""
    total, drawn = reference + window, int(window.sum())
    if not drawn or not reference.sum():
        raise ValueError("a table with an empty side")
    count = max(_FEWEST_SHUFFLES, min(_MOST_SHUFFLES, _MOST_CELLS // len(total)))
    shuffled = rng.multivariate_hypergeometric(total, drawn, size=count, method="marginals")
    by_chance = distance(_shares(total - shuffled), _shares(shuffled))
    effect = float(distance(_shares(reference[np.newaxis]), _shares(window[np.newaxis]))[0])
    # Equal up to the rounding of sums of shares.
    as_far = int((by_chance >= effect - 1e-12).sum())
    return effect, (as_far + 1) / (count + 1)


def _shares(counts: Counts) -> Floats:
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares


def correct(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, by Holm's steps; in their order."""
    order = np.argsort(p_values, kind="stable")
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for step, place in enumerate(order):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - step)))
        corrected[place] = largest
    return corrected

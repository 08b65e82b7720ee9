"""Metrics as pure functions on arrays. numpy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

_Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point
_BIN_COUNT = 15  # the customary number: Guo et al. 2017, section 2
_SMALLEST_PROBABILITY = 1e-15  # keeps the loss of a rounded-off zero finite (34.5)


def error_rate(labels: Labels, predicted: Labels) -> float:
    """Return the share of wrong predictions, 0..1. Both ``[N]``, N above 0."""
    return float(np.mean(labels != predicted))


def wilson_interval(error_count: int, count: int, z: float = _Z_95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion, within 0..1.

    Unlike the textbook's p +- z sd it stays honest for few images and for no errors at all.

    Args:
        error_count: Successes of the binomial draw (here: errors).
        count: Draws; above 0.
        z: Half width in standard deviations; the default gives 95 %.

    Source: Wilson 1927; https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval
    """
    ratio = error_count / count
    scale = 1 + z * z / count
    centre = (ratio + z * z / (2 * count)) / scale
    half = z / scale * math.sqrt(ratio * (1 - ratio) / count + z * z / (4 * count * count))
    # Rounding may leave 1e-17 where the formula says 0 (no errors) or 1 (nothing else).
    low = 0.0 if error_count == 0 else max(0.0, centre - half)
    high = 1.0 if error_count == count else min(1.0, centre + half)
    return low, high


def confusion(labels: Labels, predicted: Labels, class_count: int) -> NDArray[np.int64]:
    """Return ``[C, C]`` counts: rows are labels, columns predictions."""
    matrix = np.zeros((class_count, class_count), dtype=np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def precision(matrix: NDArray[np.int64]) -> list[float | None]:
    """Return each class's share of right among its predictions; None when never predicted."""
    return _ratios(np.diag(matrix), matrix.sum(axis=0))


def recall(matrix: NDArray[np.int64]) -> list[float | None]:
    """Return each class's share of right among its images; None when it has none."""
    return _ratios(np.diag(matrix), matrix.sum(axis=1))


def _ratios(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> list[float | None]:
    return [
        float(part / whole) if whole else None for part, whole in zip(parts, wholes, strict=True)
    ]


def losses(probabilities: Floats, labels: Labels) -> Floats:
    """Return each image's cross-entropy in nats, ``[N]``.

    Args:
        probabilities: ``[N, C]``, rows sum to 1.
        labels: ``[N]``, class indices.
    """
    own = probabilities[np.arange(len(labels)), labels]
    result: Floats = -np.log(np.maximum(own, _SMALLEST_PROBABILITY))
    return np.maximum(result, 0.0)  # -log(1) is -0.0


def log_loss(probabilities: Floats, labels: Labels) -> float:
    """Return the mean of `losses`."""
    return float(losses(probabilities, labels).mean())


@dataclass(frozen=True)
class Binned:
    """Predictions by confidence, the highest probability, in equal-width bins (low, high].

    Attributes:
        counts: ``[B]`` predictions in each bin, lowest confidence first.
        confidence: ``[B]`` mean confidence; 0 where there are none.
        accuracy: ``[B]`` share of right ones; 0 where there are none.
    """

    counts: Labels
    confidence: Floats
    accuracy: Floats

    @property
    def error(self) -> float:
        """The expected calibration error: the mean |accuracy - confidence| over predictions."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(np.sum(gaps * self.counts) / np.sum(self.counts))


def bin_by_confidence(probabilities: Floats, labels: Labels, bin_count: int = _BIN_COUNT) -> Binned:
    """Return how right predictions are, by how sure they are.

    Args:
        probabilities: ``[N, C]``, rows sum to 1; N above 0.
        labels: ``[N]``.
        bin_count: Bins of equal width.

    Source: Guo et al. 2017, section 2, https://arxiv.org/abs/1706.04599
    """
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(sure * bin_count).astype(np.int64) - 1, 0, bin_count - 1)
    counts = np.bincount(bins, minlength=bin_count)
    divisor = np.maximum(counts, 1)
    return Binned(
        counts=counts,
        confidence=np.bincount(bins, sure, bin_count) / divisor,
        accuracy=np.bincount(bins, right, bin_count) / divisor,
    )


def calibration_error(probabilities: Floats, labels: Labels, bin_count: int = _BIN_COUNT) -> float:
    """Return the expected calibration error, 0..1.

    Source: Guo et al. 2017, equation 3, https://arxiv.org/abs/1706.04599
    """
    return bin_by_confidence(probabilities, labels, bin_count).error


def area_under_curve(high: Floats, low: Floats) -> float:
    """Return the probability that a value of ``high`` is above one of ``low``; ties count half.

    That is the area under the ROC curve. Both ``[N]``, of any lengths above 0.

    Source: Hanley and McNeil 1982, The meaning and use of the area under a ROC curve.
    """
    ordered = np.sort(low)
    below = np.searchsorted(ordered, high, side="left")
    up_to = np.searchsorted(ordered, high, side="right")
    return float((below + up_to).mean() / 2 / len(low))

"""Metrics as pure functions on arrays. numpy only."""

from __future__ import annotations

import math

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


def calibration_error(probabilities: Floats, labels: Labels, bin_count: int = _BIN_COUNT) -> float:
    """Return the expected calibration error, 0..1.

    The mean over equal-width bins of |accuracy - mean confidence|, weighted by the bins' images;
    confidence is the highest probability.

    Source: Guo et al. 2017, equation 3, https://arxiv.org/abs/1706.04599
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    # Bins are (low, high], as in the source.
    bins = np.clip(np.ceil(confidence * bin_count).astype(np.int64) - 1, 0, bin_count - 1)
    total = 0.0
    for index in range(bin_count):
        inside = bins == index
        if inside.any():
            gap = abs(float(right[inside].mean()) - float(confidence[inside].mean()))
            total += gap * float(inside.mean())
    return total

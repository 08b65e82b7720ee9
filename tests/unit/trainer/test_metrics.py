"""Metrics against numbers worked out by hand or published."""

from __future__ import annotations

import numpy as np
import pytest

from trainer import metrics

_LABELS = np.array([0, 0, 1, 1, 2])
_PREDICTED = np.array([0, 1, 1, 1, 0])


def test_error_rate() -> None:
    assert metrics.error_rate(_LABELS, _PREDICTED) == pytest.approx(0.4)


def test_confusion_has_labels_in_rows() -> None:
    expected = [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    np.testing.assert_array_equal(metrics.confusion(_LABELS, _PREDICTED, 3), expected)


def test_precision_and_recall_by_class() -> None:
    matrix = metrics.confusion(_LABELS, _PREDICTED, 3)
    assert metrics.precision(matrix) == [0.5, pytest.approx(2 / 3), None]
    assert metrics.recall(matrix) == [0.5, 1.0, 0.0]


def test_recall_of_a_class_without_images_is_unknown() -> None:
    matrix = metrics.confusion(np.array([0]), np.array([0]), 2)
    assert metrics.recall(matrix) == [1.0, None]


@pytest.mark.parametrize(
    ("errors", "count", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # Newcombe 1998, Statistics in Medicine 17: 857, table I, method 3
        (81, 263, 0.2553, 0.3662),  # likewise
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_wilson_intervals_are_the_published_ones(
    errors: int, count: int, low: float, high: float
) -> None:
    assert metrics.wilson_interval(errors, count) == pytest.approx((low, high), abs=5e-5)


def test_log_loss_is_the_mean_cross_entropy() -> None:
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])
    expected = -(np.log(0.5) + np.log(0.75)) / 2
    assert metrics.log_loss(probabilities, np.array([0, 1])) == pytest.approx(expected)


def test_log_loss_of_certain_answers_is_finite_and_not_negative() -> None:
    probabilities = np.array([[1.0, 0.0], [1.0, 0.0]])
    losses = metrics.losses(probabilities, np.array([0, 1]))
    assert losses[0] == 0
    assert not np.signbit(losses[0])
    assert losses[1] == pytest.approx(34.54, abs=0.01)


def test_calibration_error_by_hand() -> None:
    # Bin (0.6, 0.667]: confidence 0.65, one of two right: gap 0.15.
    # Bin (0.867, 0.933]: confidence 0.9, right: gap 0.1.
    probabilities = np.array([[0.65, 0.35], [0.65, 0.35], [0.9, 0.1]])
    labels = np.array([0, 1, 0])
    assert metrics.calibration_error(probabilities, labels) == pytest.approx((2 * 0.15 + 0.1) / 3)


def test_a_calibrated_model_has_no_calibration_error() -> None:
    probabilities = np.array([[0.75, 0.25]] * 4)
    assert metrics.calibration_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0)


def test_probability_one_falls_into_the_last_bin() -> None:
    probabilities = np.array([[1.0, 0.0]])
    assert metrics.calibration_error(probabilities, np.array([0])) == 0
    assert metrics.calibration_error(probabilities, np.array([1])) == 1

"""Reliability bins, and what a temperature does to images that it was not fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from server.contract.calibration import probabilities
from trainer import metrics
from trainer.evaluation.reliability import judge_reliability, temperature_effect

pytestmark = pytest.mark.slow


def _drawn(count: int, truth: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Logits of three classes, and labels drawn with the probabilities of a temperature."""
    generator = np.random.default_rng(3)
    logits = generator.normal(0, 4, (count, 3))
    draws = generator.random((count, 1))
    labels = (probabilities(logits, truth).cumsum(axis=1) < draws).sum(axis=1)
    return logits, labels, [str(number) for number in range(count)]


def test_the_bins_hold_every_image_and_explain_the_error() -> None:
    logits, labels, groups = _drawn(500, 2.0)
    said = judge_reliability(logits, 2.0, labels, groups, 42)
    assert sum(each.count for each in said.bins) == 500
    gap = sum(abs(each.accuracy - each.confidence) * each.count for each in said.bins if each.count)
    expected = metrics.calibration_error(probabilities(logits, 2.0), labels, 10)
    assert gap / 500 == pytest.approx(expected)
    assert said.bins[0].count == 0  # of three classes the best has a third at least
    assert said.bins[0].accuracy is None


def test_a_temperature_helps_images_that_it_was_not_fitted_on() -> None:
    effect = temperature_effect(*_drawn(500, 2.0), 42)
    assert effect is not None
    assert effect.calibration_error_before > 0.1
    assert effect.calibration_error_after < 0.07
    assert effect.log_loss_after < effect.log_loss_before
    assert effect.folds == 5


def test_too_few_images_give_no_effect() -> None:
    assert temperature_effect(np.zeros((2, 3)), np.array([0, 1]), ["a", "b"], 42) is None


def test_the_area_under_the_curve_is_the_chance_of_a_right_order() -> None:
    low, high = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0])
    pairs = [0.5 * (one == other) + (one > other) for one in high for other in low]
    assert metrics.area_under_curve(high, low) == pytest.approx(np.mean(pairs))
    assert metrics.area_under_curve(low, low) == 0.5

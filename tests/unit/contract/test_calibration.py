"""Probabilities from logits."""

from __future__ import annotations

import numpy as np
import pytest

from server.contract.calibration import probabilities


def test_probabilities_are_the_softmax() -> None:
    result = probabilities(np.log(np.array([[1.0, 2.0, 5.0]])), 1.0)
    np.testing.assert_allclose(result, [[0.125, 0.25, 0.625]])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_never_changes_the_top_class(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(size=(50, 4))
    result = probabilities(logits, temperature)
    np.testing.assert_array_equal(result.argmax(axis=1), logits.argmax(axis=1))
    np.testing.assert_allclose(result.sum(axis=1), 1)


def test_a_higher_temperature_is_less_sure() -> None:
    logits = np.array([2.0, 0.0])
    assert probabilities(logits, 2.0).max() < probabilities(logits, 1.0).max()


def test_huge_logits_do_not_overflow() -> None:
    np.testing.assert_allclose(probabilities(np.array([1e4, -1e4], np.float32), 0.1), [1, 0])

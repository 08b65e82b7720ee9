"""L-BFGS: the lowest point of what is known, found in few steps, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.metrics import Floats
from trainer.optimisation.lbfgs import minimise


def _bowl(stretches: Floats, lowest: Floats):  # type: ignore[no-untyped-def]
    def function(point: Floats) -> tuple[float, Floats]:
        away = point - lowest
        return float(stretches @ away**2) / 2, stretches * away

    return function


@pytest.mark.parametrize("longest", [1.0, 100.0], ids=["round", "long"])
def test_the_lowest_point_of_a_bowl_is_found(longest: float) -> None:
    lowest = np.linspace(-3, 5, 40)
    found = minimise(_bowl(np.geomspace(1, longest, 40), lowest), np.zeros(40), 1e-8, 500)
    np.testing.assert_allclose(found.point, lowest, atol=1e-7)
    assert found.evaluations < 300


def test_a_curved_function_is_followed_down() -> None:
    """The sum of log cosh: as flat as its distance far away, and a bowl near its lowest point."""

    def function(point: Floats) -> tuple[float, Floats]:
        away = point - np.array([2.0, -7.0, 0.5])
        return float(np.logaddexp(away, -away).sum()), np.tanh(away)

    found = minimise(function, np.array([40.0, 40.0, 40.0]), 1e-9, 200)
    np.testing.assert_allclose(found.point, [2.0, -7.0, 0.5], atol=1e-8)


def test_the_start_is_left_as_it_is_and_enough_when_it_is_flat() -> None:
    start = np.array([1.0, 2.0])
    found = minimise(_bowl(np.ones(2), start.copy()), start, 1e-6, 10)
    assert found.evaluations == 1
    np.testing.assert_array_equal(start, [1.0, 2.0])


def test_steps_are_bounded() -> None:
    found = minimise(_bowl(np.geomspace(1, 1e6, 50), np.ones(50)), np.zeros(50), 1e-12, 3)
    assert found.evaluations <= 1 + 3 * 40


def test_the_same_start_gives_the_same_point() -> None:
    function = _bowl(np.geomspace(1, 100, 9), np.arange(9.0))
    first, second = (minimise(function, np.zeros(9), 1e-6, 100) for _ in range(2))
    np.testing.assert_array_equal(first.point, second.point)

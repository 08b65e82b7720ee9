"""The learning-rate finder on curves whose answer is known."""

from __future__ import annotations

import itertools
import math

import pytest

from trainer.errors import JobFailedError
from trainer.optimisation.lr_finder import FIRST_LR, LAST_LR, STEPS, Point, suggest, sweep


def _points(losses: list[float]) -> list[Point]:
    return [Point(10 ** (place / 10 - 7), loss, loss) for place, loss in enumerate(losses)]


def test_the_sweep_is_exponential_and_its_average_unbiased() -> None:
    points = sweep(lambda _lr, _step: 2.0)
    assert len(points) == STEPS
    assert (points[0].lr, points[-1].lr) == (FIRST_LR, pytest.approx(LAST_LR))
    ratios = {round(b.lr / a.lr, 9) for a, b in itertools.pairwise(points)}
    assert ratios == {round(10 ** (8 / 99), 9)}
    assert all(point.smoothed == pytest.approx(2.0) for point in points)


def test_the_sweep_smooths_by_the_formula() -> None:
    losses = [3.0, 1.0, 2.0]
    points = sweep(lambda _lr, step: losses[step], steps=3)
    average = 0.0
    for step, point in enumerate(points):
        average = 0.98 * average + 0.02 * losses[step]
        assert point.smoothed == pytest.approx(average / (1 - 0.98 ** (step + 1)))


@pytest.mark.parametrize("loss", [math.inf, math.nan])
def test_the_sweep_ends_when_the_loss_is_no_number(loss: float) -> None:
    assert len(sweep(lambda _lr, step: 1.0 if step < 30 else loss)) == 30


def test_the_sweep_ends_at_four_times_the_best() -> None:
    points = sweep(lambda _lr, step: 1.0 if step < 50 else 100.0)
    assert len(points) < 60
    assert points[-2].smoothed <= 4 < points[-1].smoothed


def test_suggestions_are_read_off_a_clean_curve() -> None:
    # Flat to 1e-4, falling to 1e-2, flat, then up: steepest in the middle of the fall.
    falls = [min(max(place - 30, 0) / 20, 1) for place in range(70)]
    losses = [1.5 + math.cos(fall * math.pi) / 2 for fall in falls]
    losses += [losses[-1] + 0.2 * rise for rise in range(1, 21)]
    found = suggest(_points(losses))
    assert found.valley == pytest.approx(1e-3, rel=0.3)
    assert found.steep == pytest.approx(1e-3, rel=0.3)
    assert found.minimum == pytest.approx(1e-3, rel=0.3)


def test_a_bump_does_not_end_the_valley() -> None:
    losses = [2.0] * 10 + [2.0 - place / 40 for place in range(40)] + [1.0] * 20
    losses[30] += 0.5
    assert suggest(_points(losses)).valley == pytest.approx(10 ** (29.5 / 10 - 7), rel=0.3)


def test_a_curve_of_nothing_is_said() -> None:
    with pytest.raises(JobFailedError, match="curve") as caught:
        suggest(_points([1.0, 9.0]))
    assert caught.value.kind == "curve-too-short"

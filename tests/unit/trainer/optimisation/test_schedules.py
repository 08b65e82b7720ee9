"""Schedules against their closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.optimisation.schedules import OneCycle, cosine, geometric

_POSITIONS = st.floats(0, 1)


@given(_POSITIONS)
def test_one_cycle_follows_its_closed_form(position: float) -> None:
    if position < 0.25:
        rising = 1 + math.cos(math.pi * (1 + position / 0.25))  # 0..2
        expected, momentum = 0.04 + 0.96 * rising / 2, 0.95 - 0.1 * rising / 2
    else:
        falling = 1 + math.cos(math.pi * (position - 0.25) / 0.75)  # 2..0
        expected, momentum = 1e-5 + (1 - 1e-5) * falling / 2, 0.95 - 0.1 * falling / 2
    assert OneCycle().lr_ratio(position) == pytest.approx(expected, abs=1e-9)
    assert OneCycle().momentum(position) == pytest.approx(momentum, abs=1e-9)


@pytest.mark.parametrize(
    ("position", "lr_ratio", "momentum"),
    [
        (0, 1 / 25, 0.95),
        (0.125, 0.52, 0.9),
        (0.25, 1, 0.85),
        (0.625, 0.500005, 0.9),
        (1, 1e-5, 0.95),
    ],
)
def test_one_cycle_has_fastais_numbers(position: float, lr_ratio: float, momentum: float) -> None:
    assert OneCycle().lr_ratio(position) == pytest.approx(lr_ratio)
    assert OneCycle().momentum(position) == pytest.approx(momentum)


@given(_POSITIONS, st.floats(-10, 10), st.floats(-10, 10))
def test_a_cosine_stays_between_its_ends(position: float, start: float, end: float) -> None:
    value = cosine(start, end, position)
    assert min(start, end) - 1e-9 <= value <= max(start, end) + 1e-9
    assert cosine(start, end, 0) == start
    assert cosine(start, end, 1) == pytest.approx(end)


def test_learning_rates_of_groups_are_geometric() -> None:
    assert geometric(1e-5, 1e-3, 3) == pytest.approx([1e-5, 1e-4, 1e-3])
    assert geometric(1e-5, 1e-3, 1) == [1e-3]

"""Hints: each measure beside its threshold, and nothing beyond."""

from __future__ import annotations

import pytest

from server.media.hints import LIMITS, HintName, Measure, find_hints
from server.media.quality import Quality

GOOD = Quality(luma_p99=0.9, luma_p05=0.1, sharpness=30.0, entropy_bits=7.0)


def names(quality: Quality | None, width_px: int = 800, height_px: int = 600) -> set[HintName]:
    return {hint.name for hint in find_hints(quality, width_px, height_px)}


def test_a_good_picture_has_none():
    assert names(GOOD) == set()
    assert names(None) == set(), "what is not measured is not blamed"


def test_each_hint_has_its_limit():
    assert set(LIMITS) == set(HintName)


@pytest.mark.parametrize("name", HintName)
def test_the_threshold_itself_is_still_good(name: HintName):
    limit = LIMITS[name]
    step = 0.01 if limit.is_lowest else -0.01
    for value, expected in (
        (limit.threshold, set()),
        (limit.threshold + step, set()),
        (limit.threshold - step * 200, {name}),
    ):
        if limit.measure is Measure.ASPECT:
            found = names(GOOD, round(value * 1000), 1000)
        elif limit.measure is Measure.SHORT_SIDE_PX:
            found = names(GOOD, 200, int(value))
        else:
            found = names(Quality(**{**_values(GOOD), limit.measure.value: value}))
        assert found == expected, value


def _values(quality: Quality) -> dict[str, float]:
    return {name: getattr(quality, name) for name in Quality.__slots__}


def test_a_hint_says_how_far_beyond_it_is():
    (hint,) = find_hints(GOOD, 900, 100 * 3 - 100)
    assert (hint.name, hint.score, hint.threshold) == (HintName.ODD_ASPECT, 4.5, 3.0)

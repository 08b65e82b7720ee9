"""The learning curve: falling where images help, flat where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluation.learning_curve import Split, draw_curve
from trainer.selection import TrainingSet

pytestmark = pytest.mark.slow


def _ignore(done: int, total: int) -> None:
    """Take progress and do nothing."""


def _split(counts: tuple[int, ...], spread: float, per_group: int = 1) -> Split:
    generator = np.random.default_rng(0)
    centres = generator.normal(0, 1, (len(counts), 32))

    def draw(sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        labels = np.repeat(np.arange(len(sizes)), sizes)
        noise = generator.normal(0, spread, (len(labels), 32))
        return (centres[labels] + noise).astype(np.float32), labels

    features, labels = draw(counts)
    groups = [f"group {number // per_group}" for number in range(len(labels))]
    train = TrainingSet(features, labels, groups, len(counts))
    return Split(train, *draw((100,) * len(counts)), [f"class {n}" for n in range(len(counts))])


def test_where_images_help_the_curve_falls() -> None:
    curve = draw_curve(_split((40, 40, 40), 4.0), 0.1, 1.0, 42, _ignore)
    assert curve is not None
    quarter, half, full = curve.points
    assert (quarter.train_count, half.train_count, full.train_count) == (30, 60, 120)
    assert quarter.error_rate > half.error_rate > full.error_rate
    assert quarter.lowest <= quarter.error_rate <= quarter.highest
    assert full.lowest == full.highest


def test_where_classes_are_easy_the_curve_is_flat() -> None:
    curve = draw_curve(_split((40, 40), 0.3), 0.1, 1.0, 42, _ignore)
    assert curve is not None
    assert [point.error_rate for point in curve.points] == [0, 0, 0]


def test_the_class_with_few_images_needs_more() -> None:
    curve = draw_curve(_split((100, 8, 100), 3.0), 0.1, 1.0, 42, _ignore)
    assert curve is not None
    assert curve.needs[0].label == "class 1"
    assert curve.needs[0].train_count == 8
    assert curve.needs[0].log_loss_rise > 0


def test_near_duplicates_are_left_out_together() -> None:
    curve = draw_curve(_split((20, 20), 2.0, per_group=5), 0.1, 1.0, 42, _ignore)
    assert curve is not None
    assert curve.points[1].train_count == 20  # two groups of five in each class


def test_progress_is_told_and_the_same_seed_gives_the_same_curve() -> None:
    told: list[tuple[int, int]] = []
    split = _split((12, 12), 3.0)
    first = draw_curve(split, 0.1, 1.0, 7, lambda *step: told.append(step))
    assert told == [(done, 9) for done in range(1, 10)]
    assert draw_curve(split, 0.1, 1.0, 7, _ignore) == first


def test_three_images_of_a_class_give_no_curve() -> None:
    assert draw_curve(_split((3, 40), 1.0), 0.1, 1.0, 42, _ignore) is None

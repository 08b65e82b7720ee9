"""Folds, penalty and temperature."""

from __future__ import annotations

import numpy as np
import pytest

from server.contract.calibration import probabilities
from trainer.errors import JobStoppedError
from trainer.selection import (
    L2_GRID,
    L2_WITHOUT_FOLDS,
    TrainingSet,
    deal_folds,
    fit_temperature,
    select,
)

pytestmark = pytest.mark.slow


def _ignore(done: int, total: int) -> None:
    """Take progress and do nothing."""


def _data(counts: tuple[int, ...], spread: float = 1.0, seed: int = 0) -> TrainingSet:
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    centres = generator.normal(0, 2, (len(counts), 16))
    features = centres[labels] + generator.normal(0, spread, (len(labels), 16))
    groups = [f"group {number}" for number in range(len(labels))]
    return TrainingSet(features.astype(np.float32), labels, groups, len(counts))


def test_folds_are_even_over_images_and_classes() -> None:
    labels = np.repeat([0, 1, 2], [20, 13, 7])
    folds = deal_folds(labels, [str(number) for number in range(40)], 5, 42)
    assert folds is not None
    assert np.bincount(folds).tolist() == [8] * 5
    for label in range(3):
        counts = np.bincount(folds[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_groups_stay_whole() -> None:
    groups = [str(number // 3) for number in range(30)]
    folds = deal_folds(np.repeat([0, 1], 15), groups, 5, 42)
    assert folds is not None
    assert all(
        len({folds[index] for index in range(start, start + 3)}) == 1 for start in range(0, 30, 3)
    )


def test_the_seed_alone_decides_the_folds() -> None:
    labels, groups = np.repeat([0, 1], 20), [str(number) for number in range(40)]
    first, again, other = (deal_folds(labels, groups, 5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((3, 20), 3), ((1, 4, 20), 4), ((2, 2), 2), ((1, 9), None), ((1, 1), None)],
)
def test_small_classes_limit_the_folds(counts: tuple[int, ...], expected: int | None) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    folds = deal_folds(labels, [str(number) for number in range(len(labels))], 5, 42)
    assert (None if folds is None else int(folds.max()) + 1) == expected


def test_the_penalty_of_least_out_of_fold_loss_is_chosen() -> None:
    steps: list[tuple[int, int]] = []
    result = select(
        _data((15, 15, 15), 2.5), 5, 42, lambda done, total: steps.append((done, total))
    )
    assert [trial.l2 for trial in result.trials] == list(L2_GRID)
    assert result.best is not None
    assert result.best.log_loss == min(trial.log_loss for trial in result.trials)
    assert result.head.l2 == result.best.l2
    total = len(L2_GRID) * 5 + 1
    assert steps == [(done, total) for done in range(1, total + 1)]


def test_the_same_seed_gives_the_same_result() -> None:
    data = _data((12, 12), 2.0)
    first, second = (select(data, 4, 7, _ignore) for _ in range(2))
    np.testing.assert_array_equal(first.head.weight, second.head.weight)
    assert first.temperature == second.temperature


def test_a_fixed_penalty_is_kept() -> None:
    result = select(_data((10, 10)), 5, 42, _ignore, 0.7)
    assert result.head.l2 == 0.7
    assert len(result.trials) == 1


def test_out_of_fold_probabilities_are_not_those_of_the_final_head() -> None:
    data = _data((10, 10), 6.0)
    result = select(data, 5, 42, _ignore, 0.003)
    assert result.out_of_fold is not None
    in_sample = probabilities(result.head.logits(data.features), result.temperature)
    own = np.arange(20), data.labels
    assert result.out_of_fold[own].mean() < in_sample[own].mean() - 0.05


def test_without_folds_there_is_a_head_and_no_calibration() -> None:
    result = select(_data((1, 1)), 5, 42, _ignore)
    assert result.head.l2 == L2_WITHOUT_FOLDS
    assert (result.folds, result.temperature, result.out_of_fold) == (0, 1.0, None)


def test_a_class_of_one_image_does_not_spoil_the_calibration() -> None:
    with_one = select(_data((1, 30, 30), 2.0), 5, 42, _ignore, 0.1)
    assert with_one.best is not None
    assert with_one.best.error_rate > 0  # the one image is wrong, and counted
    assert 0.3 < with_one.temperature < 3


def test_a_listener_that_raises_stops_the_selection() -> None:
    def stop(done: int, total: int) -> None:
        raise JobStoppedError("cancelled")

    with pytest.raises(JobStoppedError):
        select(_data((5, 5)), 5, 42, stop)


@pytest.mark.parametrize("truth", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(truth: float) -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, (4000, 3))
    draws = generator.random((4000, 1))
    labels = (probabilities(logits, truth).cumsum(axis=1) < draws).sum(axis=1)
    assert fit_temperature(logits, labels) == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize("scale", [0.001, 0.3, 5.0, 400.0])
def test_no_temperature_of_the_grid_is_better(scale: float) -> None:
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 3, 60)
    logits = scale * (np.eye(3)[labels] + generator.normal(0, 1, (60, 3)))
    found = fit_temperature(logits, labels)
    targets = np.full((60, 3), 1 / 62 / 2)
    targets[np.arange(60), labels] = 61 / 62

    def loss(temperature: float) -> float:
        return -float((targets * np.log(probabilities(logits, temperature) + 1e-300)).sum())

    assert loss(found) <= min(loss(other) for other in np.geomspace(0.1, 10, 401)) + 1e-9


def test_twenty_right_answers_do_not_make_certainty() -> None:
    labels = np.repeat([0, 1], 10)
    logits = np.eye(2)[labels] * 4
    confidence = probabilities(logits, fit_temperature(logits, labels)).max()
    assert 0.9 < confidence < 0.97

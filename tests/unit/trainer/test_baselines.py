"""Baselines on pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.baselines import majority_error, measure, pixel_linear_error, pixel_similarity


def _even(level: int) -> np.ndarray:
    return np.full((4, 4, 3), level, dtype=np.uint8)


def test_the_majority_of_the_training_split_is_answered() -> None:
    assert majority_error(np.array([1, 1, 0]), np.array([0, 0, 1, 2])) == 0.75


def test_of_equally_frequent_classes_the_first_is_answered() -> None:
    assert majority_error(np.array([1, 0]), np.array([0, 1, 1])) == pytest.approx(2 / 3)


def test_the_nearest_mean_image_is_answered() -> None:
    pixels = np.stack([_even(level) for level in (0, 20, 200, 220, 30, 190, 100)])
    labels = np.array([0, 0, 1, 1, 0, 1, 1])
    is_valid = np.array([False] * 4 + [True] * 3)
    result = pixel_similarity(pixels, labels, is_valid)
    assert result.l1 == result.l2 == result.best == pytest.approx(1 / 3)


def test_the_better_distance_counts() -> None:
    # One bright pixel: far by squares, near by absolute values.
    spot = _even(100)
    spot[0, 0] = 255
    pixels = np.stack([_even(100), _even(115), spot])
    result = pixel_similarity(pixels, np.array([0, 1, 0]), np.array([False, False, True]))
    assert (result.l1, result.l2, result.best) == (0.0, 1.0, 0.0)


def test_a_class_without_training_images_is_never_answered() -> None:
    pixels = np.stack([_even(0), _even(200), _even(100)])
    result = pixel_similarity(pixels, np.array([0, 2, 1]), np.array([False, False, True]))
    assert result.best == 1.0


def test_a_linear_model_tells_where_the_light_is() -> None:
    # Same mean, same brightness: only the place differs, and class 1 has two places.
    generator = np.random.default_rng(0)
    labels = np.arange(200) % 2
    pixels = generator.integers(0, 60, (200, 4, 4, 3)).astype(np.uint8)
    pixels[labels == 0, 0, 0] += 150
    pixels[labels == 1, 3, 3] += 150
    is_valid = np.arange(200) % 5 == 0
    assert pixel_linear_error(pixels, labels, is_valid, 42) == 0


def test_all_baselines_are_measured() -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 255, (40, 4, 4, 3)).astype(np.uint8)
    reached = measure(pixels, np.arange(40) % 2, np.arange(40) % 4 < 2, 42)
    assert reached.majority == 0.5
    assert reached.pixel_similarity == min(reached.pixel_similarity_l1, reached.pixel_similarity_l2)
    assert reached.pixel_linear is not None
    assert 0.2 < reached.pixel_linear < 0.8  # noise has nothing to learn

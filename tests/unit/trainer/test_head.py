"""The head: right, unique, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.head import fit

pytestmark = pytest.mark.slow


def _clusters(
    per_class: int, features: int, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), per_class)
    centres = generator.normal(0, 3, (3, features))
    noise = generator.normal(0, 1, (len(labels), features))
    return (centres[labels] + noise).astype(np.float32), labels


@pytest.mark.parametrize("features", [5, 200], ids=["more images", "more features"])
def test_separable_classes_are_told_apart(features: int) -> None:
    inputs, labels = _clusters(20, features)
    head = fit(inputs, labels, 3, 0.01)
    np.testing.assert_array_equal(head.logits(inputs).argmax(axis=1), labels)
    assert head.weight.shape == (3, features)
    assert head.iterations < 500


def test_the_same_input_gives_the_same_head() -> None:
    inputs, labels = _clusters(10, 30)
    first, second = fit(inputs, labels, 3, 0.1), fit(inputs, labels, 3, 0.1)
    np.testing.assert_array_equal(first.weight, second.weight)
    np.testing.assert_array_equal(first.bias, second.bias)


@pytest.mark.parametrize("features", [4, 60], ids=["more images", "more features"])
def test_the_gradient_is_zero_at_the_fitted_head(features: int) -> None:
    inputs, labels = _clusters(8, features)
    l2 = 0.3
    head = fit(inputs, labels, 3, l2)
    raw = inputs.astype(np.float64)
    variance = raw.var(axis=0)
    scale = np.sqrt(variance + 0.01 * variance.mean())
    standard = (raw - raw.mean(axis=0)) / scale
    logits = head.logits(inputs)
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    residual = (raised / raised.sum(axis=1, keepdims=True) - np.eye(3)[labels]) / len(labels)
    gradient = residual.T @ standard + l2 * head.weight * scale
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    np.testing.assert_allclose(residual.sum(axis=0), 0, atol=1e-5)


def test_a_stronger_penalty_gives_smaller_weights() -> None:
    inputs, labels = _clusters(10, 20)
    sizes = [float(np.abs(fit(inputs, labels, 3, l2).weight).sum()) for l2 in (0.01, 0.1, 1.0)]
    assert sizes == sorted(sizes, reverse=True)


def test_a_constant_feature_does_no_harm() -> None:
    inputs, labels = _clusters(10, 6)
    inputs[:, 2] = 7
    head = fit(inputs, labels, 3, 0.1)
    assert np.isfinite(head.weight).all()
    assert np.abs(head.weight[:, 2]).max() < 1e-9


def test_two_images_are_enough_to_fit() -> None:
    inputs = np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 5.0]], dtype=np.float32)
    head = fit(inputs, np.array([0, 1]), 2, 0.1)
    np.testing.assert_array_equal(head.logits(inputs).argmax(axis=1), [0, 1])


def test_a_class_without_images_is_never_answered() -> None:
    inputs, labels = _clusters(10, 6)
    head = fit(inputs, np.where(labels == 2, 1, labels), 3, 0.1)
    assert np.isfinite(head.bias).all()
    assert (head.logits(inputs).argmax(axis=1) != 2).all()


def test_identical_images_do_not_break_the_fit() -> None:
    head = fit(np.ones((4, 3), dtype=np.float32), np.array([0, 0, 0, 1]), 2, 0.1)
    logits = head.logits(np.ones((1, 3), dtype=np.float32))[0]
    assert logits[0] - logits[1] == pytest.approx(np.log(3), abs=1e-3)

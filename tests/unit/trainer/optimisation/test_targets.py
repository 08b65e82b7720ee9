"""Mixtures, smoothing, weights of classes, and averages of weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from trainer.optimisation.averaging import WeightAverage
from trainer.optimisation.targets import balanced_weights, loss_of, mix, one_hot

pytestmark = pytest.mark.slow


def test_images_and_targets_are_mixed_alike() -> None:
    targets = one_hot(np.arange(6), 6)
    images = targets[:, :, None, None].expand(6, 6, 2, 2)  # an image shows its own target
    mixed, wanted = mix(images, targets, 0.4, np.random.default_rng(0))
    torch.testing.assert_close(mixed[:, :, 0, 0], wanted)
    torch.testing.assert_close(wanted.sum(1), torch.ones(6))
    assert (wanted.argmax(1) == torch.arange(6)).all()  # an image's own share is the larger
    assert (wanted.max(1).values < 1).any()


def test_without_alpha_nothing_is_mixed() -> None:
    images, targets = torch.rand(3, 3, 2, 2), one_hot(np.array([0, 1, 1]), 2)
    assert mix(images, targets, 0.0, np.random.default_rng(0)) == (images, targets)


def test_balanced_classes_count_the_same() -> None:
    labels = np.array([0, 0, 0, 1, 3, 3])
    weights = balanced_weights(labels, 4)
    assert weights.tolist() == pytest.approx([2 / 3, 2, 0, 1])
    assert float(weights[labels].mean()) == pytest.approx(1)


def test_the_smoothed_loss_follows_its_formula() -> None:
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    logs = logits.log_softmax(1)[0]
    smoothed = -(0.9 + 0.1 / 3) * logs[0] - 0.1 / 3 * (logs[1] + logs[2])
    loss = loss_of(logits, one_hot(np.array([0]), 3), 0.1, None)
    assert float(loss) == pytest.approx(float(smoothed))


def test_the_average_follows_and_is_applied() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average = WeightAverage(network, 0.5)
    expected = 0.0
    for done, value in enumerate((1.0, 2.0, 3.0)):
        nn.init.constant_(network.weight, value)
        average.update(done)
        decay = min(0.5, (1 + done) / (10 + done))
        expected = decay * expected + (1 - decay) * value
    average.apply()
    assert network.weight.item() == pytest.approx(expected)

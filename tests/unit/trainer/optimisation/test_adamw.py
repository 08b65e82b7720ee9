"""The optimiser: fastai's numbers, groups, and one step against the formula."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainer.optimisation.adamw import make_adamw, set_lr, set_pace

pytestmark = pytest.mark.slow


def _network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))


def test_biases_and_norms_are_not_decayed() -> None:
    network = _network()
    groups = [list(network[:2].parameters()), list(network[2].parameters())]
    optimiser = make_adamw(groups, [1e-4, 1e-3], 0.01)
    seen = [
        ([tuple(weight.shape) for weight in group["params"]], group["lr"], group["weight_decay"])
        for group in optimiser.param_groups
    ]
    assert seen == [
        ([(4, 3, 3, 3)], 1e-4, 0.01),
        ([(4,), (4,), (4,)], 1e-4, 0.0),
        ([(2, 4)], 1e-3, 0.01),
        ([(2,)], 1e-3, 0.0),
    ]
    assert all(
        group["betas"][1] == 0.99 and group["eps"] == 1e-5 for group in optimiser.param_groups
    )


def test_the_pace_keeps_the_groups_apart() -> None:
    network = _network()
    groups = [list(network[:2].parameters()), list(network[2].parameters())]
    optimiser = make_adamw(groups, [1e-4, 1e-3], 0.01)
    set_pace(optimiser, 0.5, 0.9)
    assert [group["lr"] for group in optimiser.param_groups] == [5e-5, 5e-5, 5e-4, 5e-4]
    assert {group["betas"] for group in optimiser.param_groups} == {(0.9, 0.99)}
    set_lr(optimiser, 1e-2)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx(
        [1e-3, 1e-3, 1e-2, 1e-2]
    )


def test_one_step_follows_the_formula() -> None:
    weight = nn.Parameter(torch.tensor([[2.0]]))
    optimiser = make_adamw([[weight]], [0.1], 0.01)
    weight.grad = torch.tensor([[0.5]])
    optimiser.step()
    # Debiased, the first step is lr * g / (|g| + eps), after the decay of lr * wd.
    expected = 2.0 * (1 - 0.1 * 0.01) - 0.1 * 0.5 / (0.5 + 1e-5)
    assert weight.item() == pytest.approx(expected, abs=1e-6)

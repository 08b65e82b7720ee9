"""AdamW with fastai's numbers, and a learning rate for each layer group. May import torch.

Source: fastai 2.8, optimizer.py, ``Adam`` (``sqr_mom=.99``, ``eps=1e-5``, decoupled ``wd=.01``,
``wd_bn_bias=False``), which is torch's AdamW with these numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

_SQUARED_MOMENTUM = 0.99
_EPS = 1e-5
_MOMENTUM = 0.95  # until the schedule says otherwise


def make_adamw(
    layer_groups: Sequence[Sequence[nn.Parameter]],
    lrs: Sequence[float],
    weight_decay: float,
) -> torch.optim.AdamW:
    """Return an optimiser of all layer groups.

    Biases and the weights of norms, which are all that have one dimension, are not decayed.

    Args:
        layer_groups: From the input to the head; empty ones are left out.
        lrs: The highest learning rate of each.
        weight_decay: Share of a weight that is taken off per update, times the learning rate.
    """
    groups = []
    for parameters, lr in zip(layer_groups, lrs, strict=True):
        for decay, members in (
            (weight_decay, [weight for weight in parameters if weight.ndim > 1]),
            (0.0, [weight for weight in parameters if weight.ndim <= 1]),
        ):
            if members:
                groups.append({
                    "params": members, "lr": lr, "highest_lr": lr, "weight_decay": decay,
                })  # fmt: skip
    return torch.optim.AdamW(groups, betas=(_MOMENTUM, _SQUARED_MOMENTUM), eps=_EPS)


def set_pace(optimiser: torch.optim.Optimizer, lr_ratio: float, momentum: float) -> None:
    """Set what the schedule says for the next update.

    Args:
        optimiser: Of `make_adamw`.
        lr_ratio: Share of each group's highest learning rate.
        momentum: The first beta.
    """
    for group in optimiser.param_groups:
        group["lr"] = group["highest_lr"] * lr_ratio
        group["betas"] = (momentum, _SQUARED_MOMENTUM)


def set_lr(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Set one learning rate for the last layer group, the others in proportion."""
    highest = max(group["highest_lr"] for group in optimiser.param_groups)
    for group in optimiser.param_groups:
        group["lr"] = group["highest_lr"] * lr / highest

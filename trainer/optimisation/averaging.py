"""The exponential moving average of a network's weights. May import torch."""

from __future__ import annotations

import torch
from torch import nn

# While few updates are done the average follows faster: decay (1 + t) / (10 + t), the customary
# warm-up. Source: tf.train.ExponentialMovingAverage, argument ``num_updates``.
_WARM_UP = 10


class WeightAverage:
    """The average over updates, apart from the network itself.

    Buffers are copied as they are: no statistics move while fine-tuning.

    Args:
        network: Followed from its present weights on.
        decay: Weight of the past at each update, 0..1.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._followed = list(network.parameters())
        self.tensors = [parameter.detach().clone() for parameter in self._followed]

    @torch.no_grad()
    def update(self, done: int) -> None:
        """Take in the network's weights after an update.

        Args:
            done: Updates before this one, from 0.
        """
        decay = min(self._decay, (1 + done) / (_WARM_UP + done))
        for average, weight in zip(self.tensors, self._followed, strict=True):
            average.lerp_(weight, 1 - decay)

    @torch.no_grad()
    def load(self, tensors: list[torch.Tensor]) -> None:
        """Go on from averages that were kept."""
        for average, kept in zip(self.tensors, tensors, strict=True):
            average.copy_(kept)

    @torch.no_grad()
    def apply(self) -> None:
        """Give the network the averaged weights."""
        for average, weight in zip(self.tensors, self._followed, strict=True):
            weight.copy_(average)

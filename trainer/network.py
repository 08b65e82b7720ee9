"""Backbone and head as one network, as it is trained, exported and served. May import torch."""

from __future__ import annotations

import torch
from torch import nn
from typing_extensions import override

from trainer.backbones.loading import LoadedBackbone
from trainer.head import Head


class Classifier(nn.Module):
    """Backbone and head in one: ``[N, 3, H, W]`` float32, normalised → logits ``[N, C]``."""

    def __init__(self, backbone: LoadedBackbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone.module
        self.head = nn.Linear(head.weight.shape[1], head.weight.shape[0])
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(head.weight))
            self.head.bias.copy_(torch.from_numpy(head.bias))

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        logits: torch.Tensor = self.head(self.backbone(images))
        return logits


class MirrorAveraged(nn.Module):
    """A network that answers with the mean logits of an image and of its mirror image.

    Args:
        network: ``[N, 3, H, W]`` → ``[N, C]``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        mean: torch.Tensor = (self.network(images) + self.network(images.flip(3))) / 2
        return mean

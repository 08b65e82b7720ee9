"""What the network is trained towards: labels, mixed and smoothed, and the loss against them.

May import numpy and torch.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional


def one_hot(labels: NDArray[np.int64], class_count: int) -> torch.Tensor:
    """Return ``[N, C]`` float32 for ``[N]`` class indices."""
    return functional.one_hot(torch.from_numpy(labels), class_count).float()


def mix(
    images: torch.Tensor, targets: torch.Tensor, alpha: float, generator: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix each image and its target with another of the batch.

    The share of the image itself is at least a half, so that no pair is mixed twice the same.

    Args:
        images: ``[N, 3, H, W]``.
        targets: ``[N, C]``.
        alpha: Of the Beta distribution of shares; 0 leaves all as it is.
        generator: Source of the shares and partners.

    Source: Zhang et al. 2018, https://arxiv.org/abs/1710.09412
    """
    if alpha == 0:
        return images, targets
    drawn = generator.beta(alpha, alpha, len(images))
    own = torch.from_numpy(np.maximum(drawn, 1 - drawn).astype(np.float32))
    partner = torch.from_numpy(generator.permutation(len(images)))
    shares = own[:, None, None, None].to(images.device)
    return (
        images * shares + images[partner] * (1 - shares),
        targets * own[:, None] + targets[partner] * (1 - own[:, None]),
    )


def balanced_weights(labels: NDArray[np.int64], class_count: int) -> torch.Tensor:
    """Return ``[C]`` weights by which each class that has images counts the same; mean 1 per image.

    Args:
        labels: ``[N]`` of the training images.
        class_count: C; a class without images gets weight 0.
    """
    counts = np.bincount(labels, minlength=class_count)
    present = int(np.sum(counts > 0))
    weights = np.where(counts > 0, len(labels) / (present * np.maximum(counts, 1)), 0.0)
    return torch.from_numpy(weights.astype(np.float32))


def loss_of(
    logits: torch.Tensor,
    targets: torch.Tensor,
    label_smoothing: float,
    class_weights: torch.Tensor | None,
) -> torch.Tensor:
    """Return the mean cross-entropy in nats, a scalar.

    Args:
        logits: ``[N, C]``.
        targets: ``[N, C]``, rows sum to 1.
        label_smoothing: See `server.contract.recipes.FineTuneRecipe`.
        class_weights: ``[C]``, or None for all alike.
    """
    return functional.cross_entropy(
        logits.float(), targets, weight=class_weights, label_smoothing=label_smoothing
    )

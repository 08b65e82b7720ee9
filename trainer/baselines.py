"""Baselines: what a method without a network reaches. Pure functions on arrays.

May import numpy, ``trainer.pixel_sgd``, ``trainer.metrics`` and the contract.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.evaluation import Baselines
from trainer import metrics, pixel_sgd
from trainer.metrics import Labels

# Side of the images that are compared. At 32 x 32 a mean image keeps the colours and the layout of
# a class, while detail, which never lines up between photos, is averaged out either way; all pixels
# of 10,000 images fit in 31 MB.
PIXELS_SIDE_PX = 32


@dataclass(frozen=True)
class PixelSimilarity:
    """Error rates of the nearest class mean image, by distance; 0..1."""

    l1: float
    l2: float

    @property
    def best(self) -> float:
        """The lower of the two: the harder one to beat."""
        return min(self.l1, self.l2)


def measure(
    pixels: NDArray[np.uint8], labels: Labels, is_valid: NDArray[np.bool_], seed: int
) -> Baselines:
    """Return the error rates of all baselines on the validation images.

    Args:
        pixels: ``[N, …]`` uint8, RGB.
        labels: ``[N]`` class indices.
        is_valid: ``[N]``; the others are learned from.
        seed: Of the order in which the linear model sees the images.
    """
    similarity = pixel_similarity(pixels, labels, is_valid)
    return Baselines(
        majority=majority_error(labels[~is_valid], labels[is_valid]),
        pixel_similarity=similarity.best,
        pixel_similarity_l1=similarity.l1,
        pixel_similarity_l2=similarity.l2,
        pixel_linear=pixel_linear_error(pixels, labels, is_valid, seed),
    )


def majority_error(train_labels: Labels, valid_labels: Labels) -> float:
    """Return the error rate of always answering the most frequent training class.

    Of equally frequent classes the first one is taken.
    """
    answer = int(np.bincount(train_labels).argmax())
    return metrics.error_rate(valid_labels, np.full_like(valid_labels, answer))


def pixel_similarity(
    pixels: NDArray[np.uint8], labels: Labels, is_valid: NDArray[np.bool_]
) -> PixelSimilarity:
    """Classify by the distance to each class's mean training image.

    Args:
        pixels: ``[N, …]`` uint8, RGB; each image is flattened.
        labels: ``[N]`` class indices.
        is_valid: ``[N]``; the means are of the others.

    Source: Howard & Gugger, Deep Learning for Coders, chapter 4, "First Try: Pixel Similarity".
    """
    flat = pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255)
    classes = np.unique(labels[~is_valid])
    means = [flat[~is_valid & (labels == label)].mean(axis=0) for label in classes]
    differences = [flat[is_valid] - mean for mean in means]
    l1 = np.stack([np.abs(difference).mean(axis=1) for difference in differences])
    l2 = np.stack([np.sqrt(np.square(difference).mean(axis=1)) for difference in differences])
    valid_labels = labels[is_valid]
    return PixelSimilarity(
        l1=metrics.error_rate(valid_labels, classes[l1.argmin(axis=0)]),
        l2=metrics.error_rate(valid_labels, classes[l2.argmin(axis=0)]),
    )


def pixel_linear_error(
    pixels: NDArray[np.uint8], labels: Labels, is_valid: NDArray[np.bool_], seed: int
) -> float:
    """Return the error rate of a linear model on pixels: see ``trainer.pixel_sgd``."""
    standard = pixel_sgd.standardise(pixels, ~is_valid)
    class_count = int(labels.max()) + 1
    model, _ = pixel_sgd.fit(standard[~is_valid], labels[~is_valid], class_count, seed)
    predicted = model.predict(standard[is_valid]).argmax(axis=1)
    return metrics.error_rate(labels[is_valid], predicted)

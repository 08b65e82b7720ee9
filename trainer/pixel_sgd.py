"""A linear model on pixels, learned by stochastic gradient descent written from first principles.

Parameters, predictions, loss, gradient, step: nothing here but numpy's products and sums, so that
each line can be read. It is a baseline of every report, and `docs/how-it-learns.md` walks through
it. May import ``trainer.metrics`` (array types).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.metrics import Labels

Pixels = NDArray[np.float32]

# Steps, not passes over the images: fifty images need as many steps as five thousand.
UPDATES = 600
BATCH_SIZE = 64
_SMALLEST_SCALE = 1e-3  # a pixel in 0..1 that varies less than this is treated as if it did


@dataclass(frozen=True)
class LinearModel:
    """The parameters: one weight per class and pixel, one bias per class.

    Attributes:
        weight: ``[C, P]``.
        bias: ``[C]``.
    """

    weight: Pixels
    bias: Pixels

    def predict(self, pixels: Pixels) -> Pixels:
        """Return the probability of each class, ``[N, C]``, for ``[N, P]``."""
        logits = pixels @ self.weight.T + self.bias
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: Pixels = raised / raised.sum(axis=1, keepdims=True)
        return result


def start(class_count: int, pixel_count: int) -> LinearModel:
    """Return a model that knows nothing: with zeros, every class is equally probable."""
    return LinearModel(
        np.zeros((class_count, pixel_count), np.float32), np.zeros(class_count, np.float32)
    )


def loss_of(probabilities: Pixels, labels: Labels) -> float:
    """Return the mean of -ln p(label): how surprised the model is, in nats."""
    own = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(own, np.finfo(np.float32).tiny)).mean())


def gradient_of(probabilities: Pixels, pixels: Pixels, labels: Labels) -> LinearModel:
    """Return how the loss grows with each parameter, in the shape of the parameters.

    The derivative of -ln softmax(z)[y] by z is p - onehot(y): by how much each probability is too
    high. By a weight it is that, times the pixel that the weight was multiplied with.

    Args:
        probabilities: ``[N, C]``, what the model says of ``pixels``.
        pixels: ``[N, P]``.
        labels: ``[N]``.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, equation 4.109.
    """
    too_high = probabilities.copy()
    too_high[np.arange(len(labels)), labels] -= 1
    too_high /= len(labels)
    return LinearModel(too_high.T @ pixels, too_high.sum(axis=0))


def step(model: LinearModel, gradient: LinearModel, learning_rate: float) -> LinearModel:
    """Return the model a little further down the slope."""
    return LinearModel(
        model.weight - np.float32(learning_rate) * gradient.weight,
        model.bias - np.float32(learning_rate) * gradient.bias,
    )


def safe_learning_rate(pixels: Pixels) -> float:
    """Return a learning rate at which the loss cannot explode: 1 / (mean |pixels|^2 + 1).

    The loss bends by at most half of |x|^2 + 1 (the 1 is the bias's), and gradient descent falls
    with every rate below 2 / that.

    Source: Boehning 1992, Multinomial logistic regression algorithm (the bound of the Hessian).
    """
    return float(1 / (np.square(pixels).sum(axis=1).mean() + 1))


def batches(count: int, size: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield indices of shuffled batches for ever: each image once per pass, in a new order."""
    generator = np.random.default_rng(seed)
    while True:
        order = generator.permutation(count)
        for first in range(0, count, size):
            yield order[first : first + size]


def fit(
    pixels: Pixels, labels: Labels, class_count: int, seed: int, updates: int = UPDATES
) -> tuple[LinearModel, list[float]]:
    """Learn the parameters from examples.

    The same arguments give the same model on the same machine.

    Args:
        pixels: ``[N, P]`` float32.
        labels: ``[N]``, 0..class_count-1.
        class_count: Classes to tell apart.
        seed: Of the order of the images.
        updates: Steps to take.

    Returns:
        The model, and the loss of each batch before its step.
    """
    model = start(class_count, pixels.shape[1])
    learning_rate = safe_learning_rate(pixels)
    losses: list[float] = []
    for chosen in batches(len(labels), BATCH_SIZE, seed):
        if len(losses) == updates:
            break
        probabilities = model.predict(pixels[chosen])
        losses.append(loss_of(probabilities, labels[chosen]))
        model = step(
            model, gradient_of(probabilities, pixels[chosen], labels[chosen]), learning_rate
        )
    return model, losses


def standardise(pixels: NDArray[np.uint8], is_train: NDArray[np.bool_]) -> Pixels:
    """Return ``[N, P]`` with mean 0 and variance 1 at each pixel of the training images.

    Args:
        pixels: ``[N, …]`` uint8.
        is_train: ``[N]``; the mean and the variance are of these.
    """
    flat = pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255)
    scale = np.maximum(flat[is_train].std(axis=0), np.float32(_SMALLEST_SCALE))
    result: Pixels = (flat - flat[is_train].mean(axis=0)) / scale
    return result

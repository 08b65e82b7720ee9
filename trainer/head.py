"""The head: multinomial logistic regression on frozen features.

Deterministic: the loss is strictly convex and the fit starts from zero.
May import torch, numpy, ``trainer.optimisation.lbfgs`` and ``trainer.metrics`` (array types).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.metrics import Floats, Labels
from trainer.optimisation.lbfgs import minimise

_FINE = torch.float64  # the fits stop at a gradient that float32 cannot tell from zero
_MAX_ITERATIONS = 500  # seen: 10 to 60; a bound, not a choice
EXACT = 1e-6  # tolerance of a head that is kept
ROUGH = 1e-4  # of one that only votes on its penalty: changes its log-loss by less than 0.001
_ONE_THREAD_IMAGES = 2000  # a product of 2000 x 1280 x 10 takes a core some 10 ms
# Share of the mean variance added to each feature's own: a feature that happens to be constant on
# a handful of training images must not explode on the next.
_VARIANCE_FLOOR_RATIO = 0.01
_SMALLEST_POWER_RATIO = 1e-12  # of an axis's share of all variance, some thousand roundings


@dataclass(frozen=True)
class Head:
    """A linear map from raw features to logits, standardisation folded in.

    Attributes:
        weight: ``[C, F]`` float64.
        bias: ``[C]`` float64.
        l2: The penalty it was fitted with.
        iterations: Evaluations of the loss by the optimiser.
    """

    weight: Floats
    bias: Floats
    l2: float
    iterations: int

    def logits(self, features: NDArray[np.float32]) -> Floats:
        """Return ``[N, C]`` for ``[N, F]``."""
        result: Floats = features.astype(np.float64) @ self.weight.T + self.bias
        return result


class Inputs:
    """Features of images, standardised and turned once, to fit heads on any of the images.

    Each feature is divided by its spread over all the images, also those that a head is not fitted
    on: a number without labels. Then the images are expressed in the axes of their own span, which
    are min(N, F) at most: the penalty does not see a rotation, and the optimum of a head on any of
    them lies in that span.

    Args:
        features: ``[N, F]``.
    """

    def __init__(self, features: NDArray[np.float32]) -> None:
        raw = torch.from_numpy(features.astype(np.float64))
        variance = raw.var(dim=0, unbiased=False)
        floor = _VARIANCE_FLOOR_RATIO * variance.mean() + torch.finfo(_FINE).eps
        self._scale = torch.sqrt(variance + floor)
        self._mean = raw.mean(dim=0)
        self.rotated, self._basis = _rotate(raw.sub_(self._mean).div_(self._scale))

    def unfold(self, weight: torch.Tensor, bias: torch.Tensor) -> tuple[Floats, Floats]:
        """Return weight ``[C, F]`` and bias ``[C]`` for raw features from those for `rotated`."""
        raw = weight @ self._basis.T / self._scale
        return raw.numpy(), (bias - raw @ self._mean).numpy()


class Problem:
    """Images and labels, to fit heads of several penalties to.

    Each fit starts from the one before, which is near when penalties follow each other in order.

    Args:
        inputs: Of these images and perhaps others.
        chosen: ``[N]`` true for these; the heads see no other.
        labels: Of these, 0..class_count-1; a class may be absent.
        class_count: Logits to produce.
    """

    def __init__(
        self, inputs: Inputs, chosen: NDArray[np.bool_], labels: Labels, class_count: int
    ) -> None:
        own = inputs.rotated[torch.from_numpy(chosen)]
        self._whole = inputs
        self._mean = own.mean(dim=0)
        self._inputs = own.sub_(self._mean)  # a copy already
        self._spread = self._inputs.square().mean(dim=0)
        one_hot = torch.nn.functional.one_hot(torch.from_numpy(labels), class_count)
        self._one_hot = one_hot.T.to(_FINE).contiguous()
        self._start = torch.zeros((class_count, own.shape[1] + 1), dtype=_FINE)

    def fit(self, l2: float, tolerance: float = EXACT) -> Head:
        """Fit a head: least mean cross-entropy + l2/2 * |W|^2, bias free.

        Args:
            l2: Above 0, which makes the optimum unique.
            tolerance: Largest entry of the gradient at which to stop, each feature being stretched
                until the loss bends as much along it as along any other, or less.
        """
        stretch = torch.ones_like(self._start[0])
        # The loss bends by at most half of a feature's mean square, and the penalty by l2.
        # Source: Boehning 1992, Multinomial logistic regression algorithm.
        stretch[:-1] = (self._spread / 2 + l2).rsqrt()
        loss = _Loss(self._inputs, self._one_hot, stretch[:-1], l2)
        start = (self._start / stretch).numpy().ravel()
        found = minimise(loss, start, tolerance, _MAX_ITERATIONS)
        self._start = torch.from_numpy(found.point).reshape(self._start.shape) * stretch
        weight = self._start[:, :-1]
        folded = self._whole.unfold(weight, self._start[:, -1] - weight @ self._mean)
        return Head(*folded, l2, found.evaluations)


@dataclass(frozen=True)
class _Loss:
    """What is minimised: a function of ``[C, R + 1]``, flat, the bias last in each row.

    Attributes:
        inputs: ``[N, R]``.
        one_hot: ``[C, N]``.
        stretch: ``[R]``; the weights of the inputs are the point's times these.
        l2: The penalty of those weights.
    """

    inputs: torch.Tensor
    one_hot: torch.Tensor
    stretch: torch.Tensor
    l2: float

    def __call__(self, point: Floats) -> tuple[float, Floats]:
        """Return the loss and its gradient: that of `pixel_sgd.gradient_of`, and the penalty's."""
        class_count, count = self.one_hot.shape
        both = torch.from_numpy(point).reshape(class_count, -1)
        weight = both[:, :-1] * self.stretch
        # [C, N]: this way round the products of a few classes and many images are twice as fast.
        logs = torch.log_softmax(torch.addmm(both[:, -1:], weight, self.inputs.T), dim=0)
        pull = weight * self.l2
        loss = (weight * pull).sum() / 2 - (logs * self.one_hot).sum() / count
        too_high = logs.exp_().sub_(self.one_hot).div_(count)
        gradient = torch.empty_like(both)
        torch.mul(torch.addmm(pull, too_high, self.inputs), self.stretch, out=gradient[:, :-1])
        torch.sum(too_high, dim=1, out=gradient[:, -1])
        return float(loss), gradient.numpy().ravel()


def fit(features: NDArray[np.float32], labels: Labels, class_count: int, l2: float) -> Head:
    """Fit one head from zero: see `Problem`."""
    everything = np.ones(len(labels), dtype=np.bool_)
    return Problem(Inputs(features), everything, labels, class_count).fit(l2)


def _rotate(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``[N, R]``, inputs along their principal axes, and the axes ``[F, R]``."""
    is_wide = inputs.shape[0] < inputs.shape[1]
    powers, axes = torch.linalg.eigh(inputs @ inputs.T if is_wide else inputs.T @ inputs)
    # Along the others there is nothing but rounding.
    seen = powers > _SMALLEST_POWER_RATIO * powers[-1]
    if not is_wide:
        basis = axes[:, seen]
        return inputs @ basis, basis
    lengths = powers[seen].sqrt()
    return axes[:, seen] * lengths, inputs.T @ axes[:, seen] / lengths


@contextmanager
def few_threads(image_count: int) -> Iterator[None]:
    """Fit on one thread when the matrices are small.

    Threads that wait for each other thousands of times a second stall when another program wants
    the cores: 154 images took 0.8 s on one thread, and 15 to 46 s on two of a busy machine.
    """
    before = torch.get_num_threads()
    if image_count <= _ONE_THREAD_IMAGES:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

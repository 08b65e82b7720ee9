"""The head: multinomial logistic regression on frozen features.

Deterministic: the loss is strictly convex and the fit starts from zero.
May import torch, numpy and ``trainer.metrics`` (array types).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.metrics import Floats, Labels

_MAX_ITERATIONS = 500  # seen: 10 to 60; a bound, not a choice
EXACT = 1e-6  # tolerance of a head that is kept
ROUGH = 1e-4  # of one that only votes on its penalty: changes its log-loss by less than 0.001
_ONE_THREAD_IMAGES = 2000  # a product of 2000 x 1280 x 10 takes a core some 10 ms
# Share of the mean variance added to each feature's own: a feature that happens to be constant on
# a handful of training images must not explode on the next.
_VARIANCE_FLOOR_RATIO = 0.01


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


class Problem:
    """Images and labels, standardised once, to fit heads of several penalties to.

    Each fit starts from the one before, which is near when penalties follow each other in order.

    Args:
        features: ``[N, F]``.
        labels: ``[N]``, 0..class_count-1; a class may be absent.
        class_count: Logits to produce.
    """

    def __init__(self, features: NDArray[np.float32], labels: Labels, class_count: int) -> None:
        raw = torch.from_numpy(features.astype(np.float64))
        variance = raw.var(dim=0, unbiased=False)
        floor = _VARIANCE_FLOOR_RATIO * variance.mean() + torch.finfo(torch.float64).eps
        self._mean = raw.mean(dim=0)
        self._scale = torch.sqrt(variance + floor)
        self._inputs, self._basis = _rotate((raw - self._mean) / self._scale)
        self._targets = torch.from_numpy(labels)
        self._weight = torch.zeros((class_count, self._inputs.shape[1]), dtype=torch.float64)
        self._bias = torch.zeros(class_count, dtype=torch.float64)

    def fit(self, l2: float, tolerance: float = EXACT) -> Head:
        """Fit a head: least mean cross-entropy + l2/2 * |W|^2, bias free.

        Args:
            l2: Above 0, which makes the optimum unique.
            tolerance: Largest entry of the gradient at which to stop.
        """
        weight = self._weight.clone().requires_grad_()
        bias = self._bias.clone().requires_grad_()
        optimiser = torch.optim.LBFGS(
            [weight, bias],
            max_iter=_MAX_ITERATIONS,
            tolerance_grad=tolerance,
            tolerance_change=0,  # stop by the gradient alone: small steps are normal near zero
            line_search_fn="strong_wolfe",
        )
        evaluations = 0

        def closure() -> torch.Tensor:
            nonlocal evaluations
            evaluations += 1
            optimiser.zero_grad()
            logits = self._inputs @ weight.T + bias
            loss = torch.nn.functional.cross_entropy(logits, self._targets)
            loss = loss + 0.5 * l2 * weight.square().sum()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        optimiser.step(closure)  # type: ignore[no-untyped-call]
        self._weight, self._bias = weight.detach(), bias.detach()
        folded = self._weight @ self._basis.T / self._scale
        return Head(folded.numpy(), (self._bias - folded @ self._mean).numpy(), l2, evaluations)


def fit(features: NDArray[np.float32], labels: Labels, class_count: int, l2: float) -> Head:
    """Fit one head from zero: see `Problem`."""
    return Problem(features, labels, class_count).fit(l2)


def _rotate(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs in the coordinates of their own span ``[N, R]``, and its basis ``[F, R]``.

    The penalty does not see a rotation and the optimum lies in the span of the inputs, so with
    fewer images than features the same head is found in N instead of F dimensions.
    """
    if inputs.shape[0] >= inputs.shape[1]:
        return inputs, torch.eye(inputs.shape[1], dtype=inputs.dtype)
    basis, triangle = torch.linalg.qr(inputs.T)
    return triangle.T.contiguous(), basis


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

"""The head: multinomial logistic regression on frozen features.

Deterministic: the loss is strictly convex and the fit starts from zero.
May import torch, numpy and ``trainer.metrics`` (array types).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.metrics import Floats, Labels

_MAX_ITERATIONS = 500  # seen: 10 to 60; a bound, not a choice
_GRADIENT_TOLERANCE = 1e-6
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


def fit(features: NDArray[np.float32], labels: Labels, class_count: int, l2: float) -> Head:
    """Fit a head: least mean cross-entropy + l2/2 * |W|^2 on standardised features, bias free.

    Args:
        features: ``[N, F]``.
        labels: ``[N]``, 0..class_count-1; a class may be absent.
        class_count: Logits to produce.
        l2: Above 0, which makes the optimum unique.
    """
    raw = torch.from_numpy(features.astype(np.float64))
    mean = raw.mean(dim=0)
    variance = raw.var(dim=0, unbiased=False)
    floor = _VARIANCE_FLOOR_RATIO * variance.mean() + torch.finfo(torch.float64).eps
    scale = torch.sqrt(variance + floor)
    inputs, basis = _rotate((raw - mean) / scale)
    weight, bias, iterations = _minimise(inputs, torch.from_numpy(labels), class_count, l2)
    folded = weight @ basis.T / scale
    return Head(folded.numpy(), (bias - folded @ mean).numpy(), l2, iterations)


def _rotate(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs in the coordinates of their own span ``[N, R]``, and its basis ``[F, R]``.

    The penalty does not see a rotation and the optimum lies in the span of the inputs, so with
    fewer images than features the same head is found in N instead of F dimensions.
    """
    if inputs.shape[0] >= inputs.shape[1]:
        return inputs, torch.eye(inputs.shape[1], dtype=inputs.dtype)
    basis, triangle = torch.linalg.qr(inputs.T)
    return triangle.T.contiguous(), basis


def _minimise(
    inputs: torch.Tensor, targets: torch.Tensor, class_count: int, l2: float
) -> tuple[torch.Tensor, torch.Tensor, int]:
    weight = torch.zeros((class_count, inputs.shape[1]), dtype=inputs.dtype, requires_grad=True)
    bias = torch.zeros(class_count, dtype=inputs.dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weight, bias],
        max_iter=_MAX_ITERATIONS,
        tolerance_grad=_GRADIENT_TOLERANCE,
        tolerance_change=0,  # stop by the gradient alone: small steps are normal near zero
        line_search_fn="strong_wolfe",
    )
    evaluations = 0

    def closure() -> torch.Tensor:
        nonlocal evaluations
        evaluations += 1
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(inputs @ weight.T + bias, targets)
        loss = loss + 0.5 * l2 * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach(), evaluations

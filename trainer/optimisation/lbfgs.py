"""Finding the lowest point of a smooth, strictly convex function of some thousand numbers.

Written out because a head is fitted some seventy times a training, and of torch's own L-BFGS
most of a fit on a few hundred images was bookkeeping. Deterministic. numpy only.

Source: Nocedal and Wright 2006, Numerical Optimization, algorithms 7.4 and 7.5 (the direction),
3.1 (the step).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trainer.metrics import Floats

_PAIRS = 10  # steps remembered: nine tenths of what twenty save, at half their cost
_SUFFICIENT_RATIO = 1e-4  # of the fall that the slope promises: Nocedal and Wright's number
_SHORTER = 0.5  # a step that does not lower the function is halved
_MAX_HALVINGS = 40  # then the step is lost in rounding, and the lowest point is reached

# Takes a point, returns the function's value and its gradient.
Function = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class Minimum:
    """What was found.

    Attributes:
        point: ``[D]``.
        evaluations: Of the function.
    """

    point: Floats
    evaluations: int


def minimise(function: Function, start: Floats, tolerance: float, limit: int) -> Minimum:
    """Follow the function down until its gradient is flat.

    Args:
        function: Strictly convex, with a continuous gradient.
        start: ``[D]``, left as it is.
        tolerance: Largest entry of the gradient at which to stop.
        limit: Most steps to take.
    """
    point = start
    value, gradient = function(point)
    evaluations = 1
    memory = _Memory()
    for _ in range(limit):
        if np.abs(gradient).max() <= tolerance:
            break
        direction = memory.direction(gradient)
        slope = float(gradient @ direction)
        size = 1.0
        for _ in range(_MAX_HALVINGS):
            moved = point + size * direction
            new_value, new_gradient = function(moved)
            evaluations += 1
            if new_value <= value + _SUFFICIENT_RATIO * size * slope:
                break
            size *= _SHORTER
        else:
            if memory.is_empty:
                break
            memory = _Memory()  # what rounding has taught misleads: begin again, straight down
            continue
        memory.add(moved - point, new_gradient - gradient)
        point, value, gradient = moved, new_value, new_gradient
    return Minimum(point, evaluations)


class _Memory:
    """The last steps, and how each changed the gradient: what is known of the curvature."""

    def __init__(self) -> None:
        self._pairs: list[tuple[Floats, Floats, float]] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the curvature."""
        return not self._pairs

    def add(self, step: Floats, change: Floats) -> None:
        """Take in a step; one that rounding has robbed of its curvature teaches nothing."""
        curvature = float(step @ change)
        if curvature > np.finfo(np.float64).eps * float(change @ change):
            self._pairs = [*self._pairs[1 - _PAIRS :], (step, change, curvature)]

    def direction(self, gradient: Floats) -> Floats:
        """Return where to go: downhill, steered by the curvature (the two-loop recursion)."""
        towards = -gradient
        shares = []
        for step, change, curvature in reversed(self._pairs):
            share = float(step @ towards) / curvature
            towards = towards - share * change
            shares.append(share)
        if self._pairs:
            _, change, curvature = self._pairs[-1]
            towards = towards * (curvature / float(change @ change))
        else:
            # Nothing is known yet: a step of length 1 at most.
            towards = towards * min(1.0, 1.0 / float(np.linalg.norm(gradient)))
        for (step, change, curvature), share in zip(self._pairs, reversed(shares), strict=True):
            towards = towards + (share - float(change @ towards) / curvature) * step
        return towards

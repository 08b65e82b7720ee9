"""Which learning rate to train with: a short training at ever higher ones, and what its curve says.

Suggestions differ, and depend on the seed: the curve is what counts. Pure functions on the curve,
and the sweep itself, which knows nothing of networks.

Source: Smith 2017, https://arxiv.org/abs/1506.01186; numbers of fastai 2.8, callback/schedule.py,
``LRFinder``, ``valley``, ``steep`` and ``minimum``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainer.errors import JobFailedError

FIRST_LR = 1e-7
LAST_LR = 10.0
STEPS = 100
_SMOOTHING = 0.98  # weight of the past in the smoothed loss
_HOPELESS = 4.0  # times the best smoothed loss: from there on it only gets worse
_SKIPPED_LAST = 5  # the rise at the end says nothing of where to train
_MIN_POINTS = 10  # a curve shorter than that is noise


@dataclass(frozen=True)
class Point:
    """One step of the sweep.

    Attributes:
        lr: Of the last layer group.
        loss: Of the batch before the step, in nats.
        smoothed: Its exponential average, without the bias of the first steps.
    """

    lr: float
    loss: float
    smoothed: float


@dataclass(frozen=True)
class Suggestions:
    """Learning rates to train with.

    Attributes:
        valley: In the middle of the longest fall of the loss: the one to begin with.
        steep: Where the loss falls fastest.
        minimum: A tenth of where the loss is lowest.
    """

    valley: float
    steep: float
    minimum: float


def sweep(
    learn: Callable[[float, int], float],
    steps: int = STEPS,
    first_lr: float = FIRST_LR,
    last_lr: float = LAST_LR,
) -> list[Point]:
    """Learn step by step at ever higher learning rates, until the loss is hopeless.

    Args:
        learn: Takes a learning rate and the number of the step, updates the network once, and
            returns the loss before that; infinite when it went astray.
        steps: At most; above 1.
        first_lr: Above 0.
        last_lr: Reached by the last step.
    """
    points: list[Point] = []
    average, best = 0.0, math.inf
    for step in range(steps):
        lr = first_lr * (last_lr / first_lr) ** (step / (steps - 1))
        loss = learn(lr, step)
        if not math.isfinite(loss):
            break
        average = _SMOOTHING * average + (1 - _SMOOTHING) * loss
        smoothed = average / (1 - _SMOOTHING ** (step + 1))
        points.append(Point(lr, loss, smoothed))
        best = min(best, smoothed)
        if smoothed > _HOPELESS * best:
            break
    return points


def suggest(points: Sequence[Point]) -> Suggestions:
    """Read learning rates off the curve.

    Args:
        points: Of `sweep`.

    Raises:
        JobFailedError: ``curve-too-short``: the loss went astray at once.
    """
    used = points[len(points) // 10 : -_SKIPPED_LAST]
    if len(used) < _MIN_POINTS:
        raise JobFailedError(
            "curve-too-short",
            "The loss became hopeless before a curve could be drawn. The images or labels may be "
            "damaged; if not, try another backbone.",
        )
    losses = [point.smoothed for point in used]
    lowest = min(range(len(used)), key=losses.__getitem__)
    slopes = [
        (losses[place + 1] - losses[place]) / math.log(used[place + 1].lr / used[place].lr)
        for place in range(len(used) - 1)
    ]
    return Suggestions(
        valley=used[_valley(losses)].lr,
        steep=used[min(range(len(slopes)), key=slopes.__getitem__)].lr,
        minimum=used[lowest].lr / 10,
    )


def _valley(losses: Sequence[float]) -> int:
    """Return the middle of the longest fall, where a fall may climb on its way for a moment.

    A fall is a longest strictly decreasing subsequence; fastai takes its length for a stretch
    without gaps, and so lands elsewhere on noisy curves. Here its first and last members count.
    """
    length = [1] * len(losses)
    before = list(range(len(losses)))
    for place, loss in enumerate(losses):
        for earlier in range(place):
            # "<=": of equals the latest, so that a plateau before the fall is no part of it.
            if loss < losses[earlier] and length[place] <= length[earlier] + 1:
                length[place], before[place] = length[earlier] + 1, earlier
    end = max(range(len(losses)), key=length.__getitem__)
    start = end
    while before[start] != start:
        start = before[start]
    return (start + end) // 2

"""What more images would bring, judged by what fewer cost.

Heads are fitted on parts of the training images and judged on the validation images, on features
that are there already. May import ``trainer.selection``, ``trainer.head`` and ``trainer.metrics``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.analysis import ClassNeed, CurvePoint, LearningCurve
from server.contract.calibration import probabilities
from trainer import metrics
from trainer.head import ROUGH, Inputs, Problem, few_threads
from trainer.metrics import Floats, Labels
from trainer.selection import TrainingSet

RATIOS = (0.25, 0.5)  # the whole is the third point
_DRAWS = 3  # of each part: one draw of few images is luck
_MIN_GROUPS = 4  # of a class, for its half to mean something
# Classes whose half is left out, those with the fewest images first: each costs a fit.
_MAX_NEEDS = 12
# Images that a head is fitted on at most; beyond it the curve is flat, and seconds become minutes.
_MAX_FITTED = 5_000

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Split:
    """Training images to learn from, and validation images to be judged by.

    Attributes:
        features: ``[V, F]`` of the validation images.
        labels: ``[V]``.
        names: Of the classes.
    """

    train: TrainingSet
    features: NDArray[np.float32]
    labels: Labels
    names: Sequence[str]


@dataclass(frozen=True)
class _Score:
    """Of one head on the validation images."""

    train_count: int
    error_rate: float
    log_loss: float


def draw_curve(
    split: Split, l2: float, temperature: float, seed: int, step: Step
) -> LearningCurve | None:
    """Return the curve, and which class's images count most.

    The same arguments give the same curve. Near-duplicates are kept or left out together.

    Args:
        split: The images.
        l2: The penalty of every head: the one of the model's own.
        temperature: Likewise.
        seed: Of the draws.
        step: Told (done, total) after each fit; may raise to stop.

    Returns:
        None when some class has fewer than 4 groups of training images, or there are more than
        5,000 training images.
    """
    train = split.train
    groups = _groups_by_class(train)
    if len(train.labels) > _MAX_FITTED or min(map(len, groups.values())) < _MIN_GROUPS:
        return None
    asked = sorted(groups, key=lambda label: (len(groups[label]), label))[:_MAX_NEEDS]
    total = 1 + len(RATIOS) * _DRAWS + len(asked)
    with few_threads(len(train.labels)):
        fit = _Fitter(split, l2, temperature)
        full = fit(np.ones(len(train.labels), dtype=np.bool_))
        step(1, total)
        points = []
        for place, ratio in enumerate(RATIOS):
            parts = []
            for draw in range(_DRAWS):
                left_out = dict.fromkeys(groups, 1 - ratio)
                parts.append(fit(_kept(train, groups, left_out, seed + draw)))
                step(2 + place * _DRAWS + draw, total)
            points.append(_point(parts, ratio))
        needs = []
        for place, label in enumerate(asked):
            without = fit(_kept(train, groups, {label: 0.5}, seed))
            needs.append(
                ClassNeed(
                    label=split.names[label],
                    train_count=int(np.sum(train.labels == label)),
                    log_loss_rise=without.log_loss - full.log_loss,
                )
            )
            step(2 + len(RATIOS) * _DRAWS + place, total)
    needs.sort(key=lambda need: -need.log_loss_rise)
    return LearningCurve(points=(*points, _point([full], 1.0)), needs=tuple(needs))


class _Fitter:
    """Fits a head on some of the training images and judges it."""

    def __init__(self, split: Split, l2: float, temperature: float) -> None:
        self._split = split
        self._inputs = Inputs(split.train.features)
        self._l2 = l2
        self._temperature = temperature

    def __call__(self, kept: NDArray[np.bool_]) -> _Score:
        train = self._split.train
        problem = Problem(self._inputs, kept, train.labels[kept], train.class_count)
        logits = problem.fit(self._l2, ROUGH).logits(self._split.features)
        said: Floats = probabilities(logits, self._temperature)
        return _Score(
            train_count=int(kept.sum()),
            error_rate=metrics.error_rate(self._split.labels, said.argmax(axis=1)),
            log_loss=metrics.log_loss(said, self._split.labels),
        )


def _groups_by_class(train: TrainingSet) -> dict[int, list[str]]:
    found: dict[int, set[str]] = {label: set() for label in set(train.labels.tolist())}
    for group, label in zip(train.groups, train.labels.tolist(), strict=True):
        found[label].add(group)
    return {label: sorted(groups) for label, groups in sorted(found.items())}


def _kept(
    train: TrainingSet,
    groups: Mapping[int, Sequence[str]],
    left_out: Mapping[int, float],
    seed: int,
) -> NDArray[np.bool_]:
    """Return ``[N]``: false for a share of the groups of each class of ``left_out``."""
    generator = np.random.default_rng(seed)
    dropped: set[tuple[int, str]] = set()
    for label, ratio in left_out.items():
        own = groups[label]
        count = min(len(own) - 1, round(ratio * len(own)))
        chosen = generator.permutation(len(own))[:count]
        dropped.update((label, own[place]) for place in chosen)
    pairs = zip(train.labels.tolist(), train.groups, strict=True)
    return np.array([pair not in dropped for pair in pairs], dtype=np.bool_)


def _point(scores: Sequence[_Score], ratio: float) -> CurvePoint:
    errors = [score.error_rate for score in scores]
    return CurvePoint(
        train_count=round(float(np.mean([score.train_count for score in scores]))),
        ratio=ratio,
        error_rate=float(np.mean(errors)),
        lowest=min(errors),
        highest=max(errors),
        log_loss=float(np.mean([score.log_loss for score in scores])),
    )

"""Choosing the penalty by cross-validation, and what its out-of-fold logits teach.

The out-of-fold logits come from heads that never saw the image: they choose the penalty, fit the
temperature, set the threshold to abstain (``trainer.evaluation.abstaining``), and rank suspicious
training images.
May import ``trainer.head``, ``trainer.metrics``, ``trainer.errors`` and the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.calibration import probabilities
from trainer import metrics
from trainer.head import ROUGH, Head, Inputs, Problem, few_threads, fit
from trainer.metrics import Floats, Labels

# Penalties per image and weight, weakest first. As scikit-learn's C = 1 / (l2 N) they span C = 1 to
# 0.001 for 300 images, where the measured optima of small sets lie.
L2_GRID = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
L2_WITHOUT_FOLDS = 0.1  # the middle of the grid, when there are too few images to choose
_TEMPERATURES = np.geomspace(0.1, 10, 401)  # steps of 1.2 %: finer than any estimate of it

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Trial:
    """A penalty with its out-of-fold logits ``[N, C]``, scored after calibration."""

    l2: float
    logits: Floats
    temperature: float
    log_loss: float
    error_rate: float


@dataclass(frozen=True)
class Selection:
    """The final head, with all that was learned on the way.

    Attributes:
        trials: One per penalty tried, weakest first; empty when there were too few images.
        best: The chosen trial, or None.
        folds: Number of folds done; 0 when none.
    """

    head: Head
    trials: tuple[Trial, ...]
    best: Trial | None
    folds: int

    @property
    def temperature(self) -> float:
        """What to divide logits by; 1 when nothing could be learned."""
        return self.best.temperature if self.best else 1.0

    @property
    def out_of_fold(self) -> Floats | None:
        """Calibrated probabilities of the training images ``[N, C]``, or None without folds."""
        return probabilities(self.best.logits, self.best.temperature) if self.best else None


@dataclass(frozen=True)
class TrainingSet:
    """The training split as arrays.

    Attributes:
        features: ``[N, F]`` float32.
        labels: ``[N]`` class indices.
        groups: N names of near-duplicate clusters.
        class_count: Number of classes.
    """

    features: NDArray[np.float32]
    labels: Labels
    groups: Sequence[str]
    class_count: int


def select(
    data: TrainingSet, folds: int, seed: int, step: Step, l2: float | None = None
) -> Selection:
    """Choose the penalty by k-fold cross-validation and fit the head on all training images.

    Args:
        data: The training split.
        folds: At most this many.
        seed: Of the dealing of folds; the same seed gives the same head.
        step: Told (done, total) after each fit.
        l2: A fixed penalty instead of the grid; folds are still done for calibration.
    """
    fold_of = deal_folds(data.labels, data.groups, folds, seed)
    with few_threads(len(data.labels)):
        if fold_of is None:
            head = fit(data.features, data.labels, data.class_count, l2 or L2_WITHOUT_FOLDS)
            return Selection(head, (), None, 0)
        grid = L2_GRID if l2 is None else (l2,)
        inputs = Inputs(data.features)
        trials = _cross_validate(data, inputs, fold_of, grid, step)
        # Of equals the strongest: the simpler head.
        best = min(reversed(trials), key=lambda trial: trial.log_loss)
        everything = np.ones(len(data.labels), dtype=np.bool_)
        head = Problem(inputs, everything, data.labels, data.class_count).fit(best.l2)
        count = int(fold_of.max()) + 1
        step(len(grid) * count + 1, len(grid) * count + 1)
    return Selection(head, trials, best, count)


def _cross_validate(
    data: TrainingSet, inputs: Inputs, fold_of: Labels, grid: Sequence[float], step: Step
) -> tuple[Trial, ...]:
    """Return one trial per penalty, in the grid's order (weakest first)."""
    count = int(fold_of.max()) + 1
    logits = np.empty((len(grid), len(data.labels), data.class_count))
    is_judged = np.zeros(len(data.labels), dtype=np.bool_)
    for fold in range(count):
        inside = fold_of == fold
        labels = data.labels[~inside]
        problem = Problem(inputs, ~inside, labels, data.class_count)
        is_judged[inside] = np.isin(data.labels[inside], labels)
        for place in reversed(range(len(grid))):  # from strong to weak: each starts near its end
            logits[place, inside] = problem.fit(grid[place], ROUGH).logits(data.features[inside])
            step((fold + 1) * len(grid) - place, len(grid) * count + 1)
    return tuple(
        _score(l2, rows, data.labels, is_judged) for l2, rows in zip(grid, logits, strict=True)
    )


def deal_folds(labels: Labels, groups: Sequence[str], folds: int, seed: int) -> Labels | None:
    """Deal images to folds: groups stay whole, classes are spread evenly.

    A class with a single group lands in one fold, whose head has never seen it: its out-of-fold
    predictions are wrong, which is what is to be expected of a class known by one picture.

    Args:
        labels: ``[N]``.
        groups: N names; a group under several labels counts for the first.
        folds: At most this many; no more than the groups of the smallest class that has two.
        seed: Of the shuffle.

    Returns:
        ``[N]`` fold numbers from 0, or None when fewer than two classes have two groups (then a
        fold's head might know only one class).
    """
    label_of: dict[str, int] = {}
    for group, label in zip(groups, labels.tolist(), strict=True):
        label_of.setdefault(group, label)
    by_class: dict[int, list[str]] = {}
    for group in sorted(label_of):
        by_class.setdefault(label_of[group], []).append(group)
    sizes = [len(members) for members in by_class.values() if len(members) > 1]
    if len(sizes) < 2:  # noqa: PLR2004 - two classes make a classifier
        return None
    count = min(folds, *sizes)
    generator = np.random.default_rng(seed)
    fold_of: dict[str, int] = {}
    dealt = 0
    for label in sorted(by_class):
        for position in generator.permutation(len(by_class[label])):
            fold_of[by_class[label][position]] = dealt % count
            dealt += 1  # goes on over classes, so that folds are even
    return np.array([fold_of[group] for group in groups], dtype=np.int64)


def fit_temperature(logits: Floats, labels: Labels) -> float:
    """Return the temperature of least log-loss, within 0.1..10.

    Against smoothed targets, (N + 1) / (N + 2) for the right class: with every image right, the
    plain loss falls for ever as the temperature does, and would promise certainty after 20 images.

    Args:
        logits: ``[N, C]`` of images that the head has not seen.
        labels: ``[N]``.

    Source: Guo et al. 2017 (temperature); Platt 1999, section 2.2 (targets).
    """
    count, class_count = logits.shape
    right = (count + 1) / (count + 2)
    targets = np.full((count, class_count), (1 - right) / (class_count - 1))
    targets[np.arange(count), labels] = right

    def loss(place: int) -> float:
        lowered = _log_softmax(logits / _TEMPERATURES[place])
        return -float(np.mean(np.sum(targets * lowered, axis=1)))

    # Convex in 1 / temperature, so that it falls and then rises along them: bisected by its slope.
    first, last = 0, len(_TEMPERATURES) - 1
    while first < last:
        middle = (first + last) // 2
        if loss(middle) <= loss(middle + 1):
            last = middle
        else:
            first = middle + 1
    return float(_TEMPERATURES[first])


def _log_softmax(logits: Floats) -> Floats:
    lowered = logits - logits.max(axis=1, keepdims=True)
    result: Floats = lowered - np.log(np.exp(lowered).sum(axis=1, keepdims=True))
    return result


def _score(l2: float, logits: Floats, labels: Labels, is_judged: NDArray[np.bool_]) -> Trial:
    # An image whose class its fold's head never saw is an error, but says nothing of confidence.
    temperature = fit_temperature(logits[is_judged], labels[is_judged])
    calibrated = probabilities(logits, temperature)
    return Trial(
        l2=l2,
        logits=logits,
        temperature=temperature,
        log_loss=metrics.log_loss(calibrated[is_judged], labels[is_judged]),
        error_rate=metrics.error_rate(labels, calibrated.argmax(axis=1)),
    )

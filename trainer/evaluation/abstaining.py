"""When to say "none of these": the threshold, and which score it is of.

Without images of something else there is nothing to choose a score by: the highest probability it
is. With a class of background images, held-out ones decide. May import ``trainer.selection``,
``trainer.metrics`` and the contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from server.contract.abstaining import ServedScore, find_background, known_score
from server.contract.analysis import AbstentionTrials, CoveragePoint, ScoreTrial
from server.contract.bundle import Abstention
from trainer import metrics
from trainer.metrics import Floats, Labels

_COVERAGE = 0.95  # of known images to be answered; the rest is the price of abstaining
# On easy classes that share lies above 0.94, and a person who is told "not sure" at 94 % stops
# believing the word. What is likelier than this is answered, whatever the share says.
_SURE = 0.8
# Background images below which a choice between scores would be a choice by luck.
MIN_BACKGROUND = 20
# Area under the curve by which another score must beat the highest probability: people understand
# a probability, and on 50 images a difference of 0.02 is luck.
_WORTH_AREA = 0.02
_NEIGHBOURS = 10  # cleanlab's and pytorch-ood's customary number
_MAX_NEIGHBOUR_IMAGES = 5_000  # their distances to each other fill 200 MB
# Shares of known images at which a person is told what abstaining gives: all, and down to half.
_COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_ALWAYS = Abstention(threshold=0.0, coverage=1.0)


@dataclass(frozen=True)
class Unseen:
    """Images and what models that had not seen them say of them.

    Attributes:
        logits: ``[N, C]``.
        temperature: Of the model.
        labels: ``[N]``.
        classes: C names.
        features: ``[N, F]``, for the distance to neighbours.
        groups: N names; an image's near-duplicates are not its neighbours.
    """

    logits: Floats
    temperature: float
    labels: Labels
    classes: Sequence[str]
    features: NDArray[np.float32]
    groups: Sequence[str]


def choose(unseen: Unseen | None) -> tuple[Abstention, AbstentionTrials | None]:
    """Return the rule, and how the scores compare where there are background images.

    Args:
        unseen: None when there are no such images; then the model always answers.
    """
    if unseen is None:
        return _ALWAYS, None
    name = find_background(unseen.classes)
    background = None if name is None else unseen.classes.index(name)
    is_known = np.ones(len(unseen.labels), dtype=np.bool_)
    if background is not None:
        is_known = unseen.labels != background
    if not is_known.any():
        return _ALWAYS, None
    scores = _served(unseen, background)
    trials = None
    chosen: ServedScore = "max_probability"
    if name is not None and int(np.sum(~is_known)) >= MIN_BACKGROUND:
        trials = _compare(unseen, scores, is_known, name)
        chosen = _best(trials)
    known = scores[chosen][is_known]
    threshold = _threshold(known, chosen)
    said = unseen.logits.argmax(axis=1)
    is_named = said != (-1 if background is None else background)
    is_answered = is_named & (scores[chosen] >= threshold)
    passed = float(np.mean(is_answered[~is_known])) if trials else None
    if trials is not None:
        curve = trace(scores[chosen], is_named, said == unseen.labels, is_known)
        trials = trials.model_copy(update={"curve": curve})
    rule = Abstention(
        score=chosen,
        threshold=threshold,
        coverage=float(np.mean(is_answered[is_known])),
        background=name,
        background_passed=passed,
    )
    return rule, trials


def _served(unseen: Unseen, background: int | None) -> dict[ServedScore, Floats]:
    return {
        score: known_score(unseen.logits, unseen.temperature, score, background)
        for score in get_args(ServedScore)
    }


def _threshold(known: Floats, score: ServedScore | None) -> float:
    quantile = float(np.quantile(known, 1 - _COVERAGE, method="lower"))
    return min(quantile, _SURE) if score == "max_probability" else quantile


def _compare(
    unseen: Unseen,
    scores: dict[ServedScore, Floats],
    is_known: NDArray[np.bool_],
    name: str,
) -> AbstentionTrials:
    trials = [_try(score, values, is_known) for score, values in scores.items()]
    trials.sort(key=lambda trial: -trial.auroc)
    best = _preferred(trials)
    trials.sort(key=lambda trial: trial is not best)  # stable: the others stay in their order
    if len(unseen.labels) <= _MAX_NEIGHBOUR_IMAGES:
        trials.append(_try("knn", _nearness_of(unseen, is_known), is_known))
    return AbstentionTrials(
        label=name,
        background_count=int(np.sum(~is_known)),
        coverage=_COVERAGE,
        trials=tuple(trials),
    )


def trace(
    score: Floats,
    is_named: NDArray[np.bool_],
    is_right: NDArray[np.bool_],
    is_known: NDArray[np.bool_],
) -> tuple[CoveragePoint, ...]:
    """Return what stricter and laxer thresholds give, the strictest first.

    Args:
        score: ``[N]``; higher is more like a known image.
        is_named: ``[N]``: whether a known class is the most probable one.
        is_right: ``[N]``: whether the most probable class is the image's own.
        is_known: ``[N]``: whether the image is of a known class; some are, and some are not.
    """
    points = []
    for wanted in _COVERAGES:
        threshold = float(np.quantile(score[is_known], 1 - wanted, method="lower"))
        is_answered = is_named & (score >= threshold)
        answered = is_right[is_answered & is_known]
        points.append(
            CoveragePoint(
                threshold=threshold,
                coverage=len(answered) / int(is_known.sum()),
                accuracy=float(answered.mean()) if len(answered) else None,
                passed=float(np.mean(is_answered[~is_known])),
            )
        )
    return tuple(points)


def _try(score: str, values: Floats, is_known: NDArray[np.bool_]) -> ScoreTrial:
    threshold = _threshold(values[is_known], None)
    return ScoreTrial.model_validate(
        {
            "score": score,
            "auroc": metrics.area_under_curve(values[is_known], values[~is_known]),
            "passed": float(np.mean(values[~is_known] >= threshold)),
            "threshold": threshold,
        }
    )


def _preferred(trials: Sequence[ScoreTrial]) -> ScoreTrial:
    """Return the best of the served scores, or the probability when it is nearly as good."""
    plain = next(trial for trial in trials if trial.score == "max_probability")
    return trials[0] if trials[0].auroc >= plain.auroc + _WORTH_AREA else plain


def _best(trials: AbstentionTrials) -> ServedScore:
    first = trials.trials[0].score
    if first == "knn":  # served scores come first
        raise ValueError("a distance to training images cannot be served")
    return first


def _nearness_of(unseen: Unseen, is_known: NDArray[np.bool_]) -> Floats:
    _, codes = np.unique(np.asarray(unseen.groups), return_inverse=True)
    is_twin = codes[:, np.newaxis] == codes[is_known][np.newaxis, :]
    return nearness(unseen.features, unseen.features[is_known], is_twin)


def nearness(
    features: NDArray[np.float32],
    known: NDArray[np.float32],
    is_twin: NDArray[np.bool_] | None = None,
) -> Floats:
    """Return minus the distance of each image to its 10th nearest known one, by the cosine.

    Args:
        features: ``[N, F]``.
        known: ``[K, F]``; K above 0.
        is_twin: ``[N, K]``: pairs that do not count, such as an image with itself.

    Returns:
        ``[N]``.
    """
    alike = (_unit(features) @ _unit(known).T).astype(np.float64)
    if is_twin is not None:
        alike[is_twin] = -1
    rank = min(_NEIGHBOURS, alike.shape[1])
    result: Floats = np.sort(alike, axis=1)[:, -rank] - 1
    return result


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    result: NDArray[np.float32] = features / np.maximum(lengths, np.finfo(np.float32).tiny)
    return result

"""Whether probabilities can be believed. Pure; may import ``trainer.selection``, ``metrics``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from server.contract.analysis import Bin, Reliability, TemperatureEffect
from server.contract.calibration import probabilities
from trainer import metrics
from trainer.metrics import Floats, Labels
from trainer.selection import deal_folds, fit_temperature

_BINS = 10  # 15 are customary for the error itself; a diagram of 100 images has room for ten
_FOLDS = 5


def judge_reliability(
    logits: Floats, temperature: float, labels: Labels, groups: Sequence[str], seed: int
) -> Reliability:
    """Return the reliability of validation predictions, and what a temperature does to it.

    Args:
        logits: ``[V, C]`` of the validation images, as the model gives them.
        temperature: The model's own.
        labels: ``[V]``.
        groups: V names of near-duplicate clusters.
        seed: Of the dealing of folds.
    """
    binned = metrics.bin_by_confidence(probabilities(logits, temperature), labels, _BINS)
    rows = zip(binned.counts.tolist(), binned.confidence, binned.accuracy, strict=True)
    return Reliability(
        bins=tuple(
            Bin(
                low=place / _BINS,
                high=(place + 1) / _BINS,
                count=count,
                confidence=min(1.0, float(confidence)) if count else None,
                accuracy=float(accuracy) if count else None,
            )
            for place, (count, confidence, accuracy) in enumerate(rows)
        ),
        effect=temperature_effect(logits, labels, groups, seed),
    )


def temperature_effect(
    logits: Floats, labels: Labels, groups: Sequence[str], seed: int
) -> TemperatureEffect | None:
    """Return what a temperature fitted on some validation images does to the others.

    A temperature judged by the images that it was fitted on would always look good.

    Returns:
        None when there are too few images for folds: see ``trainer.selection.deal_folds``.
    """
    fold_of = deal_folds(labels, groups, _FOLDS, seed)
    if fold_of is None:
        return None
    folds = int(fold_of.max()) + 1
    after = np.empty_like(logits)
    for fold in range(folds):
        inside = fold_of == fold
        after[inside] = probabilities(
            logits[inside], fit_temperature(logits[~inside], labels[~inside])
        )
    before = probabilities(logits, 1.0)
    return TemperatureEffect(
        calibration_error_before=metrics.calibration_error(before, labels),
        calibration_error_after=metrics.calibration_error(after, labels),
        log_loss_before=metrics.log_loss(before, labels),
        log_loss_after=metrics.log_loss(after, labels),
        folds=folds,
    )

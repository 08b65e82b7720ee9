"""Whether the fine-tuned network is kept, or the head that it began with.

Choosing the better of two on the validation images and then reporting its error rate on the same
images flatters: the lower of two chance results is lower than chance. So the choice is kept as
poor as it can be (two networks, each judged once, at its end: no best epoch is looked for), and the
error rate of the choosing itself is estimated by cross-fitting, where every image is judged by a
network in whose choice it had no part. May import numpy, ``trainer.metrics``, ``selection`` and the
contract.

Source of the remedy: Varma and Simon 2006, https://doi.org/10.1186/1471-2105-7-91
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from server.contract.calibration import probabilities
from server.contract.training import Choice
from trainer import metrics
from trainer.metrics import Floats, Labels
from trainer.selection import deal_folds, fit_temperature

_FOLDS = 10  # each choice is then made by nine tenths of the images: nearly the real one


@dataclass(frozen=True)
class Judged:
    """The validation images, by one network.

    Attributes:
        logits: ``[V, C]``.
        probabilities: ``[V, C]``, calibrated without the image's own fold.
        temperature: Fitted on all.
    """

    logits: Floats
    probabilities: Floats
    temperature: float


def judge(logits: Floats, labels: Labels, fold_of: Labels | None) -> Judged:
    """Calibrate a network on validation images.

    Args:
        logits: ``[V, C]``.
        labels: ``[V]``.
        fold_of: ``[V]`` numbers of folds; None: too few images, and the temperature is 1.
    """
    if fold_of is None:
        return Judged(logits, probabilities(logits, 1.0), 1.0)
    calibrated = np.empty_like(logits)
    for fold in range(int(fold_of.max()) + 1):
        inside = fold_of == fold
        temperature = fit_temperature(logits[~inside], labels[~inside])
        calibrated[inside] = probabilities(logits[inside], temperature)
    return Judged(logits, calibrated, fit_temperature(logits, labels))


def deal_validation(labels: Labels, groups: Sequence[str], seed: int) -> Labels | None:
    """Return the folds of the validation images: see `deal_folds`."""
    return deal_folds(labels, groups, _FOLDS, seed)


def choose(head: Judged, tuned: Judged, labels: Labels, fold_of: Labels | None) -> Choice:
    """Choose, and say how well this way of choosing does.

    Args:
        head: The fitted head on the frozen backbone.
        tuned: The fine-tuned network.
        labels: ``[V]``.
        fold_of: As for `judge`.
    """
    everything = np.ones(len(labels), dtype=np.bool_)
    is_tuned = _is_better(tuned, head, labels, everything)
    return Choice(
        kept="fine-tuned" if is_tuned else "head",
        head_error_rate=_errors(head, labels).mean(),
        fine_tuned_error_rate=_errors(tuned, labels).mean(),
        head_log_loss=metrics.log_loss(head.probabilities, labels),
        fine_tuned_log_loss=metrics.log_loss(tuned.probabilities, labels),
        cross_fitted_error_rate=_cross_fitted(head, tuned, labels, fold_of),
    )


def _cross_fitted(
    head: Judged, tuned: Judged, labels: Labels, fold_of: Labels | None
) -> float | None:
    if fold_of is None:
        return None
    error_count = 0
    for fold in range(int(fold_of.max()) + 1):
        inside = fold_of == fold
        winner = tuned if _is_better(tuned, head, labels, ~inside) else head
        error_count += int(_errors(winner, labels)[inside].sum())
    return error_count / len(labels)


def _is_better(tuned: Judged, head: Judged, labels: Labels, counted: np.ndarray) -> bool:
    """Return whether the fine-tuned network has fewer errors, or as many and a lower loss."""
    scores = [
        (
            int(_errors(judged, labels)[counted].sum()),
            metrics.log_loss(judged.probabilities[counted], labels[counted]),
        )
        for judged in (tuned, head)
    ]
    return scores[0] < scores[1]


def _errors(judged: Judged, labels: Labels) -> np.ndarray:
    return np.asarray(judged.logits.argmax(axis=1) != labels)

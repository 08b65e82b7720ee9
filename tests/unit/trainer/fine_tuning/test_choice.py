"""The choice between head and fine-tuned network, and what it does not hide."""

from __future__ import annotations

import numpy as np
import pytest

from server.contract.calibration import probabilities
from trainer.fine_tuning.choice import Judged, choose, deal_validation, judge
from trainer.metrics import Floats, Labels

pytestmark = pytest.mark.slow

_LABELS = np.arange(60) % 3
_GROUPS = [str(number) for number in range(60)]
_FOLDS = deal_validation(_LABELS, _GROUPS, 0)


def _logits(wrong: int, strength: float = 3.0, seed: int = 0) -> Floats:
    """Return logits that are wrong on the first images."""
    logits = np.random.default_rng(seed).normal(0, 0.1, (60, 3))
    answers: Labels = np.where(np.arange(60) < wrong, (_LABELS + 1) % 3, _LABELS)
    logits[np.arange(60), answers] += strength
    return logits


@pytest.mark.parametrize(
    ("head", "tuned", "kept"),
    [
        (_logits(6), _logits(5), "fine-tuned"),
        (_logits(5), _logits(6), "head"),
        (_logits(5), _logits(5), "head"),
    ],
    ids=["better", "worse", "equal"],
)
def test_the_network_with_fewer_errors_is_kept(head: Floats, tuned: Floats, kept: str) -> None:
    choice = choose(judge(head, _LABELS, _FOLDS), judge(tuned, _LABELS, _FOLDS), _LABELS, _FOLDS)
    assert choice.kept == kept


def test_of_as_many_errors_the_lower_loss_is_kept() -> None:
    unsure = _logits(0)
    unsure[::2] *= 0.2
    choice = choose(
        judge(unsure, _LABELS, _FOLDS), judge(_logits(0), _LABELS, _FOLDS), _LABELS, _FOLDS
    )
    assert (choice.kept, choice.head_error_rate) == ("fine-tuned", 0.0)


def test_choosing_between_two_equals_by_luck_is_not_reported_as_better() -> None:
    # Both are wrong on 30 % by chance alone, and on different images: the lower of the two on
    # the images that chose it is below 30 % on average, and the cross-fitted rate is not.
    flattered, honest = [], []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        judged = []
        for _ in range(2):
            answers = np.where(generator.random(60) < 0.3, (_LABELS + 1) % 3, _LABELS)
            logits = 3 * np.eye(3)[answers]
            judged.append(Judged(logits, probabilities(logits, 1.0), 1.0))
        choice = choose(*judged, _LABELS, _FOLDS)
        flattered.append(min(choice.head_error_rate, choice.fine_tuned_error_rate))
        honest.append(choice.cross_fitted_error_rate or 0.0)
    assert np.mean(flattered) < 0.28
    assert np.mean(honest) == pytest.approx(0.3, abs=0.012)


def test_without_folds_nothing_is_claimed() -> None:
    labels = np.array([0, 1])
    judged = judge(np.eye(2), labels, None)
    assert judged.temperature == 1.0
    assert choose(judged, judged, labels, None).cross_fitted_error_rate is None
    assert deal_validation(labels, ["a", "b"], 0) is None

"""Real, small trainings: eight made to go wrong, each named rightly, and three healthy ones.

Points in 20 dimensions and a network of one hidden layer, by plain gradient descent: seconds in
all, the same on every run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from server.contract.analysis import Finding
from trainer import baselines, metrics
from trainer.evaluation.diagnosis import Curves, Facts, diagnose
from trainer.evaluation.learning_curve import Split, draw_curve
from trainer.evaluation.twins import count_twins
from trainer.head import few_threads
from trainer.selection import TrainingSet

pytestmark = pytest.mark.slow

_DIMENSIONS = 20
_VALID_PER_CLASS = 80


@dataclass(frozen=True)
class _Plan:
    """A training.

    Attributes:
        counts: Training points of each class.
        spread: Of a class's points around its centre, which lies some 4.5 from the origin.
        flipped_ratio: Training labels that are wrong.
        copies: Validation points that are training points, too.
        is_centred: Whether classes have centres; without, there is nothing to learn.
    """

    counts: tuple[int, ...] = (120, 120, 120)
    spread: float = 2.0
    rate: float = 0.05
    epochs: int = 30
    hidden: int = 32
    flipped_ratio: float = 0.0
    copies: int = 0
    is_centred: bool = True
    seed: int = 0


@dataclass(frozen=True)
class _Points:
    train: np.ndarray
    train_labels: np.ndarray
    valid: np.ndarray
    valid_labels: np.ndarray


def _draw(plan: _Plan) -> _Points:
    generator = np.random.default_rng(plan.seed)
    centres = generator.normal(0, 1 if plan.is_centred else 0, (len(plan.counts), _DIMENSIONS))

    def points(sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        labels = np.repeat(np.arange(len(sizes)), sizes)
        noise = generator.normal(0, plan.spread, (len(labels), _DIMENSIONS))
        return (centres[labels] + noise).astype(np.float32), labels

    train, train_labels = points(plan.counts)
    valid, valid_labels = points([_VALID_PER_CLASS] * len(plan.counts))
    if plan.copies:
        chosen = generator.choice(len(train), plan.copies, replace=False)
        valid[: plan.copies], valid_labels[: plan.copies] = train[chosen], train_labels[chosen]
    wrong = generator.random(len(train)) < plan.flipped_ratio
    train_labels[wrong] = generator.integers(0, len(plan.counts), int(wrong.sum()))
    return _Points(train, train_labels, valid, valid_labels)


def _fit(plan: _Plan, points: _Points) -> tuple[Curves, np.ndarray]:
    """Train; return the curves and what is predicted of the validation points at the end."""
    torch.manual_seed(plan.seed)
    generator = torch.Generator().manual_seed(plan.seed)
    model = nn.Sequential(
        nn.Linear(_DIMENSIONS, plan.hidden), nn.ReLU(), nn.Linear(plan.hidden, len(plan.counts))
    )
    optimiser = torch.optim.SGD(model.parameters(), plan.rate, momentum=0.9)
    inputs, labels = torch.from_numpy(points.train), torch.from_numpy(points.train_labels)
    valid, valid_labels = torch.from_numpy(points.valid), torch.from_numpy(points.valid_labels)
    train_loss, valid_loss, errors = [], [], []
    for _ in range(plan.epochs):
        losses = []
        for chosen in torch.randperm(len(labels), generator=generator).split(32):
            loss = nn.functional.cross_entropy(model(inputs[chosen]), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        with torch.no_grad():
            logits = model(valid)
        train_loss.append(float(np.mean(losses)))
        valid_loss.append(nn.functional.cross_entropy(logits, valid_labels).item())
        errors.append((logits.argmax(dim=1) != valid_labels).double().mean().item())
    epochs = [float(epoch) for epoch in range(1, plan.epochs + 1)]
    return Curves(train_loss, valid_loss, errors, epochs), logits.argmax(dim=1).numpy()


def _pixels(points: _Points) -> np.ndarray:
    """Return the points as tiny pictures, for the baselines and the search for twins."""
    values = np.concatenate([points.train, points.valid])
    levels = np.clip(128 + 25 * values, 0, 255).astype(np.uint8)
    return levels.reshape(len(values), 4, 5, 1).repeat(3, axis=3)


def _facts(points: _Points, predicted: np.ndarray) -> Facts:
    count, wrong = len(points.valid_labels), int(np.sum(predicted != points.valid_labels))
    labels = np.concatenate([points.train_labels, points.valid_labels])
    is_valid = np.arange(len(labels)) >= len(points.train_labels)
    reached = baselines.measure(_pixels(points), labels, is_valid, 42)
    counts = Counter(points.train_labels.tolist())
    names = [f"class {place}" for place in sorted(counts)]
    groups = [str(place) for place in range(len(points.train_labels))]
    train = TrainingSet(points.train, points.train_labels, groups, len(names))
    return Facts(
        train_counts={name: counts[place] for place, name in enumerate(names)},
        valid_count=count,
        error_rate=wrong / count,
        error_rate_interval=metrics.wilson_interval(wrong, count),
        # Points are as good as pixels: of the pixel baselines only the majority is fair here.
        baselines={"majority": reached.majority},
        curve=draw_curve(
            Split(train, points.valid, points.valid_labels, names), 0.1, 1.0, 42, lambda *_: None
        ),
        twin_count=count_twins(_pixels(points), is_valid, 42),
    )


def _diagnosed(plan: _Plan) -> tuple[Finding, ...]:
    points = _draw(plan)
    with few_threads(len(points.train)):
        curves, predicted = _fit(plan, points)
    return diagnose(_facts(points, predicted), curves)


_WRONG = {
    "learning-rate-too-high": _Plan(rate=20.0, epochs=8),
    "learning-rate-too-low": _Plan(rate=1e-4, epochs=20),
    "too-few-epochs": _Plan(rate=0.002, epochs=2),
    "overfitting": _Plan(
        counts=(60, 60, 60), spread=2.2, flipped_ratio=0.35, hidden=256, epochs=150, rate=0.02
    ),
    "class-too-small": _Plan(counts=(120, 120, 5)),
    "too-little-data": _Plan(counts=(14, 14, 14), spread=2.0, rate=0.01, epochs=15),
    "leakage-suspected": _Plan(copies=40),
    "no-better-than-baseline": _Plan(is_centred=False, rate=0.001, epochs=10),
}
_HEALTHY = {
    "easy": _Plan(spread=1.0),
    "hard": _Plan(counts=(300, 300, 300), spread=2.5, rate=0.005, epochs=15),
    "many classes": _Plan(counts=(150,) * 6, spread=1.8, rate=0.01, epochs=20, seed=3),
}


@pytest.mark.parametrize("kind", _WRONG)
def test_a_training_that_goes_wrong_is_named_rightly(kind: str) -> None:
    findings = _diagnosed(_WRONG[kind])
    assert findings[0].kind == kind, [(each.kind, each.text) for each in findings]
    assert all(math.isfinite(value) for value in findings[0].numbers.values())


@pytest.mark.parametrize("name", _HEALTHY)
def test_a_healthy_training_is_called_healthy(name: str) -> None:
    findings = _diagnosed(_HEALTHY[name])
    assert [each.kind for each in findings] == ["healthy"], [each.text for each in findings]


def _curves(valid_loss: Sequence[float], valid_error: Sequence[float]) -> Curves:
    train_loss = [0.5 * loss for loss in valid_loss]  # far below the validation loss
    return Curves(train_loss, valid_loss, valid_error, range(1, len(valid_loss) + 1))


_GOOD = Facts(
    train_counts={"a": 50, "b": 50},
    valid_count=100,
    error_rate=0.1,
    error_rate_interval=(0.05, 0.17),
    baselines={"majority": 0.5},
)


def test_a_training_loss_below_the_validation_loss_is_no_overfitting() -> None:
    # Nor is a validation loss that rises, while the error does not: it is overconfidence.
    curves = _curves([0.5, 0.3, 0.3, 0.35, 0.4, 0.5], [0.2, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert [each.kind for each in diagnose(_GOOD, curves)] == ["healthy"]


def test_a_validation_error_that_rises_again_is() -> None:
    curves = Curves(
        [0.9, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02],
        [0.5] * 7,
        [0.2, 0.1, 0.1, 0.1, 0.14, 0.15, 0.15],
        range(1, 8),
    )
    (finding,) = diagnose(_GOOD, curves)
    assert finding.kind == "overfitting"
    assert finding.numbers["best_epoch"] == 3
    assert "10.0 %" in finding.text
    assert "14.7 %" in finding.text


def test_a_loss_that_is_no_number_is_an_explosion() -> None:
    curves = Curves([0.7, math.nan], [math.inf, math.nan], [0.5, 0.5], [1, 2])
    kinds = [each.kind for each in diagnose(_GOOD, curves)]
    assert kinds == ["learning-rate-too-high"]


def test_a_head_draws_no_curves_and_is_judged_by_its_evaluation() -> None:
    assert [each.kind for each in diagnose(_GOOD)] == ["healthy"]
    unsure = replace(_GOOD, error_rate=0.4, error_rate_interval=(0.3, 0.55))
    (finding,) = diagnose(unsure)
    assert finding.kind == "no-better-than-baseline"
    assert "not surely better" in finding.text


def test_small_classes_count_only_beside_larger_ones() -> None:
    small = replace(_GOOD, train_counts={"a": 6, "b": 6})
    assert [each.kind for each in diagnose(small)] == ["too-little-data"]
    one = replace(_GOOD, train_counts={"a": 6, "b": 60, "c": 60})
    assert [each.kind for each in diagnose(one)] == ["class-too-small"]


# Eight looks at a fine-tuning of 48 epochs: a small set has updates, not epochs.
_LOOKS = [6.0 * look for look in range(1, 9)]


def test_looks_are_no_epochs() -> None:
    # It falls by a tenth from look to look, and so by under two percent an epoch.
    falling = [0.5 * 0.9**look for look in range(8)]
    curves = Curves([1.1 * loss for loss in falling], falling, [0.1] * 8, _LOOKS, True)
    assert [each.kind for each in diagnose(_GOOD, curves)] == ["healthy"]
    fast = replace(curves, epochs=[0.5 * look for look in range(1, 9)])
    (finding,) = diagnose(_GOOD, fast)
    assert finding.kind == "too-few-epochs"
    assert "after 4 the" in finding.text
    assert finding.numbers["fall_per_epoch"] == pytest.approx(1 - 0.9**2)


def test_overfitting_is_dated_in_epochs() -> None:
    errors = [0.2, 0.1, 0.1, 0.1, 0.14, 0.15, 0.15, 0.15]
    train = [0.9, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01]
    (finding,) = diagnose(_GOOD, Curves(train, [0.5] * 8, errors, _LOOKS, True))
    assert finding.numbers["best_epoch"] == 18
    assert "Stop at epoch 18" in finding.text


def test_a_fitted_head_leaves_little_to_gain_which_is_no_low_learning_rate() -> None:
    # Augmented images, so the training loss is above the validation loss, as is healthy.
    train = [0.62, 0.55, 0.5, 0.46, 0.43, 0.41, 0.4, 0.39]
    valid = [0.36, 0.355, 0.35, 0.345, 0.34, 0.335, 0.33, 0.325]
    curves = Curves(train, valid, [0.1] * 8, _LOOKS, True)
    assert [each.kind for each in diagnose(_GOOD, curves)] == ["healthy"]


def test_a_fine_tuning_that_changes_nothing_is() -> None:
    flat = Curves([0.62, 0.61, 0.62, 0.615, 0.61, 0.61], [0.36] * 6, [0.1] * 6, _LOOKS[:6], True)
    (finding,) = diagnose(_GOOD, flat)
    assert finding.kind == "learning-rate-too-low"
    assert "0.620 to 0.610" in finding.text
    learned = replace(flat, train_loss=[0.02] * 6)
    assert [each.kind for each in diagnose(_GOOD, learned)] == ["healthy"]

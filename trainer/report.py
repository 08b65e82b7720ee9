"""What is told of a model: metrics, evaluation of each image, history, model card.

May import ``trainer.selection``, ``trainer.metrics``, ``snapshot`` and the contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from server.contract.analysis import Analysis
from server.contract.bundle import Abstention
from server.contract.evaluation import (
    Baselines,
    ClassMetrics,
    EvaluatedImage,
    Evaluation,
    History,
    Metrics,
    OutOfFold,
    PenaltyTrial,
    Quantisation,
)
from server.contract.snapshot import Item
from trainer import metrics
from trainer.metrics import Floats, Labels
from trainer.selection import Selection
from trainer.snapshot import LocalSnapshot


@dataclass(frozen=True)
class Results:
    """What a run found out.

    Attributes:
        valid_probabilities: ``[V, C]`` calibrated, of the validation images in manifest order.
        out_of_fold: ``[N, C]`` of every image, by ``trainer.out_of_fold``; None without folds.
        baselines: See ``trainer.baselines``.
        abstention: See ``trainer.evaluation.abstaining``.
        analysis: See ``trainer.evaluation.analysis``.
        export_max_difference: See ``trainer.export``.
        phase_seconds: Duration by phase.
        quantisation: What eight bits cost; None in float32.
    """

    snapshot: LocalSnapshot
    selection: Selection
    valid_probabilities: Floats
    out_of_fold: Floats | None
    baselines: Baselines
    abstention: Abstention
    analysis: Analysis
    export_max_difference: float
    phase_seconds: dict[str, float]
    quantisation: Quantisation | None = None


def measure(results: Results) -> Metrics:
    """Return the metrics of the validation split, beside their baselines."""
    snapshot, probabilities = results.snapshot, results.valid_probabilities
    labels = snapshot.labels()[snapshot.is_valid()]
    predicted = probabilities.argmax(axis=1)
    matrix = metrics.confusion(labels, predicted, len(snapshot.manifest.classes))
    error_count = int(np.sum(labels != predicted))
    best = results.selection.best
    return Metrics(
        train_count=len(snapshot.items) - len(labels),
        valid_count=len(labels),
        error_rate=metrics.error_rate(labels, predicted),
        error_rate_interval=metrics.wilson_interval(error_count, len(labels)),
        log_loss=metrics.log_loss(probabilities, labels),
        calibration_error=metrics.calibration_error(probabilities, labels),
        per_class=per_class(matrix, snapshot.manifest.classes),
        confusion=tuple(tuple(row) for row in matrix.tolist()),
        baselines=results.baselines,
        cross_validation_error_rate=best.error_rate if best else None,
        export_max_difference=results.export_max_difference,
        seconds=round(sum(results.phase_seconds.values()), 3),
        quantisation=results.quantisation,
    )


def per_class(matrix: Labels, classes: Sequence[str]) -> tuple[ClassMetrics, ...]:
    """Return the metrics of each class, from a confusion matrix ``[C, C]`` of counts."""
    return tuple(
        ClassMetrics(label=label, precision=precision, recall=recall, support=support)
        for label, precision, recall, support in zip(
            classes,
            metrics.precision(matrix),
            metrics.recall(matrix),
            matrix.sum(axis=1).tolist(),
            strict=True,
        )
    )


def evaluate(results: Results) -> Evaluation:
    """Return the evaluation of each image: validation ones, and training ones out-of-fold."""
    snapshot = results.snapshot
    is_valid, labels = snapshot.is_valid(), snapshot.labels()
    rows = np.full((len(labels), len(snapshot.manifest.classes)), np.nan)
    rows[is_valid] = results.valid_probabilities
    out_of_fold = results.selection.out_of_fold
    if out_of_fold is not None:
        rows[~is_valid] = out_of_fold
    kept = ~np.isnan(rows[:, 0])
    losses = metrics.losses(rows[kept], labels[kept])
    items = [item for item, keep in zip(snapshot.items, kept, strict=True) if keep]
    classes = snapshot.manifest.classes
    judged = _judged(results, labels)
    doubts = [doubt for doubt, keep in zip(judged, kept, strict=True) if keep]
    return Evaluation(
        items=tuple(
            _evaluated(item, classes, row, float(loss), doubt)
            for item, row, loss, doubt in zip(items, rows[kept], losses, doubts, strict=True)
        ),
        analysis=results.analysis,
    )


def _evaluated(
    item: Item, classes: Sequence[str], row: Floats, loss: float, doubt: OutOfFold | None
) -> EvaluatedImage:
    top = int(row.argmax())
    return EvaluatedImage(
        sha256=item.sha256,
        split=item.split,
        label=item.label,
        predicted=classes[top],
        loss=round(loss, 6),
        probability=round(float(row[top]), 6),
        out_of_fold=doubt,
    )


def _judged(results: Results, labels: Labels) -> list[OutOfFold | None]:
    """Return what is said of each image out-of-fold, in the manifest's order."""
    rows, classes = results.out_of_fold, results.snapshot.manifest.classes
    if rows is None:
        return [None] * len(labels)
    tops = rows.argmax(axis=1)
    return [
        OutOfFold(
            predicted=classes[top],
            probability=round(float(row[top]), 6),
            label_probability=round(float(row[label]), 6),
            loss=round(float(loss), 6),
        )
        for row, top, label, loss in zip(
            rows, tops, labels, metrics.losses(rows, labels), strict=True
        )
    ]


def tell_history(results: Results) -> History:
    """Return how the training went."""
    selection = results.selection
    return History(
        folds=selection.folds,
        trials=tuple(
            PenaltyTrial(l2=trial.l2, log_loss=trial.log_loss, error_rate=trial.error_rate)
            for trial in selection.trials
        ),
        l2=selection.head.l2,
        iterations=selection.head.iterations,
        phase_seconds={name: round(value, 3) for name, value in results.phase_seconds.items()},
    )

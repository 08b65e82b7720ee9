"""What is told of a model: metrics, evaluation of each image, history, model card.

May import ``trainer.selection``, ``trainer.metrics``, ``trainer.baselines``, ``snapshot`` and the
contract.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from server.contract.evaluation import (
    Baselines,
    ClassMetrics,
    EvaluatedImage,
    Evaluation,
    History,
    Metrics,
    PenaltyTrial,
)
from server.contract.snapshot import Item, Manifest
from trainer import metrics
from trainer.baselines import PixelSimilarity
from trainer.metrics import Floats
from trainer.selection import Selection
from trainer.snapshot import LocalSnapshot


@dataclass(frozen=True)
class Results:
    """What a run found out.

    Attributes:
        valid_probabilities: ``[V, C]`` calibrated, of the validation images in manifest order.
        majority: Error rate of the majority baseline.
        export_max_difference: See ``trainer.export``.
        phase_seconds: Duration by phase.
    """

    snapshot: LocalSnapshot
    selection: Selection
    valid_probabilities: Floats
    majority: float
    similarity: PixelSimilarity
    export_max_difference: float
    phase_seconds: dict[str, float]


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
        per_class=tuple(
            ClassMetrics(label=label, precision=precision, recall=recall, support=support)
            for label, precision, recall, support in zip(
                snapshot.manifest.classes,
                metrics.precision(matrix),
                metrics.recall(matrix),
                matrix.sum(axis=1).tolist(),
                strict=True,
            )
        ),
        confusion=tuple(tuple(row) for row in matrix.tolist()),
        baselines=Baselines(
            majority=results.majority,
            pixel_similarity=results.similarity.best,
            pixel_similarity_l1=results.similarity.l1,
            pixel_similarity_l2=results.similarity.l2,
        ),
        cross_validation_error_rate=best.error_rate if best else None,
        export_max_difference=results.export_max_difference,
        seconds=round(sum(results.phase_seconds.values()), 3),
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
    return Evaluation(
        items=tuple(
            _evaluated(item, snapshot.manifest, row, float(loss))
            for item, row, loss in zip(items, rows[kept], losses, strict=True)
        )
    )


def _evaluated(item: Item, manifest: Manifest, row: Floats, loss: float) -> EvaluatedImage:
    top = int(row.argmax())
    return EvaluatedImage(
        sha256=item.sha256,
        split=item.split,
        label=item.label,
        predicted=manifest.classes[top],
        loss=round(loss, 6),
        probability=round(float(row[top]), 6),
    )


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

"""A finished model on images that it was not trained on. No network.

May import ``trainer.export``, ``report``, ``metrics``, ``phases``, ``snapshot`` and the contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.analysis import MAX_ROWS
from server.contract.answers import Answers, answer
from server.contract.bundle import Bundle
from server.contract.model_evaluation import (
    MAX_WORST,
    Confused,
    Foreign,
    Miss,
    ModelEvaluation,
)
from server.contract.snapshot import Item, Manifest, Split
from trainer import metrics
from trainer.errors import JobFailedError
from trainer.export import OnnxModel
from trainer.metrics import Floats, Labels
from trainer.phases import Clock, Tell
from trainer.report import per_class
from trainer.snapshot import LocalSnapshot


@dataclass(frozen=True)
class Finished:
    """A registered model.

    Attributes:
        id: In the registry.
        bundle: Whole.
        trained_on: The manifest of the snapshot that it was trained on.
    """

    id: str
    bundle: Bundle
    trained_on: Manifest


def list_unseen(manifest: Manifest, trained_on: Manifest) -> tuple[Item, ...]:
    """Return the items that a training on another snapshot saw neither themselves nor alike.

    Alike is what is in a group of near-duplicates with a training image: see DESIGN.md, section 5.
    Groups are of one dataset; of another, only the same bytes are recognised.

    Args:
        manifest: What to choose from.
        trained_on: Its validation images count as not seen.
    """
    trained = trained_on.items_of(Split.TRAIN)
    seen, groups = {item.sha256 for item in trained}, {item.group for item in trained}
    return tuple(
        item for item in manifest.items if item.sha256 not in seen and item.group not in groups
    )


def evaluate(
    model: Finished, snapshot: LocalSnapshot, items: Sequence[Item], tell: Tell
) -> ModelEvaluation:
    """Judge a model.

    Args:
        model: To be judged.
        snapshot: Where the images are.
        items: Of the snapshot, that the model has not seen.
        tell: Told (phase, done, total) often; may raise to stop.

    Raises:
        JobFailedError: ``nothing-to-evaluate``: none has a label of the model's;
            ``blob-unreadable``.
    """
    classes = model.bundle.manifest.classes
    index = {name: place for place, name in enumerate(classes)}
    labels = np.array([index.get(item.label, -1) for item in items], dtype=np.int64)
    is_known = labels >= 0
    if not is_known.any():
        raise JobFailedError(
            "nothing-to-evaluate",
            "None of these images is both new to the model and of one of its labels "
            f"({', '.join(classes[:5])}{', …' if len(classes) > 5 else ''}). "  # noqa: PLR2004
            "Choose another dataset, or collect images that it was not trained on.",
        )
    clock = Clock(tell)
    with clock.phase("answers") as step:
        preprocessing = model.bundle.manifest.preprocessing
        logits = OnnxModel(model.bundle.onnx).logits(snapshot, items, preprocessing, step)
    answers = answer(model.bundle.manifest, logits)
    known = [item for item, keep in zip(items, is_known, strict=True) if keep]
    said = answers.of(is_known)
    foreign = [item for item, keep in zip(items, is_known, strict=True) if not keep]
    return _judge(
        model, known, labels[is_known], said, _of_foreign(foreign, answers.abstained[~is_known])
    ).model_copy(
        update={
            "seen_count": len(snapshot.items) - len(items),
            "seconds": round(sum(clock.seconds.values()), 3),
        }
    )


def _judge(
    model: Finished, items: Sequence[Item], labels: Labels, said: Answers, foreign: Foreign | None
) -> ModelEvaluation:
    classes, told = model.bundle.manifest.classes, model.bundle.manifest.metrics
    predicted = said.probabilities.argmax(axis=1)
    matrix = metrics.confusion(labels, predicted, len(classes))
    error_count = int(np.sum(labels != predicted))
    is_answered = ~said.abstained
    return ModelEvaluation(
        model_id=model.id,
        count=len(labels),
        seen_count=0,
        error_rate=metrics.error_rate(labels, predicted),
        error_rate_interval=metrics.wilson_interval(error_count, len(labels)),
        majority_error_rate=1 - float(np.bincount(labels).max()) / len(labels),
        log_loss=metrics.log_loss(said.probabilities, labels),
        calibration_error=metrics.calibration_error(said.probabilities, labels),
        abstained_ratio=float(said.abstained.mean()),
        answered_error_rate=metrics.error_rate(labels[is_answered], predicted[is_answered])
        if is_answered.any()
        else None,
        told_error_rate=told.error_rate,
        told_error_rate_interval=told.error_rate_interval,
        per_class=per_class(matrix, classes),
        confused=_confused(matrix, classes),
        worst=_worst(items, labels, said.probabilities, classes),
        foreign=foreign,
        seconds=0,
    )


def _confused(matrix: Labels, classes: Sequence[str]) -> tuple[Confused, ...]:
    wrong = matrix - np.diag(np.diag(matrix))
    places = np.argsort(-wrong, axis=None, kind="stable")[:MAX_ROWS]
    rows, columns = np.unravel_index(places, wrong.shape)
    return tuple(
        Confused(label=classes[row], predicted=classes[column], count=int(wrong[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if wrong[row, column]
    )


def _worst(
    items: Sequence[Item], labels: Labels, rows: Floats, classes: Sequence[str]
) -> tuple[Miss, ...]:
    losses, tops = metrics.losses(rows, labels), rows.argmax(axis=1)
    wrong = [place for place in np.argsort(-losses, kind="stable") if tops[place] != labels[place]]
    return tuple(
        Miss(
            sha256=items[place].sha256,
            label=items[place].label,
            predicted=classes[tops[place]],
            loss=round(float(losses[place]), 6),
            probability=round(float(rows[place, tops[place]]), 6),
        )
        for place in wrong[:MAX_WORST]
    )


def _of_foreign(items: Sequence[Item], abstained: NDArray[np.bool_]) -> Foreign | None:
    if not items:
        return None
    return Foreign(
        labels=tuple(sorted({item.label for item in items})),
        count=len(items),
        abstained_ratio=float(abstained.mean()),
    )

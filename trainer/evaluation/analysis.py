"""Everything that is found out about a model, in one value.

May import the rest of this package, ``trainer.selection``, ``snapshot``, ``metrics``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.analysis import AbstentionTrials, Analysis, LearningCurve, Slices
from server.contract.evaluation import Baselines
from trainer import metrics
from trainer.evaluation.diagnosis import Curves, Facts, diagnose
from trainer.evaluation.learning_curve import Split, draw_curve
from trainer.evaluation.reliability import judge_reliability
from trainer.evaluation.shortcuts import check_shortcuts
from trainer.evaluation.slices import cut
from trainer.evaluation.traits import Traits, read_traits
from trainer.evaluation.twins import count_twins
from trainer.metrics import Floats
from trainer.selection import TrainingSet
from trainer.snapshot import LocalSnapshot

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Images:
    """The images of a snapshot, N in the manifest's order.

    Attributes:
        features: ``[N, F]`` float32, of the frozen backbone.
        pixels: ``[N, 32, 32, 3]`` uint8, RGB.
    """

    snapshot: LocalSnapshot
    features: NDArray[np.float32]
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Answers:
    """What the model says.

    Attributes:
        valid_logits: ``[V, C]`` of the validation images.
        temperature: What they are divided by.
        l2: The penalty of its head, or of the head that fine-tuning began with.
        head_temperature: What that head's logits are divided by.
        out_of_fold: ``[N, C]`` calibrated, by heads like the model's that never saw the image; None
            when there are none, or when the model is more than a head.
        trials: Of scores to abstain by; None without background images.
        curves: Of the training; None for a head, which is fitted to its optimum.
        is_fine_tuned: Whether the model is more than a head.
    """

    valid_logits: Floats
    temperature: float
    l2: float
    head_temperature: float
    out_of_fold: Floats | None
    baselines: Baselines
    trials: AbstentionTrials | None = None
    curves: Curves | None = None
    is_fine_tuned: bool = False


def analyse(images: Images, answers: Answers, seed: int, step: Step) -> Analysis:
    """Return what is found out about a model, the same for the same arguments.

    Args:
        images: Of the snapshot.
        answers: Of the model.
        seed: Of all draws.
        step: Told (done, total) of the longest part; may raise to stop.
    """
    snapshot = images.snapshot
    labels, groups = snapshot.labels(), snapshot.groups()
    traits = read_traits(snapshot.items, snapshot.origins, images.pixels)
    split = _split(images)
    curve = draw_curve(split, answers.l2, answers.head_temperature, seed, step)
    if curve is not None and answers.is_fine_tuned:
        curve = curve.model_copy(update={"basis": "head"})
    valid_groups = _kept(groups, snapshot.is_valid())
    return Analysis(
        reliability=judge_reliability(
            answers.valid_logits, answers.temperature, split.labels, valid_groups, seed
        ),
        learning_curve=curve,
        slices=_slices(snapshot, traits, answers),
        shortcuts=check_shortcuts(traits, labels, groups, len(snapshot.manifest.classes), seed),
        abstention=answers.trials,
        findings=diagnose(_facts(images, split, answers, curve, seed), answers.curves),
    )


def _split(images: Images) -> Split:
    snapshot = images.snapshot
    labels, is_valid = snapshot.labels(), snapshot.is_valid()
    names = snapshot.manifest.classes
    train = TrainingSet(
        features=images.features[~is_valid],
        labels=labels[~is_valid],
        groups=_kept(snapshot.groups(), ~is_valid),
        class_count=len(names),
    )
    return Split(train, images.features[is_valid], labels[is_valid], names)


def _slices(snapshot: LocalSnapshot, traits: Traits, answers: Answers) -> Slices:
    labels, is_valid = snapshot.labels(), snapshot.is_valid()
    if answers.out_of_fold is not None:
        is_wrong = answers.out_of_fold.argmax(axis=1) != labels
        return Slices(basis="out-of-fold", rows=cut(traits, is_wrong))
    own = Traits({name: _kept(words, is_valid) for name, words in traits.words.items()})
    is_wrong = answers.valid_logits.argmax(axis=1) != labels[is_valid]
    return Slices(basis="validation", rows=cut(own, is_wrong))


def _facts(
    images: Images, split: Split, answers: Answers, curve: LearningCurve | None, seed: int
) -> Facts:
    predicted = answers.valid_logits.argmax(axis=1)
    counts = Counter(split.train.labels.tolist())
    reached = answers.baselines.model_dump(exclude={"pixel_similarity_l1", "pixel_similarity_l2"})
    return Facts(
        train_counts={name: counts[place] for place, name in enumerate(split.names)},
        valid_count=len(split.labels),
        error_rate=metrics.error_rate(split.labels, predicted),
        error_rate_interval=metrics.wilson_interval(
            int(np.sum(predicted != split.labels)), len(split.labels)
        ),
        baselines={name: rate for name, rate in reached.items() if rate is not None},
        curve=curve,
        twin_count=count_twins(images.pixels, images.snapshot.is_valid(), seed),
    )


def _kept(values: Sequence[str], is_kept: NDArray[np.bool_]) -> list[str]:
    return [value for value, keep in zip(values, is_kept, strict=True) if keep]

"""What is found out about what a training made, be it a head or a fine-tuned network.

May import ``trainer.fine_tuning``, ``evaluation``, ``out_of_fold`` and what is below them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.analysis import Analysis
from server.contract.bundle import Abstention
from server.contract.calibration import probabilities
from server.contract.evaluation import Baselines
from server.contract.recipes import Recipe
from trainer import out_of_fold
from trainer.data.features import Extracted
from trainer.evaluation.abstaining import Unseen, choose
from trainer.evaluation.analysis import Answers, Images, analyse
from trainer.evaluation.diagnosis import Curves
from trainer.fine_tuning.choice import Judged
from trainer.fine_tuning.run import Tuned
from trainer.metrics import Floats
from trainer.phases import Clock
from trainer.selection import Selection, TrainingSet
from trainer.snapshot import LocalSnapshot


@dataclass(frozen=True)
class Trained:
    """What the training made.

    Attributes:
        selection: The head that was fitted.
        logits: ``[V, C]`` of the validation images, by that head.
        tuned: What came of fine-tuning; None for the recipe without.
    """

    selection: Selection
    logits: Floats
    tuned: Tuned | None

    @property
    def is_head(self) -> bool:
        """Whether the model is the fitted head on the frozen backbone."""
        return self.tuned is None or self.tuned.judged is None

    @property
    def judged(self) -> Judged:
        """What the finished model says of the validation images."""
        if self.tuned is not None and self.tuned.judged is not None:
            return self.tuned.judged
        temperature = self.selection.temperature
        return Judged(self.logits, probabilities(self.logits, temperature), temperature)

    @property
    def curves(self) -> Curves | None:
        """How the kept network learned; None for a head."""
        if self.tuned is None or self.is_head:
            return None
        stages = self.tuned.history.stages
        return Curves(
            train_loss=[stage.train_loss for stage in stages],
            valid_loss=[stage.valid_loss for stage in stages],
            valid_error_rate=[stage.valid_error_rate for stage in stages],
            epochs=[stage.epoch for stage in stages],
            is_from_fitted=True,  # fine-tuning starts from the linear head
        )


@dataclass(frozen=True)
class Judgement:
    """What is found out about a model.

    Attributes:
        out_of_fold: ``[N, C]`` of all images, by heads that never saw them; None without folds.
    """

    out_of_fold: Floats | None
    abstention: Abstention
    analysis: Analysis


def judge(
    snapshot: LocalSnapshot,
    arrays: Extracted,
    recipe: Recipe,
    trained: Trained,
    reached: Baselines,
    clock: Clock,
) -> Judgement:
    """Judge a model.

    Args:
        snapshot: What it was trained on.
        arrays: Of all images.
        recipe: Its seed and folds are used.
        trained: The model.
        reached: By methods that need no network.
        clock: Times the phases ``out-of-fold`` and ``evaluation``.
    """
    with clock.phase("out-of-fold") as step:
        data = labelled(snapshot, arrays, np.ones(len(snapshot.items), dtype=np.bool_))
        l2 = trained.selection.head.l2
        judged = out_of_fold.judge(data, recipe.folds, recipe.seed, l2, step)
    with clock.phase("evaluation") as step:
        rule, trials = choose(_unseen(snapshot, arrays, trained))
        answers = Answers(
            valid_logits=trained.judged.logits,
            temperature=trained.judged.temperature,
            l2=l2,
            head_temperature=trained.selection.temperature,
            out_of_fold=judged if trained.is_head else None,
            baselines=reached,
            trials=trials,
            curves=trained.curves,
            is_fine_tuned=not trained.is_head,
        )
        images = Images(snapshot, arrays.features, arrays.pixels)
        analysis = analyse(images, answers, recipe.seed, step)
    return Judgement(judged, rule, analysis)


def _unseen(snapshot: LocalSnapshot, arrays: Extracted, trained: Trained) -> Unseen | None:
    """Return images with what models that never saw them say; None when there are none.

    For a head the training images, out-of-fold; for a fine-tuned network the validation images.
    """
    best = trained.selection.best
    if best is None:
        return None
    is_valid = snapshot.is_valid()
    data = labelled(snapshot, arrays, ~is_valid if trained.is_head else is_valid)
    judged = trained.judged
    return Unseen(
        logits=best.logits if trained.is_head else judged.logits,
        temperature=best.temperature if trained.is_head else judged.temperature,
        labels=data.labels,
        classes=snapshot.manifest.classes,
        features=data.features,
        groups=data.groups,
    )


def labelled(snapshot: LocalSnapshot, arrays: Extracted, kept: NDArray[np.bool_]) -> TrainingSet:
    """Return the images for which ``kept`` (``[N]``) is true."""
    return TrainingSet(
        features=arrays.features[kept],
        labels=snapshot.labels()[kept],
        groups=[group for group, keep in zip(snapshot.groups(), kept, strict=True) if keep],
        class_count=len(snapshot.manifest.classes),
    )

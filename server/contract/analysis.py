"""What a bundle says beyond metrics: calibration, learning curve, slices, shortcuts, findings.

All of it is part of ``evaluation.json``, and each part may be missing: a bundle may be older than
it, or have had too few images for it. May import ``contract.schema``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.contract.schema import MAX_CLASSES, Name, StrictModel

Ratio = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
NonNegative = Annotated[float, Field(ge=0)]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=1000)]

MAX_ROWS = 200  # of any list here: more than a page shows


class Bin(StrictModel):
    """Predictions whose probability is in (``low``, ``high``].

    Attributes:
        confidence: Their mean probability; null when there are none.
        accuracy: The share of right ones; null when there are none.
    """

    low: Ratio
    high: Ratio
    count: Count
    confidence: Ratio | None
    accuracy: Ratio | None


class TemperatureEffect(StrictModel):
    """What a temperature fitted on validation images does to others.

    Attributes:
        calibration_error_before: With temperature 1.
        calibration_error_after: Each image with a temperature fitted on the other folds.
        log_loss_before: Likewise.
        log_loss_after: Likewise.
        folds: Of the validation images.
    """

    calibration_error_before: Ratio
    calibration_error_after: Ratio
    log_loss_before: NonNegative
    log_loss_after: NonNegative
    folds: Annotated[int, Field(ge=2)]


class Reliability(StrictModel):
    """Whether the probabilities of the validation images can be believed.

    Attributes:
        bins: Of the calibrated probabilities, lowest first.
        effect: Null when there were too few validation images for folds.
    """

    bins: Annotated[tuple[Bin, ...], Field(max_length=MAX_ROWS)]
    effect: TemperatureEffect | None


class CurvePoint(StrictModel):
    """The validation error of heads that were fitted on a part of the training images.

    Attributes:
        train_count: Images fitted on.
        ratio: The part of all.
        error_rate: Mean of the draws.
        lowest: Of the draws.
        highest: Of the draws.
        log_loss: Mean of the draws.
    """

    train_count: Count
    ratio: Ratio
    error_rate: Ratio
    lowest: Ratio
    highest: Ratio
    log_loss: NonNegative


class ClassNeed(StrictModel):
    """What half of a class's training images are worth.

    Attributes:
        train_count: Training images of the class.
        log_loss_rise: How much the validation log-loss rises without half of them; may be negative.
    """

    label: Name
    train_count: Count
    log_loss_rise: float


class LearningCurve(StrictModel):
    """What more images would bring, judged by what fewer cost.

    Attributes:
        basis: Whose error it is. ``model``: heads, as the model is one. ``head``: heads on the
            frozen backbone, where the model is a fine-tuned network: each point would take its
            whole training again.
        points: Few images first; the last has all.
        needs: Most needed first.
    """

    basis: Literal["model", "head"] = "model"
    points: Annotated[tuple[CurvePoint, ...], Field(min_length=2, max_length=MAX_ROWS)]
    needs: Annotated[tuple[ClassNeed, ...], Field(max_length=MAX_CLASSES)]


class Slice(StrictModel):
    """Images that share where they come from, or how they look.

    Attributes:
        error_rate_interval: Wilson's, 95 %.
        is_worse: Whether the error rate is above that of all other images by more than chance.
    """

    dimension: Literal["engine", "site", "size", "shape"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    count: Annotated[int, Field(ge=1)]
    error_rate: Ratio
    error_rate_interval: tuple[Ratio, Ratio]
    is_worse: bool


class Slices(StrictModel):
    """Where the model fails.

    Attributes:
        basis: ``out-of-fold``: all images, by heads that never saw them; ``validation``: the
            validation images, by the model itself.
    """

    basis: Literal["out-of-fold", "validation"]
    rows: Annotated[tuple[Slice, ...], Field(max_length=MAX_ROWS)]


class Clue(StrictModel):
    """How well the label is guessed from something that is not the subject.

    Attributes:
        accuracy: Of guesses by this clue alone, cross-validated, one image per group.
        chance: Mean accuracy with shuffled labels.
        chance_limit: The highest accuracy with shuffled labels.
        value_count: Different values of the clue.
        is_shortcut: Whether it is above chance by more than luck and by enough to matter.
    """

    name: Literal["site", "engine", "size", "shape", "border"]
    accuracy: Ratio
    chance: Ratio
    chance_limit: Ratio
    value_count: Annotated[int, Field(ge=1)]
    is_shortcut: bool


class Shortcuts(StrictModel):
    """The shortcut check; clues that do not vary, or are not known, are left out.

    Attributes:
        image_count: Images guessed.
        shuffles: Of the labels, for the chance.
    """

    image_count: Count
    shuffles: Annotated[int, Field(ge=1)]
    clues: Annotated[tuple[Clue, ...], Field(max_length=10)]


class ScoreTrial(StrictModel):
    """A way to tell known from foreign images, tried on held-out background images.

    Attributes:
        auroc: Probability that a known image scores higher than a background one.
        passed: Share of background images that pass at the threshold which ``coverage`` of known
            images pass: foreign images answered as if they were known.
        threshold: Below it, "none of these".
    """

    score: Literal["max_probability", "energy", "margin", "knn"]
    auroc: Ratio
    passed: Ratio
    threshold: float


class CoveragePoint(StrictModel):
    """What abstaining below one threshold gives, and what it costs.

    Attributes:
        threshold: Of the chosen score.
        coverage: Share of known images that are answered.
        accuracy: Share of right answers among those; null when none is answered.
        passed: Share of background images that are answered all the same.
    """

    threshold: float
    coverage: Ratio
    accuracy: Ratio | None
    passed: Ratio


class AbstentionTrials(StrictModel):
    """Scores compared; the first can be served and was chosen.

    Attributes:
        label: The dataset's class of background images.
        background_count: Images of it.
        coverage: Share of known images that pass each threshold.
        trials: Best first among those that can be served, then the others.
        curve: The chosen score with other thresholds, the strictest first; empty in bundles that
            are older than it.
    """

    label: Name
    background_count: Annotated[int, Field(ge=1)]
    coverage: Ratio
    trials: Annotated[tuple[ScoreTrial, ...], Field(min_length=1, max_length=10)]
    curve: Annotated[tuple[CoveragePoint, ...], Field(max_length=MAX_ROWS)] = ()


class Finding(StrictModel):
    """Something a person should know, in words, with the numbers that it rests on.

    Attributes:
        kind: For programs.
        numbers: By name; rates are 0 to 1.
    """

    kind: Kind
    text: Sentence
    numbers: dict[Annotated[str, StringConstraints(max_length=60)], float]


class Analysis(StrictModel):
    """All of it."""

    reliability: Reliability | None = None
    learning_curve: LearningCurve | None = None
    slices: Slices | None = None
    shortcuts: Shortcuts | None = None
    abstention: AbstentionTrials | None = None
    findings: Annotated[tuple[Finding, ...], Field(max_length=MAX_ROWS)] = ()

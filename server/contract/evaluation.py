"""What a bundle says of its model: metrics, evaluation of each image, history of the training.

May import ``contract.analysis``, ``schema``, ``snapshot`` and ``training``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from server.contract.analysis import Analysis, Count, NonNegative, Ratio
from server.contract.schema import MAX_CLASSES, ROW_CONFIG, Name, Sha256, StrictModel
from server.contract.snapshot import MAX_ITEMS, Split
from server.contract.training import FineTuning


class ClassMetrics(StrictModel):
    """One class on the validation split.

    Attributes:
        precision: Null when the class was never predicted.
        recall: Null when no validation image has the class.
        support: Validation images of the class.
    """

    label: Name
    precision: Ratio | None
    recall: Ratio | None
    support: Count


class Baselines(StrictModel):
    """Error rates on the validation split of methods that need no network.

    Attributes:
        majority: Always the training split's most frequent class.
        pixel_similarity: Nearest class mean image; the better of the two distances below.
        pixel_similarity_l1: Mean absolute difference.
        pixel_similarity_l2: Root of the mean squared difference.
        pixel_linear: A linear model on pixels, learned by stochastic gradient descent; null in
            bundles that are older than it.
    """

    majority: Ratio
    pixel_similarity: Ratio
    pixel_similarity_l1: Ratio
    pixel_similarity_l2: Ratio
    pixel_linear: Ratio | None = None


class Quantisation(StrictModel):
    """What a model in eight bits costs, beside the one in float32 that it was made from.

    Attributes:
        float_error_rate: Of that one, on the same validation images.
        changed_ratio: Share of the validation images that the two name differently.
        calibration_count: Training images that the ranges of numbers were measured on.
        model_bytes: Of ``model.onnx``.
        float_bytes: Of what it was made from.
    """

    float_error_rate: Ratio
    changed_ratio: Ratio
    calibration_count: Annotated[int, Field(ge=1)]
    model_bytes: Annotated[int, Field(ge=1)]
    float_bytes: Annotated[int, Field(ge=1)]


class Metrics(StrictModel):
    """How good the model is, on the validation split unless said otherwise.

    Attributes:
        error_rate_interval: Wilson's, 95 %.
        log_loss: Mean of -ln p(label), with calibrated probabilities.
        calibration_error: Expected calibration error, 15 bins.
        confusion: ``[C][C]`` counts; rows are labels, columns predictions.
        cross_validation_error_rate: Out-of-fold, on the training split; null when a class had too
            few images for folds.
        export_max_difference: Largest difference of a probability or logit, torch - ONNX (float32).
        quantisation: Null when the model computes in float32.
        seconds: The job's duration up to the upload.
    """

    train_count: Count
    valid_count: Annotated[int, Field(ge=1)]
    error_rate: Ratio
    error_rate_interval: tuple[Ratio, Ratio]
    log_loss: NonNegative
    calibration_error: Ratio
    per_class: Annotated[tuple[ClassMetrics, ...], Field(min_length=2, max_length=MAX_CLASSES)]
    confusion: tuple[tuple[Count, ...], ...]
    baselines: Baselines
    cross_validation_error_rate: Ratio | None
    export_max_difference: NonNegative
    seconds: NonNegative
    quantisation: Quantisation | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=ROW_CONFIG)
class OutOfFold:
    """What heads that saw neither an image nor its near-duplicates say of it.

    Attributes:
        predicted: Their most probable class.
        probability: The calibrated probability of ``predicted``.
        label_probability: That of the image's own label.
        loss: -ln of ``label_probability``: the order of suspicion.
    """

    predicted: Name
    probability: Ratio
    label_probability: Ratio
    loss: NonNegative


@dataclass(frozen=True, slots=True, kw_only=True, config=ROW_CONFIG)
class EvaluatedImage:
    """One image under the model.

    Attributes:
        split: Training images are evaluated out-of-fold, by a head that never saw them.
        predicted: The most probable class.
        loss: -ln of the calibrated probability of ``label``.
        probability: The calibrated probability of ``predicted``.
        out_of_fold: By folds over both splits, so that all images can be compared; null when there
            were too few images for folds, and in bundles that are older than it.
    """

    sha256: Sha256
    split: Split
    label: Name
    predicted: Name
    loss: NonNegative
    probability: Ratio
    out_of_fold: OutOfFold | None = None


class Evaluation(StrictModel):
    """``evaluation.json``: the snapshot's images, in the manifest's order.

    Training images are left out when there were too few for folds (``History.folds`` is 0): losses
    of images that the head was fitted on say nothing.

    Attributes:
        analysis: Null in bundles that are older than it.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    items: Annotated[tuple[EvaluatedImage, ...], Field(max_length=MAX_ITEMS)]
    analysis: Analysis | None = None


class PenaltyTrial(StrictModel):
    """One strength of the head's penalty in the cross-validation."""

    l2: Annotated[float, Field(gt=0)]
    log_loss: NonNegative
    error_rate: Ratio


class History(StrictModel):
    """``history.json``: how the training went.

    Attributes:
        folds: Of the cross-validation, as done; 0 when there were too few images for any.
        trials: One per penalty tried, weakest first, scored after calibration.
        l2: The penalty of the final head.
        iterations: Evaluations of the loss for the final head.
        phase_seconds: Duration by phase.
        fine_tuning: Null for the recipe that has none.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    kind: Literal["head", "fine-tune"] = "head"
    folds: Count
    trials: tuple[PenaltyTrial, ...]
    l2: Annotated[float, Field(gt=0)]
    iterations: Count
    phase_seconds: dict[str, NonNegative]
    fine_tuning: FineTuning | None = None

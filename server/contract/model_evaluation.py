"""What a finished model is worth on images that it was not trained on.

May import ``contract.analysis``, ``evaluation`` and ``schema``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from server.contract.analysis import MAX_ROWS, Count, NonNegative, Ratio
from server.contract.evaluation import ClassMetrics
from server.contract.schema import MAX_CLASSES, Id, Name, Sha256, StrictModel

MAX_WORST = 50  # more than a person looks at in one go


class Confused(StrictModel):
    """How often images of one label were taken for another."""

    label: Name
    predicted: Name
    count: Annotated[int, Field(ge=1)]


class Miss(StrictModel):
    """An image that the model got wrong.

    Attributes:
        loss: -ln of the calibrated probability of ``label``.
        probability: The calibrated probability of ``predicted``.
    """

    sha256: Sha256
    label: Name
    predicted: Name
    loss: NonNegative
    probability: Ratio


class Foreign(StrictModel):
    """Images whose label is none of the model's classes: the right answer is to abstain.

    Attributes:
        labels: Theirs, in alphabetical order.
        count: Images.
        abstained_ratio: Share of them of which the model says "none of these".
    """

    labels: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_CLASSES)]
    count: Annotated[int, Field(ge=1)]
    abstained_ratio: Ratio


class ModelEvaluation(StrictModel):
    """A model's answers to images of a snapshot, none of which it was trained on.

    Attributes:
        count: Images whose label is one of the model's classes; all rates are of them.
        seen_count: Images left out: the model's training had them, by their bytes, or
            near-duplicates of them, which are known within one dataset.
        error_rate: With the most probable class as the answer, abstained or not.
        error_rate_interval: Wilson's, 95 %.
        majority_error_rate: Of always answering with these images' most frequent label.
        log_loss: Mean of -ln p(label), with calibrated probabilities.
        calibration_error: Expected calibration error, 15 bins.
        abstained_ratio: Share of which the model says "none of these", or that it is too unsure.
        answered_error_rate: Of the others; null when it abstained from all.
        told_error_rate: What the model's own bundle says, of its validation images.
        told_error_rate_interval: Likewise: Wilson's, 95 %.
        per_class: Of every class of the model, in its order.
        confused: Most frequent first.
        worst: Wrong ones, highest loss first.
        foreign: Null when every label is one of the model's classes.
        seconds: The job's duration.
    """

    model_id: Id
    count: Annotated[int, Field(ge=1)]
    seen_count: Count
    error_rate: Ratio
    error_rate_interval: tuple[Ratio, Ratio]
    majority_error_rate: Ratio
    log_loss: NonNegative
    calibration_error: Ratio
    abstained_ratio: Ratio
    answered_error_rate: Ratio | None
    told_error_rate: Ratio
    told_error_rate_interval: tuple[Ratio, Ratio]
    per_class: Annotated[tuple[ClassMetrics, ...], Field(min_length=2, max_length=MAX_CLASSES)]
    confused: Annotated[tuple[Confused, ...], Field(max_length=MAX_ROWS)]
    worst: Annotated[tuple[Miss, ...], Field(max_length=MAX_WORST)]
    foreign: Foreign | None = None
    seconds: NonNegative

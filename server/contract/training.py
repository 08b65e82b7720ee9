"""How a fine-tuning went, part of ``history.json``, and what its learning rate should be.

May import ``contract.schema``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.contract.schema import StrictModel

MAX_STAGES = 50  # of the curves: more than a plot shows
MAX_NOTES = 20
MAX_LR_POINTS = 500  # the finder takes 100

_Ratio = Annotated[float, Field(ge=0, le=1)]
_NonNegative = Annotated[float, Field(ge=0)]
_Note = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class TrainingStage(StrictModel):
    """The network at one moment of the training; stages are evenly spread over it.

    Attributes:
        update: Updates done, from 1.
        epoch: The same in passes over the training images.
        lr: Learning rate of the last layer group at this update.
        train_loss: Mean since the stage before, in nats, of augmented images: above the validation
            loss for most of a healthy training.
        valid_loss: Of the validation images at this moment, uncalibrated.
        valid_error_rate: Likewise.
    """

    update: Annotated[int, Field(ge=1)]
    epoch: _NonNegative
    lr: _NonNegative
    train_loss: _NonNegative
    valid_loss: _NonNegative
    valid_error_rate: _Ratio


class LrPoint(StrictModel):
    """One step of a learning-rate finder.

    Attributes:
        lr: Of the last layer group.
        loss: Of the batch before the step, in nats.
        smoothed: Its exponential average.
    """

    lr: Annotated[float, Field(gt=0)]
    loss: _NonNegative
    smoothed: _NonNegative


class LrFinding(StrictModel):
    """What a learning-rate finder found.

    Attributes:
        points: The curve, lowest learning rate first.
        valley: In the middle of the longest fall of the loss: the one to begin with.
        steep: Where the loss falls fastest.
        minimum: A tenth of where the loss is lowest.
        seconds: The job's duration.
    """

    points: Annotated[tuple[LrPoint, ...], Field(min_length=2, max_length=MAX_LR_POINTS)]
    valley: Annotated[float, Field(gt=0)]
    steep: Annotated[float, Field(gt=0)]
    minimum: Annotated[float, Field(gt=0)]
    seconds: _NonNegative


class Choice(StrictModel):
    """Which network the model is: the fitted head on the frozen backbone, or the fine-tuned one.

    Both were judged once, at their end, on the validation images. The lower error rate was kept;
    of equal ones the lower log-loss; and the head when that is equal too.

    Attributes:
        kept: ``head`` or ``fine-tuned``.
        head_error_rate: On the validation images.
        fine_tuned_error_rate: Likewise.
        head_log_loss: Likewise, each with a temperature fitted on the other folds.
        fine_tuned_log_loss: Likewise.
        cross_fitted_error_rate: The error rate of choosing in this way, on images that had no part
            in the choice: each fold of the validation images is judged by the network that the
            other folds chose. The lower of two error rates flatters; this one does not. Null when
            there were too few images for folds.
    """

    kept: Literal["head", "fine-tuned"]
    head_error_rate: _Ratio
    fine_tuned_error_rate: _Ratio
    head_log_loss: _NonNegative
    fine_tuned_log_loss: _NonNegative
    cross_fitted_error_rate: _Ratio | None


class FineTuning(StrictModel):
    """How a fine-tuning went.

    Attributes:
        updates: Done.
        epochs: The same in passes over the training images.
        image_count: Training images.
        device: Where the arithmetic was done.
        seconds_per_update: Mean, validation not included.
        stages: Of the training, in order.
        notes: Sentences on what went otherwise than planned.
    """

    updates: Annotated[int, Field(ge=1)]
    epochs: _NonNegative
    image_count: Annotated[int, Field(ge=1)]
    device: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    seconds_per_update: _NonNegative
    stages: Annotated[tuple[TrainingStage, ...], Field(max_length=MAX_STAGES)]
    choice: Choice
    notes: Annotated[tuple[_Note, ...], Field(max_length=MAX_NOTES)] = ()

"""Jobs: the recipe, and the REST bodies of the worker's side. May import ``contract.schema``.

Requests (`ClaimRequest`, `ProgressReport`, `FailReport`) refuse unknown fields; replies
(`Claim`, `JobView`, `ProgressReply`) ignore them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from server.contract.schema import Id, ReplyModel, StrictModel, UtcDatetime

MAX_CLAIM_WAIT_S = 20.0  # below the 30 s after which proxies drop a silent connection
MAX_DETAIL_CHARS = 2000  # room for a sentence and a path, not for a traceback

WorkerName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,100}$")]
Resize = Literal["squish", "crop"]


class JobState(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


class Recipe(StrictModel):
    """What to train and how; kept word for word in the job and in the bundle.

    Attributes:
        kind: ``head``: frozen backbone, cached features, a linear head.
        backbone: The network whose features are used.
        seed: Of the folds of the cross-validation; nothing else is random.
        size_px: Side of the square input.
        resize: ``squish`` ignores the aspect ratio, ``crop`` takes the centred square. Measured on
            photos of food (426 in 13 groups, 5 splits): cross-validated error .283 squished, .295
            padded to a square, .302 cropped.
        folds: Of the cross-validation on the training split.
        l2: Strength of the penalty on the head's weights; null = chosen by cross-validation.
    """

    kind: Literal["head"] = "head"
    backbone: Literal["efficientnet_lite0"] = "efficientnet_lite0"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    size_px: Annotated[int, Field(ge=64, le=512, multiple_of=32)] = 224
    resize: Resize = "squish"
    folds: Annotated[int, Field(ge=2, le=10)] = 5
    l2: Annotated[float, Field(gt=0, le=1e4)] | None = None


class Progress(StrictModel):
    """How far a job is.

    Attributes:
        phase: ``blobs``, ``features``, ``baselines``, ``head``, ``out-of-fold``,
            ``evaluation``, ``export`` or ``upload``.
        done: Steps of the phase that are done.
        total: Steps of the phase; 0 = not known.
        message: A sentence for people; may be empty.
    """

    phase: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    done: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=0)]
    message: Annotated[str, StringConstraints(max_length=500)] = ""


class JobError(StrictModel):
    """Why a job failed.

    Attributes:
        kind: Kebab-case word, for programs.
        detail: A sentence that says what to do, for people.
    """

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
    detail: Annotated[str, StringConstraints(max_length=MAX_DETAIL_CHARS)]


class JobView(ReplyModel):
    """A job as the API shows it."""

    id: Id
    snapshot_id: Id
    dataset_id: Id
    state: JobState
    recipe: Recipe
    progress: Progress | None = None
    error: JobError | None = None
    model_id: Id | None = None
    attempts: Annotated[int, Field(ge=0)]
    created_at: UtcDatetime
    started_at: UtcDatetime | None = None
    finished_at: UtcDatetime | None = None


class ClaimRequest(StrictModel):
    """Ask for a job, waiting up to ``wait_s`` seconds for one."""

    worker: WorkerName
    wait_s: Annotated[float, Field(ge=0, le=MAX_CLAIM_WAIT_S)] = 0


class Claim(ReplyModel):
    """A job that is ours for ``lease_s`` seconds from now, unless renewed by a progress report."""

    job: JobView
    lease_s: Annotated[float, Field(gt=0)]


class ProgressReport(StrictModel):
    """Tell how far the job is; renews the lease."""

    worker: WorkerName
    progress: Progress


class ProgressReply(ReplyModel):
    """The job's state (``cancelled`` = stop) and the renewed lease in seconds."""

    state: JobState
    lease_s: Annotated[float, Field(gt=0)]


class FailReport(StrictModel):
    """Give the job up, with the reason."""

    worker: WorkerName
    error: JobError

"""Jobs: the REST bodies of the worker's side.

Requests (`ClaimRequest`, `ProgressReport`, `FindingReport`, `FailReport`) refuse unknown fields;
replies (`Claim`, `JobView`, `ProgressReply`) ignore them. May import ``contract.recipes``,
``model_evaluation``, ``schema`` and ``training``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from server.contract.model_evaluation import ModelEvaluation
from server.contract.recipes import JobRecipe
from server.contract.schema import Id, ReplyModel, StrictModel, UtcDatetime
from server.contract.training import MAX_STAGES, LrFinding, TrainingStage

MAX_CLAIM_WAIT_S = 20.0  # below the 30 s after which proxies drop a silent connection
MAX_DETAIL_CHARS = 2000  # room for a sentence and a path, not for a traceback

WorkerName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,100}$")]


# What a job finds that makes no model, by its recipe: ``lr-find``, ``evaluate``.
JobFinding = LrFinding | ModelEvaluation


class JobState(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINISHED: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


class Progress(StrictModel):
    """How far a job is.

    Attributes:
        phase: ``blobs``, ``features``, ``baselines``, ``head``, ``fine-tune``, ``lr-find``,
            ``out-of-fold``, ``evaluation``, ``answers``, ``export`` or ``upload``.
        done: Steps of the phase that are done.
        total: Steps of the phase; 0 = not known.
        message: A sentence for people; may be empty.
        stages: The training so far, as its bundle will tell it: all that are done, with every
            report, so that a report that is lost or a trainer that begins anew leaves no gap. A
            trainer looks at the validation images eight times; `MAX_STAGES` is what a bundle
            may hold. Empty before the first, of a recipe that has none, and of an older trainer.
    """

    phase: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    done: Annotated[int, Field(ge=0)]
    total: Annotated[int, Field(ge=0)]
    message: Annotated[str, StringConstraints(max_length=500)] = ""
    stages: Annotated[tuple[TrainingStage, ...], Field(max_length=MAX_STAGES)] = ()


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
    recipe: JobRecipe
    progress: Progress | None = None
    error: JobError | None = None
    finding: JobFinding | None = None
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


class FindingReport(StrictModel):
    """End a job that makes no model, with what it found."""

    worker: WorkerName
    finding: JobFinding


class FailReport(StrictModel):
    """Give the job up, with the reason."""

    worker: WorkerName
    error: JobError

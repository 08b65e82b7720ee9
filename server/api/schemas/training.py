"""Snapshots, models and their answers. Jobs are in the contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from server.api.schemas.base import ReplyModel, RequestModel
from server.api.schemas.rollouts import RolloutIn
from server.contract.bundle import Bundle
from server.contract.evaluation import Evaluation, History, Metrics
from server.contract.jobs import JobState
from server.contract.jobs import JobView as JobOut
from server.contract.recipes import HeadRecipe, JobRecipe, Recipe
from server.db.models import ModelStage
from server.errors import ImageNotUsableError, ServerError
from server.inference.session import Knowing
from server.repositories.stages import StageChangeKind
from server.services.evidence import Evidence, EvidenceState
from server.services.models import ModelView
from server.services.predictions import Answer
from server.services.rollout_moves import BESIDE
from server.services.training import JobView

# Shown to people in the trail: a sentence or two.
Reason = (
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None
)


class JobIn(RequestModel):
    """A job to start."""

    recipe: JobRecipe = HeadRecipe()


def job_out(view: JobView) -> JobOut:
    """Return the job as the API, and so the contract, shows it."""
    record = view.record
    return JobOut.model_validate(
        {
            "id": record.id,
            "snapshot_id": record.snapshot_id,
            "dataset_id": view.dataset_id,
            "state": JobState(record.state),
            "recipe": record.recipe,
            "progress": record.progress,
            "error": record.error,
            "finding": record.finding,
            "model_id": view.model_id,
            "attempts": record.attempts,
            "created_at": record.created_at,
            "started_at": record.started_at,
            "finished_at": record.finished_at,
        }
    )


class BundleOut(ReplyModel):
    """The model that an uploaded bundle became."""

    model_id: str


class RollbackIn(RequestModel):
    """Why a dataset goes back to its former model."""

    reason: Reason = None


class StageIn(RequestModel):
    """The stage a model is to have; ``force`` promotes it though it is worse than the live one.

    ``rollout``: the rules that it goes by in ``shadow`` or ``limited``.
    """

    stage: ModelStage
    force: bool = False
    reason: Reason = None
    rollout: RolloutIn | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.force and self.reason is None:
            raise ValueError("a forced promotion needs a reason")
        if self.rollout is not None and self.stage not in BESIDE:
            raise ValueError("`rollout` goes with the stages shadow and limited alone")
        return self


class StageChangeOut(ReplyModel):
    """A model's move from one stage to another.

    ``kind``: ``first``, ``chosen``, ``forced``, ``rollback`` or ``rule``. ``replaced_id``: the
    model that was live until then. ``comparison``: with that one, at that moment.
    """

    id: str
    model_id: str
    before: str
    after: str
    kind: StageChangeKind
    replaced_id: str | None
    reason: str | None
    comparison: dict[str, Any] | None
    created_at: datetime


class ModelOut(ReplyModel):
    """A model."""

    id: str
    dataset_id: str
    snapshot_id: str
    job_id: str
    stage: str
    classes: list[str]
    recipe: Recipe
    metrics: Metrics
    bundle_sha256: str
    bundle_bytes: int
    created_at: datetime

    @classmethod
    def of(cls, view: ModelView) -> ModelOut:
        """Return the model as the API shows it."""
        return cls.model_validate(_model_values(view))


class ModelDetailOut(ModelOut):
    """A model with the evaluation of every image, its history and its card."""

    evaluation: Evaluation
    history: History
    card: str

    @classmethod
    def with_bundle(cls, view: ModelView, bundle: Bundle) -> ModelDetailOut:
        """Return the model and what its bundle holds for people."""
        more = {
            "evaluation": bundle.evaluation,
            "history": bundle.history,
            "card": bundle.card,
        }
        return cls.model_validate(_model_values(view) | more)


def _model_values(view: ModelView) -> dict[str, object]:
    record, manifest = view.record, view.manifest
    values: dict[str, object] = {
        name: getattr(record, name) for name in ModelOut.model_fields if hasattr(record, name)
    }
    return values | {
        "classes": list(manifest.classes),
        "recipe": manifest.recipe,
        "metrics": manifest.metrics,
    }


class SnapshotIn(RequestModel):
    """How to split a snapshot."""

    valid_ratio: float = Field(0.2, gt=0, lt=1)
    seed: int = Field(42, ge=0, lt=2**63)
    min_per_label: int = Field(2, ge=1, le=10_000)


class SnapshotOut(ReplyModel):
    """A snapshot; of its images, ``removed_count`` are gone for good."""

    id: str
    dataset_id: str
    manifest_sha256: str
    valid_ratio: float
    seed: int
    counts: dict[str, Any]
    created_at: datetime
    removed_count: int = 0


class ChangeOut(ReplyModel):
    """An image that differs between two snapshots."""

    sha256: str
    label: str
    split: str
    before: str | None = None


class DifferenceOut(ReplyModel):
    """What differs between two snapshots; `before` is the label or the split in the earlier one."""

    added: list[ChangeOut]
    removed: list[ChangeOut]
    relabelled: list[ChangeOut]
    moved: list[ChangeOut]
    counts: dict[str, int]


# --- answers


class PredictionOut(ReplyModel):
    """One class with its probability."""

    label: str
    probability: float


class KnowingOut(ReplyModel):
    """Why a model abstains, or does not: its score of the image, and the threshold of that score.

    ``reason``: ``background``: the class for "none of these" is on top; ``unsure``: the score is
    below the threshold; null when it answers.
    """

    score: str
    value: float
    threshold: float
    reason: Literal["background", "unsure"] | None

    @classmethod
    def of(cls, knowing: Knowing) -> KnowingOut:
        """Return it as the API shows it."""
        why: Literal["background", "unsure"] = "background" if knowing.is_background else "unsure"
        return cls(
            score=knowing.score,
            value=knowing.value,
            threshold=knowing.threshold,
            reason=why if knowing.abstained else None,
        )


class NeighbourOut(ReplyModel):
    """A training image. ``label``: as it was learned; ``similarity``: to 1, which is the same."""

    image_id: str
    sha256: str
    label: str
    similarity: float


class EvidenceOut(ReplyModel):
    """Training images that look to the model like the image, the nearest first.

    ``state``: ``found``; ``being-made``: the model looks at its training images, ask again in some
    seconds; ``none``: it can't be told.
    """

    state: EvidenceState
    neighbours: list[NeighbourOut]


class AnswerOut(ReplyModel):
    """What a model says of an image; all its classes, the most probable first.

    ``evidence``: where it was asked for.
    """

    model_id: str
    bundle_sha256: str
    dataset_id: str
    label: str
    probability: float
    abstained: bool
    threshold: float | None
    abstention: KnowingOut
    predictions: Sequence[PredictionOut]
    milliseconds: float
    sha256: str
    prediction_id: str | None
    evidence: EvidenceOut | None = None

    @classmethod
    def of(cls, answer: Answer, top: int | None, evidence: Evidence | None = None) -> AnswerOut:
        """Return the answer as the API shows it, with the ``top`` classes or all."""
        said = answer.prediction
        return cls(
            model_id=answer.model.id,
            bundle_sha256=answer.model.bundle_sha256,
            dataset_id=answer.model.dataset_id,
            label=said.label,
            probability=said.probability,
            abstained=said.abstained,
            threshold=said.threshold,
            abstention=KnowingOut.of(said.knowing),
            predictions=[
                PredictionOut(label=label, probability=probability)
                for label, probability in said.predictions[:top]
            ],
            milliseconds=round(answer.milliseconds, 2),
            sha256=answer.sha256,
            prediction_id=answer.prediction_id,
            evidence=None if evidence is None else EvidenceOut.model_validate(evidence),
        )


class AnswerErrorOut(ReplyModel):
    """Why an image of several has no answer."""

    kind: str
    reason: str | None
    detail: str


class BatchItemOut(ReplyModel):
    """The answer to one image of several, or why there is none."""

    answer: AnswerOut | None = None
    error: AnswerErrorOut | None = None


class BatchOut(ReplyModel):
    """Answers in the order of the images."""

    answers: list[BatchItemOut]

    @classmethod
    def of(cls, found: Sequence[Answer | ServerError], top: int | None) -> BatchOut:
        """Return the answers as the API shows them."""
        return cls(answers=[_batch_item(each, top) for each in found])


def _batch_item(each: Answer | ServerError, top: int | None) -> BatchItemOut:
    if isinstance(each, ServerError):
        reason = each.reason.value if isinstance(each, ImageNotUsableError) else None
        return BatchItemOut(error=AnswerErrorOut(kind=each.slug, reason=reason, detail=str(each)))
    return BatchItemOut(answer=AnswerOut.of(each, top))


class FirstLessonAnswer(ReplyModel):
    """The shape of the first lesson's web app: pairs, most probable first."""

    predictions: list[tuple[str, float]]

"""Links for others: what their owner and what their visitors are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from server.api.schemas.base import Name, ReplyModel, RequestModel
from server.api.schemas.training import PredictionOut
from server.db.link_models import PublicLinkRecord
from server.services.links import LinkWish, Shown
from server.services.predictions import Answer

MAX_LIFE = timedelta(days=366)  # who means longer will make another

Kept = Literal["off", "counts", "images"]


def _check_time(moment: datetime) -> datetime:
    now = datetime.now(UTC)
    if not now < moment <= now + MAX_LIFE:
        raise ValueError(f"must lie ahead, by {MAX_LIFE.days} days at most")
    return moment


class LinkIn(RequestModel):
    """A link to make; ``expires_at`` is in 30 days unless said otherwise.

    ``answers_per_hour``: to one visitor's address; ``answers_per_day``: to all visitors together.
    ``does_keep``: answers go to the prediction log, which keeps what its setting says.
    """

    name: Name
    expires_at: Annotated[AwareDatetime, AfterValidator(_check_time)] | None = None
    answers_per_hour: int = Field(30, ge=1, le=10_000)
    answers_per_day: int = Field(500, ge=1, le=1_000_000)
    does_keep: bool = False

    def wish(self) -> LinkWish:
        """Return what the service is asked for."""
        return LinkWish(
            self.name,
            self.expires_at,
            self.answers_per_hour,
            self.answers_per_day,
            self.does_keep,
        )


class LinkOut(ReplyModel):
    """A link. Its address is not here: only a hash of its secret is kept."""

    id: str
    dataset_id: str
    name: str
    answers_per_hour: int
    answers_per_day: int
    does_keep: bool
    answer_count: int
    is_expired: bool
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, record: PublicLinkRecord, *, is_expired: bool) -> LinkOut:
        """Return the link as the API shows it."""
        return cls.model_validate(_values(record) | {"is_expired": is_expired})


class LinksOut(ReplyModel):
    """All links of a dataset, newest first."""

    items: list[LinkOut]


class NewLinkOut(LinkOut):
    """A link that was just made: its address is shown this once."""

    address: str

    @classmethod
    def made(cls, record: PublicLinkRecord, address: str) -> NewLinkOut:
        """Return the link with its address."""
        return cls.model_validate(_values(record) | {"is_expired": False, "address": address})


def _values(record: PublicLinkRecord) -> dict[str, object]:
    fields = (name for name in LinkOut.model_fields if name != "is_expired")
    return {name: getattr(record, name) for name in fields}


class PublicModelOut(ReplyModel):
    """What a visitor is told of the model; rates are 0 to 1, on the validation images.

    ``baseline_error_rate``: of always saying the most frequent class. ``kept``: of each answer.
    """

    name: str
    classes: list[str]
    error_rate: float
    error_rate_interval: tuple[float, float]
    baseline_error_rate: float
    train_count: int
    valid_count: int
    coverage: float
    trained_at: datetime
    card: str
    kept: Kept
    answers_per_hour: int
    max_image_bytes: int
    expires_at: datetime

    @classmethod
    def of(
        cls, shown: Shown, link: PublicLinkRecord, kept: Kept, max_image_bytes: int
    ) -> PublicModelOut:
        """Return what a visitor of this link is told."""
        manifest = shown.model.manifest
        metrics = manifest.metrics
        return cls(
            name=shown.dataset_name,
            classes=list(manifest.classes),
            error_rate=metrics.error_rate,
            error_rate_interval=metrics.error_rate_interval,
            baseline_error_rate=metrics.baselines.majority,
            train_count=metrics.train_count,
            valid_count=metrics.valid_count,
            coverage=manifest.abstention.coverage,
            trained_at=manifest.created_at,
            card=shown.card,
            kept=kept if link.does_keep else "off",
            answers_per_hour=link.answers_per_hour,
            max_image_bytes=max_image_bytes,
            expires_at=link.expires_at,
        )


class VisitorAnswerOut(ReplyModel):
    """What the model says of a visitor's image, the most probable class first; no ids of ours."""

    label: str
    probability: float
    abstained: bool
    threshold: float | None
    predictions: Sequence[PredictionOut]
    milliseconds: float

    @classmethod
    def of(cls, answer: Answer) -> VisitorAnswerOut:
        """Return the answer as visitors see it."""
        said = answer.prediction
        return cls(
            label=said.label,
            probability=said.probability,
            abstained=said.abstained,
            threshold=said.threshold,
            predictions=[
                PredictionOut(label=label, probability=probability)
                for label, probability in said.predictions
            ],
            milliseconds=round(answer.milliseconds, 2),
        )

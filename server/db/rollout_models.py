"""Tables of models that are asked beside the live one. Who asked is never in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Double, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base

_OPEN = text("ended_at IS NULL")


class RolloutRecord(Base):
    """A stay of a model in ``shadow`` or ``limited``.

    Attributes:
        live_id: The model it is compared with. No foreign key: it may be gone by now.
        stage: ``shadow`` or ``limited``.
        rules: A `server.services.rollout_rules.Rules`, as a person gave them.
        share: Of the clients that it answers now, 0 to 1.
        floor: Least agreement that is expected of it, 0 to 1.
        looks: How many looks were taken.
        compared: Questions that both models answered.
        agreed: Of these, with the same most probable class.
        live_abstained: Of these, by the live model.
        model_abstained: Of these, by this one.
        not_compared: Questions that one alone answered: there was no time, or it failed.
        outcome: What ended it; null while it goes on.
    """

    __tablename__ = "rollouts"
    __table_args__ = (
        Index("ix_rollouts_dataset_id_id", "dataset_id", "id"),
        Index("ix_rollouts_model_id", "model_id"),
        # At most one model of a dataset is in each stage, whoever races.
        Index(
            "uq_rollouts_open",
            "dataset_id",
            "stage",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    live_id: Mapped[str] = mapped_column(String(26))
    stage: Mapped[str] = mapped_column(String(20))
    rules: Mapped[dict[str, Any]]
    share: Mapped[float] = mapped_column(Double)
    floor: Mapped[float] = mapped_column(Double)
    looks: Mapped[int]
    compared: Mapped[int]
    agreed: Mapped[int]
    live_abstained: Mapped[int]
    model_abstained: Mapped[int]
    not_compared: Mapped[int]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))


class RolloutDecisionRecord(Base):
    """What was decided of a rollout. Rows are added, never changed.

    Attributes:
        kind: A `server.services.rollout_rules.DecisionKind`.
        figures: A `server.services.rollout_rules.Figures`, as they stood.
        share: Of the clients, from then on.
    """

    __tablename__ = "rollout_decisions"
    __table_args__ = (Index("ix_rollout_decisions_rollout_id_id", "rollout_id", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    rollout_id: Mapped[str] = mapped_column(ForeignKey("rollouts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    sentence: Mapped[str] = mapped_column(String(500))
    share: Mapped[float] = mapped_column(Double)
    figures: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class DisagreementRecord(Base):
    """A question that the two models answered differently.

    Attributes:
        prediction_id: Under which the log keeps the image; null when it keeps none. No foreign
            key: the log's rows go by age.
    """

    __tablename__ = "disagreements"
    __table_args__ = (
        Index("ix_disagreements_rollout_id_id", "rollout_id", "id"),
        Index("ix_disagreements_sha256", "sha256"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    rollout_id: Mapped[str] = mapped_column(ForeignKey("rollouts.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    prediction_id: Mapped[str | None] = mapped_column(String(26))
    live_label: Mapped[str] = mapped_column(String(100))
    live_probability: Mapped[float] = mapped_column(Double)
    live_abstained: Mapped[bool]
    model_label: Mapped[str] = mapped_column(String(100))
    model_probability: Mapped[float] = mapped_column(Double)
    model_abstained: Mapped[bool]
    created_at: Mapped[datetime]

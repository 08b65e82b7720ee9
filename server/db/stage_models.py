"""Table of what became of models: who was let out when, instead of whom, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class StageChangeRecord(Base):
    """A model's move from one stage to another. Rows are added, never changed.

    Attributes:
        replaced_id: The model that was live until then, and retired by this; null when none was.
            No foreign key: a trail tells of models that are gone, too.
        kind: A `StageChangeKind`.
        reason: A person's words; null when there are none.
        comparison: With the replaced model, as it stood at that moment; null when there was none,
            or when the two could not be compared.
    """

    __tablename__ = "stage_changes"
    __table_args__ = (
        Index("ix_stage_changes_dataset_id_id", "dataset_id", "id"),
        Index("ix_stage_changes_model_id_id", "model_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    before: Mapped[str] = mapped_column(String(20))
    after: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(20))
    replaced_id: Mapped[str | None] = mapped_column(String(26))
    reason: Mapped[str | None] = mapped_column(String(500))
    comparison: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime]

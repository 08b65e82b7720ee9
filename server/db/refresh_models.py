"""Tables of the nightly refresh: what is wished of a dataset, and what came of each run."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base, one_of


class RefreshState(StrEnum):
    """How far a run is: the first two are unfinished."""

    WAITING = "waiting"
    TRAINING = "training"
    COMPARED = "compared"
    SKIPPED = "skipped"
    FAILED = "failed"


class RefreshSettingRecord(Base):
    """What a person wishes; a dataset without a row has no nightly refresh.

    Attributes:
        hour: Of the server's local time, from which on it may begin.
        least_new_count: Newly reviewed images, below which a night is passed over.
        last_night: The local date of the night that was last begun, as ``2026-11-23``.
    """

    __tablename__ = "refresh_settings"
    __table_args__ = (CheckConstraint("hour >= 0 AND hour <= 23", name="hour_of_day"),)

    dataset_id: Mapped[str] = mapped_column(
        ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True
    )
    is_on: Mapped[bool]
    hour: Mapped[int]
    least_new_count: Mapped[int]
    last_night: Mapped[str | None] = mapped_column(String(10))


class RefreshRunRecord(Base):
    """One run. What it names may be gone by now, so there are no foreign keys but the dataset's.

    Attributes:
        is_asked: A person asked for it; else it was its night.
        new_count: Newly reviewed images; null before they were counted.
        sentence: What came of it; null while it is unfinished.
        comparison: With the live model of that moment; null when there was none.
    """

    __tablename__ = "refresh_runs"
    __table_args__ = (
        one_of("state", RefreshState),
        Index("ix_refresh_runs_dataset_id_id", "dataset_id", "id"),
        Index("ix_refresh_runs_state_id", "state", "id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(20))
    is_asked: Mapped[bool]
    new_count: Mapped[int | None]
    snapshot_id: Mapped[str | None] = mapped_column(String(26))
    job_id: Mapped[str | None] = mapped_column(String(26))
    model_id: Mapped[str | None] = mapped_column(String(26))
    sentence: Mapped[str | None] = mapped_column(String(1000))
    comparison: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

"""Tables of what models were asked. Neither who asked nor from which address is ever in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class PredictionCountRecord(Base):
    """How often a model gave a label on a day, about as surely, abstaining or not.

    Attributes:
        day: Of the answer, UTC, as ``2026-11-23``.
        label: The most probable class.
        bin: Of its probability; see `server.services.prediction_log.EDGES`.
    """

    __tablename__ = "prediction_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    model_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    label: Mapped[str] = mapped_column(String(100), primary_key=True)
    abstained: Mapped[bool] = mapped_column(primary_key=True)
    bin: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class NearnessCountRecord(Base):
    """How near images that a model was asked about on a day were to those that it learned from.

    Attributes:
        day: Of the answer, UTC, as ``2026-11-23``.
        bin: Of the nearness; see `server.services.nearness`.
    """

    __tablename__ = "nearness_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    model_id: Mapped[str] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    bin: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]


class PredictionRecord(Base):
    """One answer, of a log that keeps images.

    Attributes:
        bytes: Of the file kept under ``sha256``; 0 when none is, since a dataset has the image.
    """

    __tablename__ = "predictions"
    __table_args__ = (
        Index("ix_predictions_model_id_id", "model_id", "id"),
        Index("ix_predictions_sha256", "sha256"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int]
    label: Mapped[str] = mapped_column(String(100))
    probability: Mapped[float] = mapped_column(Double)
    abstained: Mapped[bool]
    created_at: Mapped[datetime]

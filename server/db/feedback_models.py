"""Table of feedback: what people said of answers, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base, one_of


class FeedbackState(StrEnum):
    """What became of feedback: it waits for a person until it is one of the other two."""

    NEW = "new"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


class FeedbackRecord(Base):
    """What one client said of one answer: said again, it replaces what was said.

    Attributes:
        client: The id of the token that it came with.
        sha256: Of the picture.
        bytes: Of the picture's file in the inbox; null when no picture is kept there.
        format: Of that file.
        predicted: The class that the model gave; null when it abstained.
        label: What the person says that it is; null when they did not say, or it is none of them.
        source_url: Where the picture is from, when it was named by its address.
        image_id: The image of the dataset that it became.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("client", "model_id", "sha256"),
        one_of("state", FeedbackState),
        CheckConstraint("bytes > 0", name="bytes_positive"),
        Index("ix_feedback_dataset_id_state_id", "dataset_id", "state", "id"),
        Index("ix_feedback_model_id_created_at", "model_id", "created_at", "is_right"),
        Index("ix_feedback_sha256", "sha256"),
        Index("ix_feedback_image_id", "image_id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    client: Mapped[str] = mapped_column(String(26))
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int | None]
    format: Mapped[str | None] = mapped_column(String(20))
    is_right: Mapped[bool]
    predicted: Mapped[str | None] = mapped_column(String(100))
    label: Mapped[str | None] = mapped_column(String(100))
    note: Mapped[str | None] = mapped_column(String(500))
    source_url: Mapped[str | None] = mapped_column(String(8192))
    state: Mapped[str] = mapped_column(String(20))
    image_id: Mapped[str | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

"""Tables of links that let strangers ask a dataset's live model."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class PublicLinkRecord(Base):
    """A link for others. The secret itself, which is in the address, is kept nowhere.

    Attributes:
        name: The owner's, to tell links apart; visitors never see it.
        sha256: Of the secret.
        answers_per_hour: Of one visitor's address.
        answers_per_day: Of all visitors together.
        does_keep: Whether answers go to the prediction log.
        answer_count: Given so far; a few may be lost when the process is killed.
    """

    __tablename__ = "public_links"
    __table_args__ = (
        Index("ix_public_links_dataset_id_id", "dataset_id", "id"),
        Index("uq_public_links_sha256", "sha256", unique=True),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    sha256: Mapped[str] = mapped_column(String(64))
    answers_per_hour: Mapped[int]
    answers_per_day: Mapped[int]
    does_keep: Mapped[bool]
    answer_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

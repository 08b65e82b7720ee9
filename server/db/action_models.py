"""Tables of what persons do to images. May import ``server.db.base``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class ActionRecord(Base):
    """What a person did to images of a dataset at once: it can be undone and redone as one."""

    __tablename__ = "actions"
    __table_args__ = (
        Index("ix_actions_dataset_id_id", "dataset_id", "id"),
        Index(
            "ix_actions_standing",
            "dataset_id",
            "id",
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index(
            "ix_actions_undone",
            "dataset_id",
            "undone_at",
            sqlite_where=text("undone_at IS NOT NULL"),
            postgresql_where=text("undone_at IS NOT NULL"),
        ),
    )

    # Within a dataset in the order they were done, also those of one millisecond.
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    # What was asked for: ``label`` by name, ``excluded``, ``reviewed``.
    asked: Mapped[dict[str, Any]]
    image_count: Mapped[int]
    # Of all actions of the dataset up to this one: tells which are old enough to be forgotten.
    total_count: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class ActionChangeRecord(Base):
    """What an action changed on one image, from what and to what.

    Labels are no foreign keys: one that nothing carries may go, and the way back to it with it.
    """

    __tablename__ = "action_changes"
    __table_args__ = (
        Index("ix_action_changes_image_id_action_id", "image_id", "action_id"),
        {"sqlite_with_rowid": False},
    )

    action_id: Mapped[str] = mapped_column(
        ForeignKey("actions.id", ondelete="CASCADE"), primary_key=True
    )
    image_id: Mapped[str] = mapped_column(
        ForeignKey("images.id", ondelete="CASCADE"), primary_key=True
    )
    from_label_id: Mapped[str | None] = mapped_column(String(26))
    to_label_id: Mapped[str | None] = mapped_column(String(26))
    from_excluded: Mapped[bool]
    to_excluded: Mapped[bool]
    from_reviewed_at: Mapped[datetime | None]
    to_reviewed_at: Mapped[datetime | None]
    # Null while it stands; also when the action was undone, but not on this image.
    undone_at: Mapped[datetime | None]

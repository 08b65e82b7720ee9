"""Tables of what was removed for good, and of sites that are kept out. May import ``server.db``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base


class RemovalRecord(Base):
    """That everything of a site was removed: when, how much, and what had used it.

    It outlives the datasets, snapshots and models that it names, so they are no foreign keys.
    """

    __tablename__ = "removals"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    # A host: it stands for itself and its sub-domains.
    site: Mapped[str] = mapped_column(String(253))
    # The one dataset that it was asked of; null for all.
    dataset_id: Mapped[str | None] = mapped_column(String(26))
    is_blocking: Mapped[bool]
    # What is gone so far, each with the transaction that took it away.
    image_count: Mapped[int]
    capture_count: Mapped[int]
    blob_count: Mapped[int]
    removed_bytes: Mapped[int] = mapped_column(BigInteger)
    # ``datasets``, ``snapshots`` and ``models`` that had images of the site when it was asked for.
    found: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    # Null while it goes on: one that was cut short is finished when the server starts.
    finished_at: Mapped[datetime | None]


class RemovedBlobRecord(Base):
    """That bytes were here and were removed: why a snapshot's image cannot be had."""

    __tablename__ = "removed_blobs"
    __table_args__ = (
        Index("ix_removed_blobs_removal_id", "removal_id"),
        {"sqlite_with_rowid": False},
    )

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    removal_id: Mapped[str] = mapped_column(ForeignKey("removals.id", ondelete="CASCADE"))
    removed_at: Mapped[datetime]


class SnapshotRemovalRecord(Base):
    """How many images of a snapshot were of a removed site."""

    __tablename__ = "snapshot_removals"
    __table_args__ = (
        Index("ix_snapshot_removals_removal_id", "removal_id"),
        {"sqlite_with_rowid": False},
    )

    snapshot_id: Mapped[str] = mapped_column(
        ForeignKey("snapshots.id", ondelete="CASCADE"), primary_key=True
    )
    removal_id: Mapped[str] = mapped_column(
        ForeignKey("removals.id", ondelete="CASCADE"), primary_key=True
    )
    image_count: Mapped[int]
    # Of those, the ones whose bytes nothing else held, so that they are gone.
    gone_count: Mapped[int]


class BlockedSiteRecord(Base):
    """A site of which nothing is collected any more."""

    __tablename__ = "blocked_sites"

    site: Mapped[str] = mapped_column(String(253), primary_key=True)
    blocked_at: Mapped[datetime]

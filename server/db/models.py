"""Tables of the database.

May import ``server.db.base`` and ``server.reasons``. Ids are ULIDs: they sort by the time they
were made, so the order of a list is the order of its ids.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from server.db.base import Base, one_of
from server.reasons import Reason


class ImageStatus(StrEnum):
    """Where an image is on its way."""

    QUEUED = "queued"
    DOWNLOADING = "downloading"
    READY = "ready"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


class ObtainedBy(StrEnum):
    """How the bytes of an image came here."""

    SERVER = "server"  # fetched from its address
    BROWSER = "browser"  # fetched from its address in the person's own session
    CACHED_COPY = "cached-copy"  # a search engine's full-size copy of it
    UPLOAD = "upload"  # sent by a person or a program, without an address


class ModelStage(StrEnum):
    """How far a model has been let out."""

    CANDIDATE = "candidate"
    SHADOW = "shadow"
    LIMITED = "limited"
    LIVE = "live"
    RETIRED = "retired"


class DatasetRecord(Base):
    """A named collection of images."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(String(4000), default="")
    # Nothing of it is downloaded until it goes on.
    paused: Mapped[bool] = mapped_column(default=False, server_default=text("0"))
    created_at: Mapped[datetime]


class LabelRecord(Base):
    """A class name within a dataset."""

    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("dataset_id", "name"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]


class CaptureRecord(Base):
    """One act of collecting: a batch of candidates from one page."""

    __tablename__ = "captures"
    __table_args__ = (UniqueConstraint("dataset_id", "capture_key"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    capture_key: Mapped[str] = mapped_column(String(100))
    label_id: Mapped[str | None] = mapped_column(ForeignKey("labels.id", ondelete="SET NULL"))
    page_url: Mapped[str | None] = mapped_column(String(8192))
    page_title: Mapped[str | None] = mapped_column(String(1000))
    engine: Mapped[str | None] = mapped_column(String(50))
    query: Mapped[str | None] = mapped_column(String(1000))
    client: Mapped[str | None] = mapped_column(String(200))
    captured_at: Mapped[datetime]
    received_at: Mapped[datetime]
    added_count: Mapped[int]
    known_count: Mapped[int]
    refused: Mapped[list[Any]]


_MEASURES = ("luma_p99", "luma_p05", "sharpness", "entropy_bits")


class BlobRecord(Base):
    """Verified bytes, shared by datasets; they lie in the blob store under ``sha256``."""

    __tablename__ = "blobs"
    __table_args__ = (
        CheckConstraint("width > 0 AND height > 0", name="size_positive"),
        CheckConstraint("bytes > 0", name="bytes_positive"),
        Index("ix_blobs_near_group", "near_group"),
        Index("ix_blobs_ungrouped", "created_at", sqlite_where=text("near_group IS NULL")),
        # All that lists are narrowed and sorted by, so that the rows are left alone.
        Index("ix_blobs_measures", "sha256", "width", "height", *_MEASURES, "near_group"),
    )

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    bytes: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    format: Mapped[str] = mapped_column(String(20))
    # The 64 bits of the difference hash as a signed integer: SQL has no unsigned one.
    dhash: Mapped[int] = mapped_column(BigInteger)
    # Likewise of the cosine hash. This and what follows is missing of blobs of older revisions
    # until the server has looked at their thumbnails.
    phash: Mapped[int | None] = mapped_column(BigInteger)
    # The sha256 of the first blob that looked like this; its own where none did before.
    near_group: Mapped[str | None] = mapped_column(String(64))
    luma_p99: Mapped[float | None] = mapped_column(Double)
    luma_p05: Mapped[float | None] = mapped_column(Double)
    sharpness: Mapped[float | None] = mapped_column(Double)
    entropy_bits: Mapped[float | None] = mapped_column(Double)
    created_at: Mapped[datetime]


class ImageRecord(Base):
    """An address (or an upload) in a dataset, with a label and a status."""

    __tablename__ = "images"
    __table_args__ = (
        UniqueConstraint("dataset_id", "url_key"),
        one_of("status", ImageStatus),
        one_of("reason", Reason),
        CheckConstraint("(status = 'rejected') = (reason IS NOT NULL)", name="reason_if_rejected"),
        CheckConstraint(
            "status NOT IN ('ready', 'duplicate') OR sha256 IS NOT NULL", name="bytes_if_ready"
        ),
        one_of("obtained_by", ObtainedBy),
        CheckConstraint("(sha256 IS NULL) = (obtained_by IS NULL)", name="obtained_if_bytes"),
        # One image of a dataset holds a blob; every further one is its duplicate.
        Index(
            "uq_images_ready_blob",
            "dataset_id",
            "sha256",
            unique=True,
            sqlite_where=text("status = 'ready'"),
            postgresql_where=text("status = 'ready'"),
        ),
        # Pages of a list in its order, of all or of one status; an id is no rowid, so it is named.
        # With what most lists are narrowed by, so that the rows are left alone.
        Index(
            "ix_images_list",
            *("dataset_id", "id", "status", "label_id", "excluded", "reviewed_at"),
        ),
        Index("ix_images_dataset_id_status_id", "dataset_id", "status", "id"),
        # What may be claimed now, by host: claims jump from host to host in it.
        Index(
            "ix_images_due",
            "dataset_id",
            "host",
            "id",
            sqlite_where=text("status = 'queued' AND not_before_at IS NULL"),
            postgresql_where=text("status = 'queued' AND not_before_at IS NULL"),
        ),
        Index(
            "ix_images_waiting",
            "not_before_at",
            sqlite_where=text("not_before_at IS NOT NULL"),
            postgresql_where=text("not_before_at IS NOT NULL"),
        ),
        Index(
            "ix_images_downloading",
            "id",
            sqlite_where=text("status = 'downloading'"),
            postgresql_where=text("status = 'downloading'"),
        ),
        # Pages of a label, in their order.
        Index("ix_images_label_id_id", "label_id", "id"),
        Index("ix_images_sha256", "sha256"),
        Index("ix_images_duplicate_of", "duplicate_of"),
        # What lists are narrowed by.
        Index("ix_images_dataset_id_host", "dataset_id", "host"),
        Index("ix_images_dataset_id_page_host", "dataset_id", "page_host", "host"),
        Index(
            "ix_images_dataset_id_reason_id",
            "dataset_id",
            "reason",
            "id",
            sqlite_where=text("reason IS NOT NULL"),
        ),
        Index(
            "ix_images_reviewed", "dataset_id", "id", sqlite_where=text("reviewed_at IS NOT NULL")
        ),
        # Which images have which bytes, for what is asked of the bytes, and with what persons say
        # of them: read without the rows.
        Index(
            "ix_images_bytes",
            *("dataset_id", "sha256", "id", "status", "label_id", "excluded", "reviewed_at"),
            sqlite_where=text("sha256 IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    label_id: Mapped[str | None] = mapped_column(ForeignKey("labels.id", ondelete="SET NULL"))
    url: Mapped[str | None] = mapped_column(String(8192))
    # What makes an image known: its normalised address, or ``upload:<sha256>``.
    url_key: Mapped[str] = mapped_column(String(8200))
    # Of the address, lower-case ASCII, by which downloads take turns; null without an address.
    host: Mapped[str | None] = mapped_column(String(253))
    # Likewise of ``source_url``, by which images of one site are found.
    page_host: Mapped[str | None] = mapped_column(String(253))
    final_url: Mapped[str | None] = mapped_column(String(8192))
    source_url: Mapped[str | None] = mapped_column(String(8192))
    thumbnail_url: Mapped[str | None] = mapped_column(String(8192))
    title: Mapped[str | None] = mapped_column(String(1000))
    declared_width: Mapped[int | None]
    declared_height: Mapped[int | None]
    license: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(40))
    detail: Mapped[str | None] = mapped_column(String(500))
    # Of the last answer that the server itself got for the address; null before any.
    http_status: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(ForeignKey("blobs.sha256"))
    duplicate_of: Mapped[str | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
    obtained_by: Mapped[str | None] = mapped_column(String(20))
    # The cluster of near-duplicates; given once and kept, so that a split never changes.
    group: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    # Failed tries since it was last queued by a person: the pauses between tries grow by it.
    retries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # Queued, but not to be tried before; taken away again when the time has come.
    not_before_at: Mapped[datetime | None]
    excluded: Mapped[bool] = mapped_column(default=False)
    reviewed_at: Mapped[datetime | None]
    # Never on the validation side: it came from feedback, which is given where the model was
    # noticed, and would bend what is measured towards that.
    train_only: Mapped[bool] = mapped_column(default=False, server_default=text("0"))
    # Goes up with every change of the label, ``excluded`` or ``reviewed_at``.
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class SightingRecord(Base):
    """Where an image was seen: in which capture, at which rank."""

    __tablename__ = "sightings"
    __table_args__ = (
        UniqueConstraint("image_id", "capture_id"),
        Index("ix_sightings_capture_id_image_id", "capture_id", "image_id"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    image_id: Mapped[str] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    capture_id: Mapped[str] = mapped_column(ForeignKey("captures.id", ondelete="CASCADE"))
    rank: Mapped[int | None]
    source_url: Mapped[str | None] = mapped_column(String(8192))
    title: Mapped[str | None] = mapped_column(String(1000))


class AttemptRecord(Base):
    """One try of the server to get an image's bytes."""

    __tablename__ = "attempts"
    # The key is the table's order: what is asked is the tries of one image.
    __table_args__ = ({"sqlite_with_rowid": False},)

    image_id: Mapped[str] = mapped_column(
        ForeignKey("images.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seconds: Mapped[float]
    reason: Mapped[str | None] = mapped_column(String(40))
    http_status: Mapped[int | None]
    bytes: Mapped[int]
    # What the answer claimed its length to be.
    declared_bytes: Mapped[int | None] = mapped_column(BigInteger)
    # Where the answer came from, when that was not the address itself.
    final_url: Mapped[str | None] = mapped_column(String(8192))
    # A redirect led from https to http.
    downgraded: Mapped[bool]
    # The sentence that goes with the reason.
    detail: Mapped[str | None] = mapped_column(String(500))
    # Of bytes that came whole and were refused: what the server calls them, and under which rules
    # of ours they were refused.
    etag: Mapped[str | None] = mapped_column(String(256))
    last_modified: Mapped[str | None] = mapped_column(String(29))
    rules: Mapped[str | None] = mapped_column(String(16))


class ImageCountRecord(Base):
    """How many images of a dataset carry a label and have a status.

    Kept by triggers (migration 0003) with each change: counting 1 M rows takes 0.5 s. SQLite
    drops triggers with their table, so new ``images``, ``labels`` or ``datasets`` need them again.
    No foreign keys: while a dataset is deleted, its images are without a label for a moment.
    """

    __tablename__ = "image_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    dataset_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    label_id: Mapped[str] = mapped_column(String(26), primary_key=True)  # empty for none
    status: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int]
    excluded_number: Mapped[int]


class SnapshotRecord(Base):
    """An immutable, verified list of images; the manifest itself is a file."""

    __tablename__ = "snapshots"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    manifest_sha256: Mapped[str] = mapped_column(String(64))
    valid_ratio: Mapped[float]
    seed: Mapped[int]
    counts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class JobRecord(Base):
    """A piece of training work on a snapshot."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_id", "state", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshots.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(20))
    recipe: Mapped[dict[str, Any]]
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    finding: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    worker: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ModelRecord(Base):
    """A bundle that the server has checked and keeps."""

    __tablename__ = "models"
    __table_args__ = (
        one_of("stage", ModelStage),
        UniqueConstraint("job_id"),
        # At most one model of a dataset is live, whoever races.
        Index(
            "uq_models_live",
            "dataset_id",
            unique=True,
            sqlite_where=text("stage = 'live'"),
            postgresql_where=text("stage = 'live'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    snapshot_id: Mapped[str] = mapped_column(ForeignKey("snapshots.id", ondelete="CASCADE"))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    stage: Mapped[str] = mapped_column(String(20))
    bundle_sha256: Mapped[str] = mapped_column(String(64))
    bundle_bytes: Mapped[int]
    manifest: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    live_at: Mapped[datetime | None]

"""downloads in batches

Images know their host and when they may be tried again; each try is kept; counts are kept by
triggers; a dataset can be paused.

Revision: 0003, after 0002.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DUE = sa.text("status = 'queued' AND not_before_at IS NULL")
WAITING = sa.text("not_before_at IS NOT NULL")
DOWNLOADING = sa.text("status = 'downloading'")
HOST = re.compile(r"https?://(?:\[(?P<six>[^\]]+)\]|(?P<name>[^/:?#]+))")

# They keep image_counts, whatever changes images: a route, a cascade, a hand. To take away is an
# update and never an insert: when a dataset goes, its counts may be gone before its images. Those
# on labels and datasets run after the deletion's cascades.
TRIGGERS = {
    "images_counted_in": """CREATE TRIGGER images_counted_in AFTER INSERT ON images BEGIN
  INSERT INTO image_counts (dataset_id, label_id, status, number, excluded_number)
  VALUES (NEW.dataset_id, ifnull(NEW.label_id, ''), NEW.status, 1, NEW.excluded)
  ON CONFLICT (dataset_id, label_id, status) DO UPDATE SET
    number = number + 1, excluded_number = excluded_number + NEW.excluded;
END""",
    "images_counted_out": """CREATE TRIGGER images_counted_out AFTER DELETE ON images BEGIN
  UPDATE image_counts SET number = number - 1, excluded_number = excluded_number - OLD.excluded
  WHERE dataset_id = OLD.dataset_id AND label_id = ifnull(OLD.label_id, '')
    AND status = OLD.status;
END""",
    "images_counted_over": """CREATE TRIGGER images_counted_over AFTER UPDATE OF dataset_id, label_id, status, excluded ON images WHEN OLD.dataset_id IS NOT NEW.dataset_id OR OLD.label_id IS NOT NEW.label_id OR OLD.status IS NOT NEW.status OR OLD.excluded IS NOT NEW.excluded BEGIN
  UPDATE image_counts SET number = number - 1, excluded_number = excluded_number - OLD.excluded
  WHERE dataset_id = OLD.dataset_id AND label_id = ifnull(OLD.label_id, '')
    AND status = OLD.status;
  INSERT INTO image_counts (dataset_id, label_id, status, number, excluded_number)
  VALUES (NEW.dataset_id, ifnull(NEW.label_id, ''), NEW.status, 1, NEW.excluded)
  ON CONFLICT (dataset_id, label_id, status) DO UPDATE SET
    number = number + 1, excluded_number = excluded_number + NEW.excluded;
END""",
    "labels_counted_out": """CREATE TRIGGER labels_counted_out AFTER DELETE ON labels BEGIN
  DELETE FROM image_counts WHERE dataset_id = OLD.dataset_id AND label_id = OLD.id;
END""",
    "datasets_counted_out": """CREATE TRIGGER datasets_counted_out AFTER DELETE ON datasets BEGIN
  DELETE FROM image_counts WHERE dataset_id = OLD.id;
END""",
}


def host_of(url_key: str) -> str:
    """Return the host of a normalised address; one that has none sorts with its like."""
    match = HOST.match(url_key)
    return "-" if match is None else match["six"] or match["name"]


def upgrade() -> None:
    op.add_column(
        "datasets", sa.Column("paused", sa.Boolean(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("images", sa.Column("host", sa.String(length=253), nullable=True))
    op.add_column(
        "images", sa.Column("retries", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("images", sa.Column("not_before_at", sa.DateTime(timezone=True), nullable=True))
    connection = op.get_bind().connection.driver_connection
    connection.create_function("host_of", 1, host_of, deterministic=True)
    op.execute("UPDATE images SET host = host_of(url_key) WHERE url IS NOT NULL")
    op.drop_index("ix_images_status_id", "images")
    op.create_index("ix_images_due", "images", ["dataset_id", "host", "id"], sqlite_where=DUE)
    op.create_index("ix_images_waiting", "images", ["not_before_at"], sqlite_where=WAITING)
    op.create_index("ix_images_downloading", "images", ["id"], sqlite_where=DOWNLOADING)
    op.create_table(
        "attempts",
        sa.Column("image_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("declared_bytes", sa.BigInteger(), nullable=True),
        sa.Column("final_url", sa.String(length=8192), nullable=True),
        sa.Column("downgraded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"],
            ["images.id"],
            name=op.f("fk_attempts_image_id_images"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("image_id", "number", name=op.f("pk_attempts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "image_counts",
        sa.Column("dataset_id", sa.String(length=26), nullable=False),
        sa.Column("label_id", sa.String(length=26), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("excluded_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "label_id", "status", name=op.f("pk_image_counts")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO image_counts SELECT dataset_id, ifnull(label_id, ''), status, count(*),"
        " sum(excluded) FROM images GROUP BY 1, 2, 3"
    )
    for trigger in TRIGGERS.values():
        op.execute(trigger)


def downgrade() -> None:
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}")
    op.drop_table("image_counts")
    op.drop_table("attempts")
    for name in ("ix_images_downloading", "ix_images_waiting", "ix_images_due"):
        op.drop_index(name, "images")
    op.create_index("ix_images_status_id", "images", ["status", "id"])
    for column in ("not_before_at", "retries", "host"):
        op.drop_column("images", column)
    op.drop_column("datasets", "paused")

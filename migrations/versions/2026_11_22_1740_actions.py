"""actions

Images have a version; what persons do to them is kept, from what and to what, and can be undone.
Images know the host of their page, and lists are narrowed and sorted along indexes.

Revision: 0007, after 0006.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# As the server does for new ones, but for what is rare: names in other scripts, odd addresses.
HOST = re.compile(
    r"https?://(?:[^/?#@]*@)?(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d*)?(?:[/?#]|$)",
    re.IGNORECASE,
)

STANDING = sa.text("undone_at IS NULL")
UNDONE = sa.text("undone_at IS NOT NULL")
IMAGE_INDEXES = {
    "ix_images_label_id_id": (["label_id", "id"], None),
    "ix_images_dataset_id_host": (["dataset_id", "host"], None),
    "ix_images_dataset_id_page_host": (["dataset_id", "page_host", "host"], None),
    "ix_images_dataset_id_reason_id": (["dataset_id", "reason", "id"], "reason IS NOT NULL"),
    "ix_images_reviewed": (["dataset_id", "id"], "reviewed_at IS NOT NULL"),
    "ix_images_bytes": (["dataset_id", "sha256", "id", "status"], "sha256 IS NOT NULL"),
}
MEASURES = ["luma_p99", "luma_p05", "sharpness", "entropy_bits"]


def host_of(url: str) -> str | None:
    """Return the host of an address, or None when it has none that is plain."""
    match = HOST.match(url)
    return None if match is None else (match["six"] or match["name"]).lower().removesuffix(".")


def upgrade() -> None:
    op.add_column(
        "images", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("images", sa.Column("page_host", sa.String(length=253), nullable=True))
    connection = op.get_bind().connection.driver_connection
    connection.create_function("host_of", 1, host_of, deterministic=True)
    op.execute("UPDATE images SET page_host = host_of(source_url) WHERE source_url IS NOT NULL")
    op.drop_index("ix_images_label_id", "images")
    for name, (columns, where) in IMAGE_INDEXES.items():
        op.create_index(
            name, "images", columns, sqlite_where=None if where is None else sa.text(where)
        )
    columns = ["sha256", "width", "height", *MEASURES, "near_group"]
    op.create_index("ix_blobs_measures", "blobs", columns)
    op.drop_index("ix_sightings_capture_id", "sightings")
    op.create_index("ix_sightings_capture_id_image_id", "sightings", ["capture_id", "image_id"])
    op.create_table(
        "actions",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("dataset_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("image_count", sa.Integer(), nullable=False),
        sa.Column("total_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_actions_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
    )
    op.create_index("ix_actions_dataset_id_id", "actions", ["dataset_id", "id"])
    op.create_index("ix_actions_standing", "actions", ["dataset_id", "id"], sqlite_where=STANDING)
    op.create_index(
        "ix_actions_undone", "actions", ["dataset_id", "undone_at"], sqlite_where=UNDONE
    )
    op.create_table(
        "action_changes",
        sa.Column("action_id", sa.String(length=26), nullable=False),
        sa.Column("image_id", sa.String(length=26), nullable=False),
        sa.Column("from_label_id", sa.String(length=26), nullable=True),
        sa.Column("to_label_id", sa.String(length=26), nullable=True),
        sa.Column("from_excluded", sa.Boolean(), nullable=False),
        sa.Column("to_excluded", sa.Boolean(), nullable=False),
        sa.Column("from_reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("to_reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["action_id"],
            ["actions.id"],
            name=op.f("fk_action_changes_action_id_actions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["image_id"],
            ["images.id"],
            name=op.f("fk_action_changes_image_id_images"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("action_id", "image_id", name=op.f("pk_action_changes")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_action_changes_image_id_action_id", "action_changes", ["image_id", "action_id"]
    )


def downgrade() -> None:
    op.drop_table("action_changes")
    op.drop_table("actions")
    op.drop_index("ix_sightings_capture_id_image_id", "sightings")
    op.create_index("ix_sightings_capture_id", "sightings", ["capture_id"])
    op.drop_index("ix_blobs_measures", "blobs")
    for name in reversed(IMAGE_INDEXES):
        op.drop_index(name, "images")
    op.create_index("ix_images_label_id", "images", ["label_id"])
    for column in ("page_host", "version"):
        op.drop_column("images", column)

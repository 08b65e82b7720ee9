"""removals

What was removed of which site is kept, with the snapshots that had used it and the names of the
bytes that are gone; sites can be kept out.

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("site", sa.String(length=253), nullable=False),
        sa.Column("dataset_id", sa.String(length=26), nullable=True),
        sa.Column("is_blocking", sa.Boolean(), nullable=False),
        sa.Column("image_count", sa.Integer(), nullable=False),
        sa.Column("capture_count", sa.Integer(), nullable=False),
        sa.Column("blob_count", sa.Integer(), nullable=False),
        sa.Column("removed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removals")),
    )
    op.create_table(
        "removed_blobs",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("removal_id", sa.String(length=26), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["removal_id"],
            ["removals.id"],
            name=op.f("fk_removed_blobs_removal_id_removals"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_removed_blobs")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_removed_blobs_removal_id", "removed_blobs", ["removal_id"])
    op.create_table(
        "snapshot_removals",
        sa.Column("snapshot_id", sa.String(length=26), nullable=False),
        sa.Column("removal_id", sa.String(length=26), nullable=False),
        sa.Column("image_count", sa.Integer(), nullable=False),
        sa.Column("gone_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.id"],
            name=op.f("fk_snapshot_removals_snapshot_id_snapshots"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["removal_id"],
            ["removals.id"],
            name=op.f("fk_snapshot_removals_removal_id_removals"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "removal_id", name=op.f("pk_snapshot_removals")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_snapshot_removals_removal_id", "snapshot_removals", ["removal_id"])
    op.create_table(
        "blocked_sites",
        sa.Column("site", sa.String(length=253), nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_blocked_sites")),
    )


def downgrade() -> None:
    op.drop_table("blocked_sites")
    op.drop_table("snapshot_removals")
    op.drop_table("removed_blobs")
    op.drop_table("removals")

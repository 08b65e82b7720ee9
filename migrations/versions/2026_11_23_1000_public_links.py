"""public links

Links that let others ask a dataset's live model; and the nightly refresh of models.

Revision: 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for both; there is neither until a person wants it."""
    op.create_table(
        "public_links",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("dataset_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("answers_per_hour", sa.Integer(), nullable=False),
        sa.Column("answers_per_day", sa.Integer(), nullable=False),
        sa.Column("does_keep", sa.Boolean(), nullable=False),
        sa.Column("answer_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_public_links_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_links")),
    )
    op.create_index("ix_public_links_dataset_id_id", "public_links", ["dataset_id", "id"])
    op.create_index("uq_public_links_sha256", "public_links", ["sha256"], unique=True)
    op.create_table(
        "refresh_settings",
        sa.Column("dataset_id", sa.String(length=26), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("least_new_count", sa.Integer(), nullable=False),
        sa.Column("last_night", sa.String(length=10), nullable=True),
        sa.CheckConstraint(
            "hour >= 0 AND hour <= 23", name=op.f("ck_refresh_settings_hour_of_day")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_refresh_settings_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_refresh_settings")),
    )
    op.create_table(
        "refresh_runs",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("dataset_id", sa.String(length=26), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("is_asked", sa.Boolean(), nullable=False),
        sa.Column("new_count", sa.Integer(), nullable=True),
        sa.Column("snapshot_id", sa.String(length=26), nullable=True),
        sa.Column("job_id", sa.String(length=26), nullable=True),
        sa.Column("model_id", sa.String(length=26), nullable=True),
        sa.Column("sentence", sa.String(length=1000), nullable=True),
        sa.Column("comparison", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'training', 'compared', 'skipped', 'failed')",
            name=op.f("ck_refresh_runs_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_refresh_runs_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_runs")),
    )
    op.create_index("ix_refresh_runs_dataset_id_id", "refresh_runs", ["dataset_id", "id"])
    op.create_index("ix_refresh_runs_state_id", "refresh_runs", ["state", "id"])


def downgrade() -> None:
    """Forget both: no link works any more, and no night trains."""
    op.drop_table("refresh_runs")
    op.drop_table("refresh_settings")
    op.drop_table("public_links")

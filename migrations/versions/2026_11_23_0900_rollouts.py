"""rollouts

Models are asked beside the live one: what was compared, what was decided, where they differ.

Revision: 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.create_table(
        "rollouts",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("dataset_id", sa.String(length=26), nullable=False),
        sa.Column("model_id", sa.String(length=26), nullable=False),
        sa.Column("live_id", sa.String(length=26), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("floor", sa.Double(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.Column("live_abstained", sa.Integer(), nullable=False),
        sa.Column("model_abstained", sa.Integer(), nullable=False),
        sa.Column("not_compared", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_rollouts_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_rollouts_model_id_models"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollouts")),
    )
    op.create_index("ix_rollouts_dataset_id_id", "rollouts", ["dataset_id", "id"])
    op.create_index("ix_rollouts_model_id", "rollouts", ["model_id"])
    op.create_index(
        "uq_rollouts_open",
        "rollouts",
        ["dataset_id", "stage"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    _create_parts()


def _create_parts() -> None:
    op.create_table(
        "rollout_decisions",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("rollout_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sentence", sa.String(length=500), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["rollout_id"],
            ["rollouts.id"],
            name=op.f("fk_rollout_decisions_rollout_id_rollouts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout_decisions")),
    )
    op.create_index("ix_rollout_decisions_rollout_id_id", "rollout_decisions", ["rollout_id", "id"])
    op.create_table(
        "disagreements",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("rollout_id", sa.String(length=26), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("prediction_id", sa.String(length=26), nullable=True),
        sa.Column("live_label", sa.String(length=100), nullable=False),
        sa.Column("live_probability", sa.Double(), nullable=False),
        sa.Column("live_abstained", sa.Boolean(), nullable=False),
        sa.Column("model_label", sa.String(length=100), nullable=False),
        sa.Column("model_probability", sa.Double(), nullable=False),
        sa.Column("model_abstained", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["rollout_id"],
            ["rollouts.id"],
            name=op.f("fk_disagreements_rollout_id_rollouts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disagreements")),
    )
    op.create_index("ix_disagreements_rollout_id_id", "disagreements", ["rollout_id", "id"])
    op.create_index("ix_disagreements_sha256", "disagreements", ["sha256"])


def downgrade() -> None:
    """Forget it; models that were asked beside the live one are candidates again."""
    op.drop_table("disagreements")
    op.drop_table("rollout_decisions")
    op.drop_table("rollouts")
    op.execute("UPDATE models SET stage = 'candidate' WHERE stage IN ('shadow', 'limited')")

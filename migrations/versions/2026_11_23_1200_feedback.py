"""feedback

What people say of answers waits in an inbox; images that came by it are only learned from.

Revision: 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it. No image that is there came by feedback."""
    # A plain ALTER, without a copy of the table: that would lose its triggers.
    op.add_column(
        "images",
        sa.Column("train_only", sa.Boolean(), server_default=sa.text("0"), nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("dataset_id", sa.String(length=26), nullable=False),
        sa.Column("model_id", sa.String(length=26), nullable=False),
        sa.Column("client", sa.String(length=26), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=True),
        sa.Column("format", sa.String(length=20), nullable=True),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("predicted", sa.String(length=100), nullable=True),
        sa.Column("label", sa.String(length=100), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("source_url", sa.String(length=8192), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("image_id", sa.String(length=26), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('new', 'accepted', 'dismissed')", name=op.f("ck_feedback_state_known")
        ),
        sa.CheckConstraint("bytes > 0", name=op.f("ck_feedback_bytes_positive")),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_feedback_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_feedback_model_id_models"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["image_id"],
            ["images.id"],
            name=op.f("fk_feedback_image_id_images"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint(
            "client", "model_id", "sha256", name=op.f("uq_feedback_client_model_id_sha256")
        ),
    )
    op.create_index("ix_feedback_dataset_id_state_id", "feedback", ["dataset_id", "state", "id"])
    op.create_index(
        "ix_feedback_model_id_created_at", "feedback", ["model_id", "created_at", "is_right"]
    )
    op.create_index("ix_feedback_sha256", "feedback", ["sha256"])
    op.create_index("ix_feedback_image_id", "feedback", ["image_id"])


def downgrade() -> None:
    """Forget it; images that came by it become like all others."""
    op.drop_table("feedback")
    op.drop_column("images", "train_only")

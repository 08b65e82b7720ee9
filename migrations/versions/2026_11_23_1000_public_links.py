"""public links

Links that let others ask a dataset's live model.

Revision: 0015, after 0012.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them; there are none until a person makes one."""
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


def downgrade() -> None:
    """Forget them: no link works any more."""
    op.drop_table("public_links")

"""findings

Jobs that make no model keep what they found.

Revision: 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give jobs a place for it; those from before found nothing."""
    op.add_column("jobs", sa.Column("finding", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("jobs", "finding")

"""refused bytes

Each try keeps its sentence, and of bytes that were refused what the server calls them: a later try
asks for others alone.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = {
    "detail": sa.String(length=500),
    "etag": sa.String(length=256),
    "last_modified": sa.String(length=29),
    "rules": sa.String(length=16),
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("attempts", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("attempts", name)

"""how blobs look

A second perceptual hash, the group of near-duplicates, and measures of quality. Older blobs get
theirs from their thumbnails while the server runs.

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNGROUPED = sa.text("near_group IS NULL")
COLUMNS = {
    "phash": sa.BigInteger(),
    "near_group": sa.String(length=64),
    "luma_p99": sa.Double(),
    "luma_p05": sa.Double(),
    "sharpness": sa.Double(),
    "entropy_bits": sa.Double(),
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("blobs", sa.Column(name, kind, nullable=True))
    op.create_index("ix_blobs_near_group", "blobs", ["near_group"])
    op.create_index("ix_blobs_ungrouped", "blobs", ["created_at"], sqlite_where=UNGROUPED)


def downgrade() -> None:
    for name in ("ix_blobs_ungrouped", "ix_blobs_near_group"):
        op.drop_index(name, "blobs")
    for name in reversed(COLUMNS):
        op.drop_column("blobs", name)

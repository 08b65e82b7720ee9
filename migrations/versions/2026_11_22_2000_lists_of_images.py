"""lists of images

The indexes that have a dataset's images in the order of a list, and in the order of their bytes,
also have what most lists are narrowed by: a list is picked without reading the rows.

Revision: 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PERSON = ["label_id", "excluded", "reviewed_at"]
WITH_BYTES = sa.text("sha256 IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_images_dataset_id_id", "images")
    op.create_index("ix_images_list", "images", ["dataset_id", "id", "status", *PERSON])
    op.drop_index("ix_images_bytes", "images")
    columns = ["dataset_id", "sha256", "id", "status", *PERSON]
    op.create_index("ix_images_bytes", "images", columns, sqlite_where=WITH_BYTES)


def downgrade() -> None:
    op.drop_index("ix_images_bytes", "images")
    columns = ["dataset_id", "sha256", "id", "status"]
    op.create_index("ix_images_bytes", "images", columns, sqlite_where=WITH_BYTES)
    op.drop_index("ix_images_list", "images")
    op.create_index("ix_images_dataset_id_id", "images", ["dataset_id", "id"])

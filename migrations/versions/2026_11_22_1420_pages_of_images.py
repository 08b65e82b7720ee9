"""pages of images

A page of a dataset's images is read along an index that has them in the order of the list, whether
of one status or of all: without, each page sorted the whole dataset.

Revision: 0005, after 0004.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_images_dataset_id_status", "images")
    op.create_index("ix_images_dataset_id_id", "images", ["dataset_id", "id"])
    op.create_index("ix_images_dataset_id_status_id", "images", ["dataset_id", "status", "id"])


def downgrade() -> None:
    op.drop_index("ix_images_dataset_id_status_id", "images")
    op.drop_index("ix_images_dataset_id_id", "images")
    op.create_index("ix_images_dataset_id_status", "images", ["dataset_id", "status"])

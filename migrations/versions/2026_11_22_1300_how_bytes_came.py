"""how bytes came

Images record how their bytes came, and what their address answered the server.

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KNOWN = "obtained_by IN ('server', 'browser', 'cached-copy', 'upload')"
IF_BYTES = "(sha256 IS NULL) = (obtained_by IS NULL)"


def upgrade() -> None:
    op.add_column("images", sa.Column("http_status", sa.Integer(), nullable=True))
    op.add_column("images", sa.Column("obtained_by", sa.String(length=20), nullable=True))
    op.execute(
        "UPDATE images SET obtained_by = CASE WHEN url IS NULL THEN 'upload' ELSE 'server' END"
        " WHERE sha256 IS NOT NULL"
    )
    # Until now the status of a refusal stood only in its sentence, "HTTP 403 Forbidden".
    op.execute(
        "UPDATE images SET http_status = CAST(substr(detail, 6, 3) AS INTEGER)"
        " WHERE reason = 'http-status' AND detail LIKE 'HTTP ___%'"
    )
    # Bytes were taken from an answer of 200 alone, so were those that turned out to be no image.
    op.execute(
        "UPDATE images SET http_status = 200 WHERE url IS NOT NULL AND (sha256 IS NOT NULL"
        " OR (reason = 'not-an-image' AND detail NOT LIKE 'Bowerbird failed%'))"
    )
    with op.batch_alter_table("images") as batch_op:
        batch_op.create_check_constraint(op.f("ck_images_obtained_by_known"), KNOWN)
        batch_op.create_check_constraint(op.f("ck_images_obtained_if_bytes"), IF_BYTES)


def downgrade() -> None:
    with op.batch_alter_table("images") as batch_op:
        batch_op.drop_constraint(op.f("ck_images_obtained_by_known"), type_="check")
        batch_op.drop_constraint(op.f("ck_images_obtained_if_bytes"), type_="check")
        batch_op.drop_column("obtained_by")
        batch_op.drop_column("http_status")

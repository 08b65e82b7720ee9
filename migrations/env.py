"""Alembic's entry: runs the migrations on the database the caller names.

The URL comes from ``config.attributes["url"]`` (the server, the tests) or from
``alembic -x url=...`` on the command line. It is a synchronous address.
"""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from server.db.models import Base, UtcDateTime

url = context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True)["url"]


def _render(kind: str, item: object, _context: object) -> str | bool:
    # A migration stands for itself: it names no class of ours, which may change.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


with create_engine(url, poolclass=NullPool).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()

"""Alembic's entry: runs the migrations on the database the caller names.

The URL comes from ``config.attributes["url"]`` (the server, the tests) or from
``alembic -x url=...`` on the command line. It is a synchronous address.
"""

from alembic import context
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool

import server.db.action_models
import server.db.feedback_models
import server.db.link_models
import server.db.prediction_models
import server.db.refresh_models
import server.db.removal_models
import server.db.rollout_models
import server.db.stage_models
import server.db.token_models  # noqa: F401 - likewise
from server.db.base import UtcDateTime
from server.db.models import Base

url = context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True)["url"]


def _render(kind: str, item: object, _context: object) -> str | bool:
    # A migration stands for itself: it names no class of ours, which may change.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


engine = create_engine(url, poolclass=NullPool)

if engine.dialect.name == "sqlite":
    # Python's driver begins a transaction before changes of rows alone, so a migration that is cut
    # short would leave half of its tables changed, and could neither go on nor back.
    @event.listens_for(engine, "connect")
    def _leave_transactions_to_us(dbapi_connection: DBAPIConnection, _record: object) -> None:
        dbapi_connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
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

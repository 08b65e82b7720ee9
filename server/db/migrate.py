"""Bring a database to the newest revision.

Imports nothing of the project. Synchronous: Alembic is; callers on the loop use a thread.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

_ROOT = Path(__file__).parents[2]
# The synchronous driver of each asynchronous one.
_SYNC_DRIVERS = {"sqlite+aiosqlite": "sqlite"}


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for the database at ``url`` (asynchronous or not)."""
    parsed = make_url(url)
    sync = parsed.set(drivername=_SYNC_DRIVERS.get(parsed.drivername, parsed.drivername))
    config = Config(_ROOT / "alembic.ini")
    config.attributes["url"] = sync.render_as_string(hide_password=False)
    return config


def upgrade(url: str) -> None:
    """Run the migrations that the database at ``url`` lacks; makes a SQLite file."""
    command.upgrade(alembic_config(url), "head")


def current_and_head(url: str) -> tuple[str | None, str]:
    """Return the database's revision (None: never migrated) and the newest one."""
    config = alembic_config(url)
    head = ScriptDirectory.from_config(config).get_current_head()
    with create_engine(config.attributes["url"], poolclass=NullPool).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head or ""

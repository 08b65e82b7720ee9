"""Checks of the data folder and its database. May import ``check`` and the server's migrations."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from alembic.util import CommandError as AlembicError
from sqlalchemy.exc import SQLAlchemyError

from server.cli.doctor.check import Check, fail, ok, warn
from server.config import Settings
from server.db import migrate

# A thousand photos take about half a GB with their thumbnails; a bundle 20 MB.
LOW_BYTES = 2 * 1024**3
FULL_BYTES = 100 * 1024**2


def check_data(data: Path) -> Check:
    """Check that the data folder, or the place where it will be made, can be written to."""
    folder = data.absolute()
    place = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        # A real file tells more than permission bits: full, read-only and foreign mounts too.
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"bowerbird")
    except OSError as error:
        return fail(
            "data folder",
            f"{folder} can't be written to ({error.strerror})",
            "Choose another one with --data or BOWERBIRD_DATA, or change its owner.",
        )
    return ok("data folder", str(folder) if folder.exists() else f"{folder} (made by `serve`)")


def check_space(data: Path) -> Check:
    """Check the free space where the data lie."""
    folder = data.absolute()
    place = next(one for one in (folder, *folder.parents) if one.exists())
    free_bytes = shutil.disk_usage(place).free
    found = f"{free_bytes / 1024**3:.1f} GiB free"
    advice = "Make room: downloads and training stop when the disk is full."
    if free_bytes < FULL_BYTES:
        return fail("disk space", found, advice)
    return warn("disk space", found, advice) if free_bytes < LOW_BYTES else ok("disk space", found)


def check_database(settings: Settings) -> Check:
    """Check that the database, if there is one, is of this version."""
    file = settings.data / "bowerbird.db"
    if settings.database_url is None and not file.exists():
        return ok("database", "none yet (made by `serve`)")
    try:
        current, head = migrate.current_and_head(settings.resolved_database_url)
    except (SQLAlchemyError, AlembicError) as error:
        advice = "Is it Bowerbird's? Restore it from a backup, or move it away to start afresh."
        return fail("database", f"can't be read ({type(error).__name__})", advice)
    if current == head:
        return ok("database", f"revision {current}")
    advice = "`bowerbird serve` migrates it; a newer database needs a newer Bowerbird."
    return warn("database", f"revision {current or 'none'}, this version has {head}", advice)

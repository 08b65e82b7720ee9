"""What every test stands on: an environment without our settings, a migrated database to copy."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from server.config import OTHERS, setting_names
from server.db import migrate


@pytest.fixture(scope="session", autouse=True)
def _scrubbed_environment() -> None:
    # What the developer has set must not decide a test; knobs of the test run itself stay.
    ours = {name for name, _ in setting_names()} | set(OTHERS)
    for name in list(os.environ):  # noqa: TID251 - taken out, not read
        if name.upper() in ours or name.lower().endswith("_proxy"):
            del os.environ[name]  # noqa: TID251 - as above


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database file at the newest revision; copy it, never write to it."""
    path = tmp_path_factory.mktemp("migrated") / "bowerbird.db"
    migrate.upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def data_folder(tmp_path: Path, migrated_database: Path) -> Path:
    """Return a data folder with a migrated, empty database."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(migrated_database, folder / "bowerbird.db")
    return folder

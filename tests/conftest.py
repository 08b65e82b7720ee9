"""What every test stands on: an environment without our settings, a migrated database to copy.

The quick tests alone read no file whose tests are all left out (those of the slow ones load torch),
and keep their files in memory: what is made durable waits for the disk some ten times an image.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from server.config import OTHERS, setting_names
from server.db import migrate

_MARKS_OF_FILE = re.compile(r"^pytestmark = .*$", re.MULTILINE)
_LEFT_OUT = re.compile(r"not (\w+)")
_MEMORY = Path("/dev/shm")  # where Linux has files in memory
_ROOM_BYTES = 2 * 1024**3  # the quick tests hold some tens of megabytes, and what has failed


def pytest_configure(config: pytest.Config) -> None:
    """Let temporary files of the quick tests lie in memory, where there is room."""
    is_quick = "slow" in _left_out_marks(config)
    if is_quick and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
        tempfile.tempdir = str(_MEMORY)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over a file whose own mark is left out by ``-m "not slow and not browser"``."""
    if collection_path.suffix != ".py":
        return None
    left_out = _left_out_marks(config)
    marks = left_out and _MARKS_OF_FILE.findall(collection_path.read_text("utf-8"))
    return True if any(f"mark.{name}" in line for line in marks for name in left_out) else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the quick tests quick: loading torch takes longer than hundreds of them."""
    if "slow" in _left_out_marks(session.config) and "torch" in sys.modules:
        raise pytest.UsageError("a test that is not marked slow loads torch")


def _left_out_marks(config: pytest.Config) -> set[str]:
    """Return the marks that no chosen test has; none where the choice is another than that."""
    terms = str(config.option.markexpr).split(" and ")
    found = [_LEFT_OUT.fullmatch(term.strip()) for term in terms]
    return {each[1] for each in found if each} if all(found) else set()


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

"""The application for tests of the API."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.app import Bird, in_one_task, running
from tests.support.site import Site


@pytest.fixture
async def bird(data_folder: Path) -> AsyncIterator[Bird]:
    """Return the application with its download worker running."""
    async with in_one_task(lambda: running(data_folder)) as bird:
        yield bird


@pytest.fixture
async def still(data_folder: Path) -> AsyncIterator[Bird]:
    """Return the application without workers: what is queued stays queued."""
    async with in_one_task(lambda: running(data_folder, workers=False)) as bird:
        yield bird


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> AsyncIterator[Bird]:
    """Return an application without workers for a whole module, which shares its event loop."""
    data = tmp_path_factory.mktemp("data")
    shutil.copy(migrated_database, data / "bowerbird.db")
    async with in_one_task(lambda: running(data, workers=False)) as bird:
        yield bird


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Return an empty site on loopback; put handlers into its routes."""
    async with Site() as site:
        yield site

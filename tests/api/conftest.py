"""The application for tests of the API."""

from __future__ import annotations

import asyncio
import functools
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.app import Bird, in_one_task, running
from tests.support.played_trainer import coloured_dataset
from tests.support.site import Site


@pytest.fixture(scope="session")
def coloured_data(
    tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> Callable[[int], tuple[Path, str]]:
    """Return what makes a data folder with a coloured dataset of so many images a label.

    It gives the folder, made once for each size, and the dataset's id; copy it, never write to it.
    """

    async def fill(data: Path, per_label: int) -> str:
        async with running(data, workers=False) as bird:
            return await coloured_dataset(bird, per_label, "coloured")

    @functools.cache
    def make(per_label: int) -> tuple[Path, str]:
        data = tmp_path_factory.mktemp("coloured")
        shutil.copy(migrated_database, data / "bowerbird.db")
        return data, asyncio.run(fill(data, per_label))

    return make


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

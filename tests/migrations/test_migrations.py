"""Migrations: one line of them, equal to the models, each step there and back with its data."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from server.db.migrate import alembic_config, current_and_head, upgrade
from server.db.models import Base
from tests.support.app import running
from tests.support.images import jpeg
from tests.support.played_trainer import coloured_dataset, trained


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'bowerbird.db'}"


@pytest.fixture
def config(url: str) -> Config:
    return alembic_config(url)


def schema(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return sorted(
            connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        )


def rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in Base.metadata.tables
        }


def test_there_is_one_head(config: Config):
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_models_and_migrations_agree(config: Config):
    command.upgrade(config, "head")
    command.check(config)


def test_every_step_goes_down_and_up_again(config: Config, tmp_path: Path):
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    for revision in revisions:
        command.upgrade(config, revision.revision)
        before = schema(tmp_path / "bowerbird.db")
        command.downgrade(config, "-1")
        command.upgrade(config, revision.revision)
        assert schema(tmp_path / "bowerbird.db") == before


def test_everything_can_be_taken_down(config: Config, tmp_path: Path):
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    names = {name for name, _ in schema(tmp_path / "bowerbird.db")}
    assert names <= {"alembic_version"}


def test_the_revision_is_told(url: str, config: Config):
    current, head = current_and_head(url)
    assert current is None
    upgrade(url)
    assert current_and_head(url) == (head, head)
    upgrade(url)
    assert current_and_head(url) == (head, head)


async def test_data_are_kept(data_folder: Path):
    """Every table is filled, then the newest step is taken back and forth as far as it allows."""
    async with running(data_folder, workers=False) as bird:
        dataset = await coloured_dataset(bird, 6)
        await trained(bird, dataset)
        await bird.capture(dataset, ["http://a.test/1"], "red")
        await bird.upload(dataset, jpeg(), "red")
    path = data_folder / "bowerbird.db"
    before = rows(path)
    assert all(before.values()), f"a table without rows proves nothing: {before}"
    config = alembic_config(f"sqlite:///{path}")
    steps = list(ScriptDirectory.from_config(config).walk_revisions())
    if len(steps) > 1:  # the first step down takes the tables themselves
        command.downgrade(config, steps[-1].revision)
    command.upgrade(config, "head")
    assert rows(path) == before
    async with running(data_folder, workers=False) as bird:
        assert (await bird.counts(dataset))["total"] == 20


def test_every_constraint_has_a_name():
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, (table.name, constraint)

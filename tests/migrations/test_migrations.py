"""Migrations: one line of them, equal to the models, each step there and back with its data."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

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


def schema(path: Path) -> dict[str, list[str]]:
    """Return what each table and index is made of; the order of its parts means nothing."""
    with closing(sqlite3.connect(path)) as connection:
        made = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: sorted(line.strip(" ,\t") for line in sql.splitlines()) for name, sql in made}


def execute(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


# Kept from other tables, so made anew on the way up: compared by what they say, not by their rows.
KEPT = "SELECT * FROM image_counts WHERE number > 0 ORDER BY 1, 2, 3"
# What the first revision has no place for is lost on the way down.
NEW_TABLES = {
    "attempts",
    "image_counts",
    "actions",
    "action_changes",
    "removals",
    "removed_blobs",
    "snapshot_removals",
    "blocked_sites",
    "stage_changes",
    "prediction_counts",
    "nearness_counts",
    "predictions",
    "rollouts",
    "rollout_decisions",
    "disagreements",
    "public_links",
    "refresh_settings",
    "refresh_runs",
    "feedback",
}


def rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in Base.metadata.tables
            if name not in NEW_TABLES
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
    assert set(schema(tmp_path / "bowerbird.db")) <= {"alembic_version"}


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
    before, counts = rows(path), execute(path, KEPT)
    assert all(before.values()), f"a table without rows proves nothing: {before}"
    config = alembic_config(f"sqlite:///{path}")
    steps = list(ScriptDirectory.from_config(config).walk_revisions())
    if len(steps) > 1:  # the first step down takes the tables themselves
        command.downgrade(config, steps[-1].revision)
    command.upgrade(config, "head")
    assert rows(path) == before
    assert execute(path, KEPT) == counts
    async with running(data_folder, workers=False) as bird:
        assert (await bird.counts(dataset))["total"] == 20


def test_every_constraint_has_a_name():
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, (table.name, constraint)


def test_every_constraint_of_the_models_is_in_the_database(config: Config, tmp_path: Path):
    """What Alembic does not compare, and a table made anew could lose."""
    command.upgrade(config, "head")
    made = schema(tmp_path / "bowerbird.db")
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            lines = [line for line in made[table.name] if f"CONSTRAINT {constraint.name} " in line]
            assert len(lines) == 1, constraint.name


OLD_IMAGES = {
    # id: (url, status, reason, detail, has bytes) → (http_status, obtained_by)
    "fetched": (("http://a.test/1", "ready", None, None, True), (200, "server")),
    "twin": (("http://a.test/2", "duplicate", None, None, True), (200, "server")),
    "uploaded": ((None, "ready", None, None, True), (None, "upload")),
    "refused": (
        ("http://a.test/3", "rejected", "http-status", "HTTP 403 Forbidden", False),
        (403, None),
    ),
    "odd": (("http://a.test/4", "rejected", "http-status", "HTTP 799", False), (799, None)),
    "page": (("http://a.test/5", "rejected", "not-an-image", "HTML", False), (200, None)),
    "bug": (
        ("http://a.test/6", "rejected", "not-an-image", "Bowerbird failed on it: …", False),
        (None, None),
    ),
    "slow": (("http://a.test/7", "rejected", "timeout", "not done in 30 s", False), (None, None)),
    "queued": (("http://a.test/8", "queued", None, None, False), (None, None)),
}


def fill_old(path: Path) -> None:
    """Write the images above as the first revision had them."""
    with closing(sqlite3.connect(path)) as connection, connection:
        day = "2026-11-22 10:00:00"
        connection.execute("INSERT INTO datasets VALUES ('d', 'bears', '', ?)", [day])
        for number, (key, (values, _)) in enumerate(OLD_IMAGES.items()):
            url, status, reason, detail, has_bytes = values
            sha256 = f"{number:064x}" if has_bytes else None
            if sha256:
                blob = (sha256, 1, 1, 1, "jpeg", 0, day)
                connection.execute("INSERT INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?)", blob)
            row = (key, "d", url, key, status, reason, detail, sha256, day)
            connection.execute(
                "INSERT INTO images (id, dataset_id, url, url_key, status, reason, detail, sha256,"
                " created_at, attempts, excluded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
                row,
            )


def test_images_from_before_are_told_how_their_bytes_came(config: Config, tmp_path: Path):
    path = tmp_path / "bowerbird.db"
    command.upgrade(config, "0001")
    fill_old(path)
    command.upgrade(config, "0002")
    found = execute(path, "SELECT id, http_status, obtained_by FROM images")
    assert {row[0]: row[1:] for row in found} == {key: new for key, (_, new) in OLD_IMAGES.items()}
    command.downgrade(config, "0001")
    kept = execute(path, "SELECT id, url, status, reason, detail, sha256 IS NOT NULL FROM images")
    assert {row[0]: row[1:] for row in kept} == {key: old for key, (old, _) in OLD_IMAGES.items()}


def test_a_migration_that_is_cut_short_has_done_nothing(config: Config, tmp_path: Path):
    path = tmp_path / "bowerbird.db"
    command.upgrade(config, "0001")
    fill_old(path)
    before = schema(path)
    execute(
        path,
        "CREATE TRIGGER cut BEFORE UPDATE ON images BEGIN SELECT RAISE(ABORT, 'power'); END",
    )
    with pytest.raises(IntegrityError, match="power"):
        command.upgrade(config, "0002")
    execute(path, "DROP TRIGGER cut")
    assert schema(path) == before
    command.upgrade(config, "0002")


COUNTERS = {
    "images_counted_in",
    "images_counted_out",
    "images_counted_over",
    "labels_counted_out",
    "datasets_counted_out",
}


def test_the_counting_triggers_are_there(config: Config, tmp_path: Path):
    """A step that makes a table anew takes its triggers away, and has to make them again."""
    command.upgrade(config, "head")
    found = execute(
        tmp_path / "bowerbird.db", "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    assert {name for (name,) in found} == COUNTERS


ADDRESSES = {
    "http://a.test/1": "a.test",
    "https://img.example.org:8443/x?y=http://b.test/": "img.example.org",
    "http://[2606:4700::1]:8080/a.jpg": "2606:4700::1",
    "http://93.184.216.34/a.jpg": "93.184.216.34",
    "of another time": "-",
}


def test_images_from_before_get_their_host_and_are_counted(config: Config, tmp_path: Path):
    path = tmp_path / "bowerbird.db"
    command.upgrade(config, "0001")
    fill_old(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for number, key in enumerate(ADDRESSES):
            connection.execute(
                "INSERT INTO images (id, dataset_id, url, url_key, status, created_at, attempts,"
                " excluded) VALUES (?, 'd', ?, ?, 'queued', '2026-11-22 10:00:00', 0, 1)",
                (f"new{number}", key, key),
            )
    command.upgrade(config, "0003")
    found = dict(execute(path, "SELECT url_key, host FROM images WHERE id LIKE 'new%'"))
    assert found == ADDRESSES
    assert execute(path, "SELECT host FROM images WHERE id = 'uploaded'") == [(None,)]
    counts = {row[2]: row[3:] for row in execute(path, "SELECT * FROM image_counts")}
    assert counts == {
        "duplicate": (1, 0),
        "queued": (1 + len(ADDRESSES), len(ADDRESSES)),
        "ready": (2, 0),
        "rejected": (5, 0),
    }


def test_tries_from_before_are_kept_and_name_no_refused_bytes(config: Config, tmp_path: Path):
    path = tmp_path / "bowerbird.db"
    command.upgrade(config, "0001")
    fill_old(path)
    command.upgrade(config, "0005")
    execute(
        path,
        "INSERT INTO attempts (image_id, number, started_at, seconds, reason, bytes, downgraded)"
        " VALUES ('page', 1, '2026-11-22 10:00:00', 0.5, 'not-an-image', 9, 1)",
    )
    before = execute(path, "SELECT * FROM attempts")
    command.upgrade(config, "0006")
    assert [row[: len(before[0])] for row in execute(path, "SELECT * FROM attempts")] == before
    new = execute(path, "SELECT detail, etag, last_modified, rules FROM attempts")
    assert new == [(None, None, None, None)]
    command.downgrade(config, "0005")
    assert execute(path, "SELECT * FROM attempts") == before


PAGES = {
    "https://Blog.Test/post?x=http://b.test/": "blog.test",
    "http://user:secret@a.test:8080": "a.test",
    "https://[2606:4700::1]/": "2606:4700::1",
    "https://a.test.": "a.test",
    "of another time": None,
    "https://exämple.test/": None,
}


def test_images_from_before_get_a_version_and_the_host_of_their_page(
    config: Config, tmp_path: Path
):
    path = tmp_path / "bowerbird.db"
    command.upgrade(config, "0001")
    fill_old(path)
    command.upgrade(config, "0006")
    with closing(sqlite3.connect(path)) as connection, connection:
        for number, page in enumerate(PAGES):
            connection.execute(
                "INSERT INTO images (id, dataset_id, url_key, source_url, status, created_at,"
                " attempts, excluded) VALUES (?, 'd', ?, ?, 'queued', '2026-11-22 10:00:00', 0, 0)",
                (f"new{number}", page, page),
            )
    command.upgrade(config, "0007")
    found = dict(execute(path, "SELECT source_url, page_host FROM images WHERE id LIKE 'new%'"))
    assert found == PAGES
    assert execute(path, "SELECT DISTINCT version FROM images") == [(1,)]
    command.downgrade(config, "0006")
    command.upgrade(config, "0007")
    assert dict(execute(path, "SELECT source_url, page_host FROM images WHERE id LIKE 'new%'")) == (
        PAGES
    )


def test_a_removal_is_named_by_its_snapshot_until_that_goes(config: Config, tmp_path: Path):
    """What was removed is remembered; only what is said of a snapshot goes with it."""
    path = tmp_path / "bowerbird.db"
    command.upgrade(config, "0001")
    fill_old(path)
    command.upgrade(config, "0008")
    day = "'2026-11-22 10:00:00'"
    for sql in (
        f"INSERT INTO snapshots VALUES ('s', 'd', '', 0.2, 42, '{{}}', {day})",
        f"INSERT INTO removals VALUES ('r', 'a.test', 'd', 1, 2, 1, 2, 9, '{{}}', {day}, NULL)",
        f"INSERT INTO removed_blobs VALUES ('{0:064x}', 'r', {day})",
        "INSERT INTO snapshot_removals VALUES ('s', 'r', 2, 1)",
        f"INSERT INTO blocked_sites VALUES ('a.test', {day})",
        "PRAGMA foreign_keys=ON; DELETE FROM snapshots",
    ):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(sql)
    assert execute(path, "SELECT * FROM snapshot_removals") == []
    kept = [execute(path, f"SELECT count(*) FROM {name}") for name in ("removals", "removed_blobs")]
    assert kept == [[(1,)], [(1,)]]
    command.downgrade(config, "0007")
    command.upgrade(config, "0008")
    assert execute(path, "SELECT count(*) FROM images") == [(len(OLD_IMAGES),)]

"""How SQLite goes about what is asked often: along an index, never through a whole dataset."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from server.repositories import queue

VALUES = {"dataset_id": "d", "after": "", "most": 5, "now": "2026-11-22"}
VALUES |= {"hosts": '["a"]', "ids": '["i"]', "digests": '["s"]'}
PAGE = "SELECT * FROM images WHERE dataset_id = 'd'"
STATEMENTS = {
    "hosts": (str(queue._HOSTS), "ix_images_due (dataset_id=? AND host>?)"),
    "of-hosts": (str(queue._OF_HOSTS), "ix_images_due (dataset_id=? AND host=?)"),
    "claim": (str(queue._CLAIM), "sqlite_autoindex_images_1 (id=?)"),
    "claimed": (str(queue._CLAIMED), "sqlite_autoindex_images_1 (id=?)"),
    "wake": (str(queue._WAKE), "ix_images_waiting (not_before_at<?)"),
    "holders": (str(queue._READY), "uq_images_ready_blob (dataset_id=? AND sha256=?)"),
    "refusals": (str(queue._REFUSALS), "attempts USING PRIMARY KEY (image_id=?)"),
    "first-page": (f"{PAGE} ORDER BY id LIMIT 100", "ix_images_dataset_id_id (dataset_id=?)"),
    "next-page": (
        f"{PAGE} AND id > :after ORDER BY id LIMIT 100",
        "ix_images_dataset_id_id (dataset_id=? AND id>?)",
    ),
    "page-of-a-status": (
        f"{PAGE} AND status = 'ready' ORDER BY id DESC LIMIT 100",
        "ix_images_dataset_id_status_id (dataset_id=? AND status=?)",
    ),
}


@pytest.fixture
def connection(data_folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(data_folder / "bowerbird.db")) as connection:
        yield connection


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_is_asked_often_is_found_along_an_index(connection, name):
    statement, index = STATEMENTS[name]
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", VALUES).fetchall()
    steps = [row[3] for row in rows]
    on_tables = [step for step in steps if "images" in step or "attempts" in step]
    assert any(index in step for step in on_tables), steps
    assert all(step.startswith("SEARCH") for step in on_tables), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps

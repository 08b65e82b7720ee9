"""How SQLite goes about what is asked often: along an index, never through a whole dataset."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from server.db.models import ImageRecord
from server.media.hints import HintName
from server.repositories import listing, queue
from server.repositories.filters import ImageFilter, ImageSort, conditions

DAY = datetime(2026, 11, 22, tzinfo=UTC)

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


# What a list is narrowed by, and the index that finds it.
FILTERS = {
    "of-a-label": (ImageFilter(label="cat"), "ix_images_label_id_id (label_id=?)"),
    "of-a-label-and-status": (
        ImageFilter(label="cat", status="ready"),
        "ix_images_label_id_id (label_id=?)",
    ),
    "of-a-reason": (
        ImageFilter(reason="timeout"),
        "ix_images_dataset_id_reason_id (dataset_id=? AND reason=?)",
    ),
    "reviewed": (ImageFilter(reviewed=True), "ix_images_reviewed (dataset_id=?)"),
    "of-a-day": (
        ImageFilter(captured_from=DAY, captured_before=DAY),
        "ix_images_dataset_id_id (dataset_id=? AND id>? AND id<?)",
    ),
    "of-a-site": (
        ImageFilter(site="a.test"),
        "ix_images_dataset_id_page_host (dataset_id=? AND page_host=?)",
    ),
    "alike": (ImageFilter(near_group="g"), "(dataset_id=? AND sha256=?)"),
    "of-an-engine": (ImageFilter(engine="bing"), "(dataset_id=? AND id=?)"),
    "small": (ImageFilter(max_px=100), "ix_images_bytes (dataset_id=? AND sha256=?)"),
    "dark": (ImageFilter(hint=HintName.DARK), "ix_images_bytes (dataset_id=? AND sha256=?)"),
}


@pytest.mark.parametrize("name", FILTERS)
def test_what_a_list_is_narrowed_by_is_found_along_an_index(connection, name):
    wanted, index = FILTERS[name]
    steps = plan(connection, select(ImageRecord.id).where(*conditions("d", wanted)))
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("SCAN images") for step in steps), steps


@pytest.mark.parametrize("sort", [sort for sort in ImageSort if sort.measure is not None])
def test_what_a_list_goes_by_is_read_from_indexes_alone(connection, sort):
    steps = plan(connection, listing.pick("d", ImageFilter(sort=sort), None))
    assert steps[:2] == [
        "SCAN blobs USING COVERING INDEX ix_blobs_measures",
        "SEARCH images USING COVERING INDEX ix_images_bytes (dataset_id=? AND sha256=?)",
    ]


def plan(connection: sqlite3.Connection, query: Any) -> list[str]:
    statement = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]

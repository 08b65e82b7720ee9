"""How SQLite goes about what is asked often: along an index, never through a whole dataset."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import sqlite

from server.db.hints import HintedCompiler
from server.media.hints import HintName
from server.repositories import picking, queue
from server.repositories.filters import ImageFilter, ImageSort
from server.repositories.obtainable import ObtainableBy

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
    "first-page": (f"{PAGE} ORDER BY id LIMIT 100", "ix_images_list (dataset_id=?)"),
    "next-page": (
        f"{PAGE} AND id > :after ORDER BY id LIMIT 100",
        "ix_images_list (dataset_id=? AND id>?)",
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


# Each condition that a list has: none may be what another is gone through for.
FILTERS = {
    "label": ImageFilter(label="cat"),
    "status": ImageFilter(status="ready"),
    "reason": ImageFilter(reason="timeout"),
    "excluded": ImageFilter(excluded=True),
    "reviewed": ImageFilter(reviewed=True),
    "obtainable": ImageFilter(obtainable=ObtainableBy.BROWSER),
    "engine": ImageFilter(engine="bing"),
    "query": ImageFilter(query="cats"),
    "site": ImageFilter(site="a.test"),
    "q": ImageFilter(q="cat"),
    "days": ImageFilter(captured_from=DAY, captured_before=DAY),
    "members": ImageFilter(members='["s"]'),
    "sha256": ImageFilter(sha256="s"),
    "near_group": ImageFilter(near_group="g"),
    "min_px": ImageFilter(min_px=100),
    "hint": ImageFilter(hint=HintName.DARK),
}
PAIRS = [*combinations(FILTERS, 2), *((name, name) for name in FILTERS)]
ALONG = ("ix_images_list", "ix_images_bytes", "ix_images_label_id_id", "(rowid")
ALONG_STATUS = "ix_images_dataset_id_status_id"
FOUND = ("_host", "_page_host", "_reason_id")  # indexes that make a set of rows


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("sort", [ImageSort.NEWEST, ImageSort.SHARPNESS])
def test_a_list_is_picked_in_one_pass_whatever_is_asked(connection, first, second, sort):
    asked = vars(FILTERS[first]) | {
        name: value for name, value in vars(FILTERS[second]).items() if value is not None
    }
    steps = plan(connection, picking.pick("d", ImageFilter(**asked | {"sort": sort})))
    on_images = [step for step in steps if re.match(r"(SEARCH|SCAN) images\b", step)]
    assert on_images, steps
    for step in on_images:
        assert step.startswith("SEARCH"), steps
        assert any(index in step for index in (*ALONG, ALONG_STATUS, *FOUND)), steps
    # A second table in the same loop is looked up by what it is kept under.
    on_blobs = [step for step in steps if re.match(r"(SEARCH|SCAN) blobs\b", step)]
    assert all("ix_blobs_measures (sha256=?)" in step for step in on_blobs), steps


@pytest.mark.parametrize("sort", [sort for sort in ImageSort if sort.measure is not None])
def test_what_a_list_goes_by_is_read_from_indexes_alone(connection, sort):
    steps = plan(connection, picking.pick("d", ImageFilter(sort=sort)))
    assert [step.replace(">?", "=?") for step in steps[:2]] == [
        "SEARCH images USING COVERING INDEX ix_images_bytes (dataset_id=? AND sha256=?)",
        "SEARCH blobs USING COVERING INDEX ix_blobs_measures (sha256=?)",
    ]


@pytest.mark.parametrize("sort", [ImageSort.NEWEST, ImageSort.SHARPNESS])
def test_a_side_of_a_snapshot_is_gone_through_and_made_no_set_of(connection, sort):
    both = replace(FILTERS["members"], q="cat", sort=sort)
    steps = plan(connection, picking.pick("d", both))
    assert steps[0].startswith("SCAN"), steps
    assert "VIRTUAL TABLE" in steps[0], steps
    assert "USING COVERING INDEX ix_images_bytes (dataset_id=? AND sha256=?)" in steps[1], steps
    assert sum(step.startswith("LIST SUBQUERY") for step in steps) == 1, steps  # of the text


def test_where_a_datasets_rows_begin_and_end_is_found_in_one_pass(connection):
    steps = plan(connection, picking.pick("d", FILTERS["q"]))
    on_images = [step for step in steps if re.match(r"(SEARCH|SCAN) images\b", step)]
    assert [re.search(r"ix_images_list|PRIMARY KEY", step)[0] for step in on_images] == [
        "ix_images_list",
        "PRIMARY KEY",
    ]


@pytest.mark.parametrize("name", ["label", "status", "excluded", "reviewed", "engine", "days"])
def test_what_most_lists_are_narrowed_by_is_read_without_rows(connection, name):
    steps = plan(connection, picking.pick("d", replace(FILTERS[name], excluded=False)))
    assert any("images USING COVERING INDEX ix_images_list" in step for step in steps), steps


def plan(connection: sqlite3.Connection, query: Any) -> list[str]:
    dialect = sqlite.dialect()
    dialect.statement_compiler = HintedCompiler
    statement = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]

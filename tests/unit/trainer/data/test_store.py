"""The cache of features and pixels."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from trainer.data import cache_file
from trainer.data.store import ImageArrays, open_store


def _arrays(number: int) -> ImageArrays:
    return ImageArrays(
        np.full(5, number, dtype=np.float32), np.full((32, 32, 3), number, dtype=np.uint8)
    )


def test_what_was_added_is_found_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "new" / "features.sqlite"
    with open_store(path) as store:
        store.add("v1", {"a": _arrays(1), "b": _arrays(2)})
    with open_store(path) as store:
        found = store.find("v1", ["a", "b", "c"])
    assert sorted(found) == ["a", "b"]
    np.testing.assert_array_equal(found["b"].features, _arrays(2).features)
    np.testing.assert_array_equal(found["b"].pixels, _arrays(2).pixels)


def test_variants_are_kept_apart(tmp_path: Path) -> None:
    with open_store(tmp_path / "f.sqlite") as store:
        store.add("v1", {"a": _arrays(1)})
        assert store.find("v2", ["a"]) == {}
        store.add("v2", {"a": _arrays(9)})
        assert store.find("v1", ["a"])["a"].features[0] == 1


def test_many_are_found_at_once(tmp_path: Path) -> None:
    names = [f"{number:04}" for number in range(1200)]
    with open_store(tmp_path / "f.sqlite") as store:
        store.add("v", {name: _arrays(7) for name in names})
        assert sorted(store.find("v", names)) == names


def test_a_batch_is_kept_although_the_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "f.sqlite"
    with open_store(path) as store:
        store.add("v", {"a": _arrays(1)})
        # Read by another connection while the first is still open: nothing waits for a close.
        with open_store(path) as other:
            assert list(other.find("v", ["a"])) == ["a"]


def test_a_damaged_file_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "f.sqlite"
    path.write_bytes(b"not a database, but long enough to be read as one" * 9)
    with caplog.at_level(logging.WARNING), open_store(path) as store:
        store.add("v", {"a": _arrays(1)})
        assert list(store.find("v", ["a"])) == ["a"]
    assert [record.message for record in caplog.records] == ["store.replaced"]


def test_the_file_is_closed_after_the_block(tmp_path: Path) -> None:
    with open_store(tmp_path / "f.sqlite") as store:
        pass
    with pytest.raises(sqlite3.ProgrammingError):
        store.find("v", ["a"])


def test_a_file_that_is_only_busy_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_file, "_BUSY_TIMEOUT_S", 0)
    path = tmp_path / "features.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE kept (word)")
        other.commit()
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"), open_store(path):
            pass
        other.rollback()
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("kept",)]
    other.close()


def test_two_trainers_make_the_file_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "features.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE kept (word)")
        other.execute("BEGIN IMMEDIATE")  # as for a moment who changes how the file is written
        waited: list[float] = []

        def wait(pause_s: float) -> None:
            waited.append(pause_s)
            other.rollback()

        monkeypatch.setattr(cache_file.time, "sleep", wait)
        with open_store(path) as store:
            store.add("v", {"a": _arrays(1)})
    assert len(waited) == 1

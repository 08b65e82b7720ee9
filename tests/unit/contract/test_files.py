"""Atomic writes, hashes, joins and canonical JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract.errors import FormatError
from server.contract.files import (
    atomic_writer,
    canonical_json,
    sha256_of,
    sha256_of_file,
    write_atomically,
)

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda children: (
        st.lists(children) | st.dictionaries(st.text(st.characters(codec="utf-8")), children)
    ),
    max_leaves=10,
)


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def stop_half_way() -> None:
        with atomic_writer(path) as file:
            file.write(b"new")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        stop_half_way()
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_file_with_a_very_long_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


def test_hashes_of_bytes_and_files_agree(tmp_path: Path) -> None:
    data = bytes(range(256)) * 8192  # 2 MiB: more than one piece
    path = tmp_path / "file"
    path.write_bytes(data)
    assert sha256_of_file(path) == sha256_of(data) == hashlib.sha256(data).hexdigest()


def test_canonical_json_is_sorted_compact_and_plain() -> None:
    value = {"b": [1, 2.5, None], "a": "Bär\n"}
    assert canonical_json(value) == '{"a":"Bär\\n","b":[1,2.5,null]}'.encode()


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), "\ud800", {"key": object()}],
    ids=["not a number", "infinity", "half a character", "an object"],
)
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(FormatError):
        canonical_json(value)


@pytest.mark.fuzz
@given(_JSON)
def test_canonical_json_reads_back_and_stays_the_same(value: object) -> None:
    data = canonical_json(value)
    assert canonical_json(json.loads(data)) == data
    assert b"\n" not in data

"""Identity: one process at a time has one, and who comes after it has the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.contract.jobs import ClaimRequest
from trainer import identity
from trainer.identity import claimed


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is about to leave."""
    monkeypatch.setattr(identity, "_PATIENCE_S", 0.0)


def test_two_of_one_name_differ_and_who_comes_after_them_does_not(tmp_path: Path) -> None:
    work = tmp_path / "work"
    with claimed(work, "one") as first, claimed(work, "one") as second:
        with claimed(work, "other") as other, claimed(tmp_path / "elsewhere", "one") as far:
            assert len({first, second, other, far}) == 4
        assert re.fullmatch(r"one\.[0-9a-f]{8}", first)
    with claimed(work, "one") as again, claimed(work, "one") as fourth:
        assert (again, fourth) == (first, second)


def test_who_comes_waits_for_who_is_about_to_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_PATIENCE_S", 60.0)
    leaving = claimed(tmp_path, "one")
    first = leaving.__enter__()
    monkeypatch.setattr(identity.time, "sleep", lambda _: leaving.__exit__(None, None, None))
    with claimed(tmp_path, "one") as second:
        assert second == first


@pytest.mark.parametrize("kept", ["", "0123", "ABCDEF01", "01234567\n", "a b c d e", "\u00e4" * 8])
def test_a_damaged_file_is_written_anew(tmp_path: Path, kept: str) -> None:
    (tmp_path / "one.0.identity").write_text(kept)
    with claimed(tmp_path, "one") as first:
        pass
    with claimed(tmp_path, "one") as second:
        assert second == first
    assert first == f"one.{(tmp_path / 'one.0.identity').read_text()}"


def test_without_a_folder_there_is_one_for_once(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("no folder")
    with claimed(tmp_path / "work", "one") as first, claimed(tmp_path / "work", "one") as second:
        assert first != second


def test_the_longest_name_is_one_that_the_server_takes(tmp_path: Path) -> None:
    with claimed(tmp_path, "n" * 100) as name:
        assert ClaimRequest(worker=name).worker == name

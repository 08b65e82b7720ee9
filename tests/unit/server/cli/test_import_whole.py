"""Folders that are zipped on the way to the server: nothing is dropped without a word."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from server.cli.errors import CommandError
from server.cli.importing import whole


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "in"
    (root / "train").mkdir(parents=True)
    (root / "train" / "a.jpg").write_bytes(b"a")
    return root


def names(path: Path) -> tuple[list[str], int]:
    with whole._as_file(path) as (file, left_out_count), zipfile.ZipFile(file) as archive:
        return archive.namelist(), left_out_count


def test_links_within_are_followed_and_all_that_is_left_out_is_named(root, tmp_path, capsys):
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "in.jpg").symlink_to(root / "train" / "a.jpg")
    (root / "out.jpg").symlink_to(tmp_path / "secret")
    (root / "dangling.jpg").symlink_to(root / "nowhere")
    (root / "loop").symlink_to(root)
    (root / ".git").mkdir()
    (root / ".hidden.jpg").write_bytes(b"x")
    (root / os.fsdecode(b"b\xff.jpg")).write_bytes(b"x")
    assert names(root) == (["in.jpg", "train/a.jpg"], 6)
    told = capsys.readouterr().err
    for why in (
        "out.jpg: a link that leads out of the folder",
        "dangling.jpg: No such file",
        "loop: a link to a folder",
        ".git: hidden",
        ".hidden.jpg: hidden",
        "its name is not UTF-8",
    ):
        assert why in told


def test_a_file_from_before_zips_is_sent(root):
    os.utime(root / "train" / "a.jpg", (0, 0))
    assert names(root) == (["train/a.jpg"], 0)


def test_a_zip_that_cannot_be_written_names_the_file_and_what_to_do(root):
    with pytest.raises(CommandError, match=r"a\.jpg can't be put into") as error:
        whole._pack(root, Path("/dev/full"))
    assert "TMPDIR" in str(error.value.advice)

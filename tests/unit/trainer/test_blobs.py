"""The cap on downloaded blobs."""

from __future__ import annotations

import os
from pathlib import Path

from trainer.blobs import trim


def _blob(folder: Path, name: str, size: int, age: int) -> Path:
    path = folder / name[:2] / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (1000 - age, 1000 - age))
    return path


def test_the_oldest_blobs_go_first(tmp_path: Path) -> None:
    old, middle, new = (
        _blob(tmp_path, name, 10, age) for name, age in (("aa", 9), ("bb", 5), ("cc", 1))
    )
    assert trim(tmp_path, 20) == 1
    assert [path.exists() for path in (old, middle, new)] == [False, True, True]


def test_nothing_goes_below_the_cap(tmp_path: Path) -> None:
    _blob(tmp_path, "aa", 10, 1)
    assert trim(tmp_path, 10) == 0
    assert trim(tmp_path / "none", 10) == 0

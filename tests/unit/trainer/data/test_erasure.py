"""Taking images out of the caches: the rows go, and no byte of them stays in any file."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from trainer.data import cache_file
from trainer.data.cache_file import FEATURES_FILE, PICTURES_FILE
from trainer.data.erasure import erase
from trainer.data.pictures import open_pictures
from trainer.data.store import ImageArrays, open_store

SIDE_PX = 224
VARIANTS = ("a" * 64, "f" * 64)
HASHES = [hashlib.sha256(bytes([n])).hexdigest() for n in range(12)]


def square(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)


def arrays(number: int) -> ImageArrays:
    random = np.random.default_rng(100 + number)
    features = random.normal(size=1280).astype(np.float32)
    return ImageArrays(features, random.integers(0, 256, (32, 32, 3), dtype=np.uint8))


def fill(work: Path, max_bytes: int = 1 << 30) -> None:
    with (
        open_store(work / FEATURES_FILE) as store,
        open_pictures(work / PICTURES_FILE, max_bytes) as pictures,
    ):
        for variant in VARIANTS:
            store.add(variant, {sha: arrays(n) for n, sha in enumerate(HASHES)})
            for n, sha in enumerate(HASHES):
                pictures.add(variant, {sha: square(n)})


def kept(work: Path) -> dict[str, set[str]]:
    """Return whose rows each cache has under all variants."""
    with (
        open_store(work / FEATURES_FILE) as store,
        open_pictures(work / PICTURES_FILE, 1 << 30) as pictures,
    ):
        return {
            "features": set.intersection(*(set(store.find(v, HASHES)) for v in VARIANTS)),
            "pictures": set.intersection(*(set(pictures.find(v, HASHES)) for v in VARIANTS)),
        }


def traces(work: Path, number: int) -> list[str]:
    """Return in which files bytes of an image are still to be found, by any part of them."""
    whole = (square(number).tobytes(), arrays(number).features.tobytes())
    parts = [data[start : start + 64] for data in whole for start in range(0, len(data) - 64, 997)]
    files = {path.name: path.read_bytes() for path in work.iterdir() if path.is_file()}
    return [name for name, data in files.items() if any(part in data for part in parts)]


def test_images_are_gone_from_rows_and_files(tmp_path: Path):
    fill(tmp_path)
    assert traces(tmp_path, 3), "else what follows would prove nothing"
    assert erase(tmp_path, [HASHES[3], HASHES[7], "0" * 64]) == 2 * 2 * 2
    assert traces(tmp_path, 3) == traces(tmp_path, 7) == []
    left = set(HASHES) - {HASHES[3], HASHES[7]}
    assert kept(tmp_path) == {"features": left, "pictures": left}
    assert erase(tmp_path, [HASHES[3]]) == 0


def test_more_than_a_statement_takes_are_gone(tmp_path: Path):
    fill(tmp_path)
    others = [hashlib.sha256(f"other {n}".encode()).hexdigest() for n in range(600)]
    assert erase(tmp_path, [*others, *HASHES]) == 2 * 2 * len(HASHES)
    assert kept(tmp_path) == {"features": set(), "pictures": set()}
    assert not any(traces(tmp_path, n) for n in range(len(HASHES)))


def test_what_made_room_for_others_left_nothing(tmp_path: Path):
    size_bytes = SIDE_PX * SIDE_PX * 3
    for most, numbers in ((12, range(11)), (3, range(11, 12))):
        with open_pictures(tmp_path / PICTURES_FILE, most * size_bytes) as pictures:
            for n in numbers:
                pictures.add(VARIANTS[0], {HASHES[n]: square(n)})
            there = pictures.find(VARIANTS[0], HASHES)
    assert sorted(there) == sorted(HASHES[-3:])
    erase(tmp_path, HASHES[:9])
    assert not any(traces(tmp_path, n) for n in range(9))


def test_a_file_of_an_older_revision_goes_whole(tmp_path: Path):
    fill(tmp_path)
    for name in (FEATURES_FILE, PICTURES_FILE):
        old = sqlite3.connect(tmp_path / name)  # deletes as SQLite does by itself
        table = "images" if name == FEATURES_FILE else "pictures"
        with old:
            old.execute("PRAGMA secure_delete = OFF")
            old.execute("PRAGMA user_version = 0")
            old.execute(f"DELETE FROM {table} WHERE sha256 = ?", (HASHES[3],))
        old.close()
    assert traces(tmp_path, 3)
    erase(tmp_path, [HASHES[3]])
    assert list(tmp_path.iterdir()) == []
    fill(tmp_path)
    assert erase(tmp_path, [HASHES[3]]) == 4, "a new one is not discarded again"


def test_a_cache_that_somebody_reads_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cache_file, "_BUSY_TIMEOUT_S", 0.01)
    fill(tmp_path)
    reader = sqlite3.connect(tmp_path / FEATURES_FILE)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM images").fetchone()
    with pytest.raises(sqlite3.OperationalError):
        erase(tmp_path, [HASHES[3]])
    reader.close()
    erase(tmp_path, [HASHES[3]])
    assert traces(tmp_path, 3) == []


def test_where_nothing_is_cached_nothing_is_made(tmp_path: Path):
    assert erase(tmp_path / "none", HASHES) == 0
    assert list(tmp_path.iterdir()) == []
    (tmp_path / FEATURES_FILE).write_bytes(b"no database" * 1000)
    assert erase(tmp_path, HASHES) == 0
    assert list(tmp_path.iterdir()) == [], "a damaged one goes whole"

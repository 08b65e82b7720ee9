"""Pictures at training size: decoded once, within a cap, the same as served images see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from server.contract.preprocess import Preprocessing, normalise, preprocess
from tests.support.snapshots import coloured, make_snapshot
from trainer.data.pictures import Pictures, open_pictures
from trainer.errors import JobFailedError

pytestmark = pytest.mark.slow

_NUMBERS = Preprocessing(size_px=32, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), resize="crop")
_ONE = 32 * 32 * 3


def _nothing(_done: int, _total: int) -> None:
    pass


def test_pictures_are_what_serving_sees_to_the_bit(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(3))
    with open_pictures(tmp_path / "p.sqlite", 1 << 20) as store:
        pictures = Pictures(snapshot, _NUMBERS, store)
        pictures.prepare(snapshot.items, _nothing)
        squares = pictures.read(snapshot.items)
    for square, item in zip(squares, snapshot.items, strict=True):
        np.testing.assert_array_equal(
            normalise(square, _NUMBERS), preprocess(snapshot.path(item), _NUMBERS)
        )


def test_an_image_is_decoded_once(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(3))
    told: list[tuple[int, int]] = []
    with open_pictures(tmp_path / "p.sqlite", 1 << 20) as store:
        Pictures(snapshot, _NUMBERS, store).prepare(snapshot.items, _nothing)
    for item in snapshot.items:
        snapshot.path(item).unlink()
    with open_pictures(tmp_path / "p.sqlite", 1 << 20) as store:
        pictures = Pictures(snapshot, _NUMBERS, store)
        pictures.prepare(snapshot.items, lambda *step: told.append(step))
        assert pictures.read(snapshot.items).shape == (9, 32, 32, 3)
    assert told == [(9, 9)]


def test_the_file_keeps_within_its_cap_and_the_rest_is_decoded_anew(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(4))
    with open_pictures(tmp_path / "p.sqlite", 5 * _ONE + 1) as store:
        pictures = Pictures(snapshot, _NUMBERS, store)
        pictures.prepare(snapshot.items, _nothing)
        hashes = [item.sha256 for item in snapshot.items]
        assert list(store.find(pictures.variant, hashes)) == sorted(hashes[:5])
        assert pictures.read(snapshot.items).shape == (12, 32, 32, 3)


def test_the_longest_unused_make_room(tmp_path: Path) -> None:
    squares = {str(number): np.full((32, 32, 3), number, np.uint8) for number in range(4)}
    with open_pictures(tmp_path / "p.sqlite", 3 * _ONE) as store:
        for name in "012":
            store.add("v", {name: squares[name]})
        assert store.use("v", ["0", "3"]) == {"0"}
        store.add("v", {"3": squares["3"]})
        assert set(store.find("v", list(squares))) == {"0", "2", "3"}
        assert store.find("another", list(squares)) == {}


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "p.sqlite").write_bytes(b"not a database" * 100)
    with open_pictures(tmp_path / "p.sqlite", 1 << 20) as store:
        assert store.find("v", ["0"]) == {}


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(3))
    snapshot.path(snapshot.items[4]).write_bytes(b"no image")
    with (
        open_pictures(tmp_path / "p.sqlite", 1 << 20) as store,
        pytest.raises(JobFailedError, match=snapshot.items[4].sha256),
    ):
        Pictures(snapshot, _NUMBERS, store).prepare(snapshot.items, _nothing)

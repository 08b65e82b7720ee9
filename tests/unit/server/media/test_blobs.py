"""The stores: whole files or none, names that cannot leave the folder, remains swept."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from server.contract.files import sha256_of
from server.media import blobs
from server.media.blobs import BlobStore, ThumbnailStore

DATA = b"the bytes of an image"
NAME = sha256_of(DATA)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_bytes_lie_under_their_hash(store: BlobStore, tmp_path: Path) -> None:
    assert not store.exists(NAME)
    assert not store.verify(NAME)
    path = store.write(DATA, NAME)
    assert path == tmp_path / "blobs" / NAME[:2] / NAME
    assert path == store.path(NAME)
    assert path.read_bytes() == DATA
    assert store.exists(NAME)
    assert store.verify(NAME)
    assert files_below(tmp_path) == [path]


def test_files_of_the_former_layout_are_found_after_they_were_moved(
    store: BlobStore, tmp_path: Path
) -> None:
    root = tmp_path / "blobs"
    former = root / NAME[:2] / NAME[2:4] / NAME
    former.parent.mkdir(parents=True)
    former.write_bytes(DATA)
    (former.parent / f".{NAME}.tmp").write_bytes(DATA[:3])
    assert not store.exists(NAME)
    assert store.flatten() == 1
    assert store.verify(NAME)
    assert files_below(root) == [store.path(NAME)]
    assert not former.parent.exists()
    assert store.flatten() == 0


@pytest.mark.parametrize("likely_bytes", [None, 0, len(DATA) - 1, len(DATA), len(DATA) + 9])
def test_a_file_is_read_whole_whatever_size_was_expected(
    store: BlobStore, likely_bytes: int | None
) -> None:
    store.write(DATA, NAME)
    assert store.read(NAME, likely_bytes) == DATA


def test_known_bytes_are_not_written_again(store: BlobStore) -> None:
    path = store.write(DATA, NAME)
    before = path.stat()
    store.write(DATA, NAME)
    after = path.stat()
    assert after.st_ino == before.st_ino
    assert after.st_mtime_ns >= before.st_mtime_ns, "young again, so that no sweep takes it"


def test_a_damaged_file_is_mended_by_the_bytes_that_belong_there(store: BlobStore) -> None:
    path = store.write(DATA, NAME)
    path.write_bytes(DATA[::-1])
    store.write(DATA, NAME)
    assert path.read_bytes() == DATA


def test_bytes_under_a_wrong_name_are_refused(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="hash"):
        store.write(DATA + b"!", NAME)
    assert files_below(tmp_path) == []


def test_damage_on_disk_is_seen(store: BlobStore) -> None:
    store.write(DATA, NAME).write_bytes(DATA[:-1])
    assert store.exists(NAME)
    assert not store.verify(NAME)


def test_deleting_tells_whether_it_was_there(store: BlobStore) -> None:
    store.write(DATA, NAME)
    assert store.delete(NAME)
    assert not store.delete(NAME)
    assert not store.exists(NAME)


@pytest.mark.parametrize(
    "name",
    ["", "a", NAME.upper(), NAME + "0", NAME[:-1], NAME + "\n", "../" + NAME, "../../etc/passwd",
     "/etc/passwd", NAME[:-1] + "/", NAME[:-1] + "\0", "\u0660" * 64],
)  # fmt: skip
def test_nothing_but_a_hash_becomes_a_path(tmp_path: Path, name: str) -> None:
    store = ThumbnailStore(tmp_path / "thumbnails")
    for act in (store.path, store.exists, store.delete, lambda n: store.write(DATA, n)):
        with pytest.raises(ValueError, match="sha256"):
            act(name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        store.write(DATA, NAME)
    assert files_below(tmp_path) == []


def test_many_writers_of_one_name_do_no_harm(store: BlobStore, tmp_path: Path) -> None:
    threads = [threading.Thread(target=store.write, args=(DATA, NAME)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.verify(NAME)
    assert len(files_below(tmp_path)) == 1


def test_remains_of_a_dead_process_are_swept_and_nothing_else(store: BlobStore) -> None:
    path = store.write(DATA, NAME)
    old = path.parent / f".{NAME}.abc.tmp"
    young = path.parent / f".{NAME}.def.tmp"
    for remains in (old, young):
        remains.write_bytes(b"half")
    os.utime(old, (1, 1))
    os.utime(path, (1, 1))
    assert store.sweep_temporary_files() == 1
    assert set(files_below(path.parent)) == {path, young}
    assert store.sweep_temporary_files(older_than_s=0) == 1
    assert files_below(path.parent) == [path]


def test_sweeping_survives_another_sweeper(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    remains = store.write(DATA, NAME).parent / ".x.tmp"
    remains.write_bytes(b"half")
    os.utime(remains, (1, 1))

    def gone(self: Path, missing_ok: bool = False) -> None:
        raise FileNotFoundError(str(self))

    monkeypatch.setattr(blobs.Path, "unlink", gone)
    assert store.sweep_temporary_files() == 0


def test_sweeping_a_store_that_was_never_used_is_nothing(store: BlobStore) -> None:
    assert store.sweep_temporary_files() == 0


def test_thumbnails_lie_under_the_hash_of_their_image(tmp_path: Path) -> None:
    store = ThumbnailStore(tmp_path)
    path = store.write(b"small", NAME)
    assert path.name == f"{NAME}.jpg"
    assert store.exists(NAME)

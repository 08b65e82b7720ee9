"""Files made durable at once, with and without the system's own call for it."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import pytest

from server.media import durable
from server.media.blobs import BlobStore, ThumbnailStore
from server.media.durable import FileSystem
from server.media.verify import verify
from server.pipeline.shelf import ContentShelf
from tests.support.images import jpeg

DATA = b"bytes of a picture"
NAME = "ab" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_files_are_synced_one_by_one_where_there_is_no_other_way(folder: Path, monkeypatch):
    monkeypatch.setattr(durable, "_SYNCFS", None)
    store = BlobStore(folder / "blobs")
    path = store.put(DATA, NAME)
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    system = FileSystem(folder)
    system.make_durable([path])
    system.close()
    # The file, and each folder whose entry may be new.
    assert synced[0] == str(path)
    assert set(synced) == {str(path), *(str(parent) for parent in list(path.parents)[:3])}


def test_the_whole_file_system_is_synced_by_one_call(folder: Path, monkeypatch):
    calls: list[int] = []
    monkeypatch.setattr(durable, "_SYNCFS", lambda descriptor: calls.append(descriptor) or 0)
    system = FileSystem(folder)
    system.make_durable([])
    system.close()
    assert len(calls) == 1


def test_a_disk_that_failed_is_told(folder: Path, monkeypatch):
    def fail(_descriptor: int) -> int:
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(durable, "_SYNCFS", fail)
    system = FileSystem(folder)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        system.make_durable([])
    system.close()


def test_after_a_failed_sync_nothing_that_is_there_is_trusted(folder: Path, monkeypatch):
    """The kernel shows the bytes and calls them clean, though they never reached the disk."""
    blobs, thumbnails = BlobStore(folder / "blobs"), ThumbnailStore(folder / "thumbnails")
    shelf = ContentShelf(blobs, thumbnails, folder)
    picture = verify(jpeg())
    shelf.keep(jpeg(), picture)
    before = blobs.path(picture.sha256).stat().st_ino
    monkeypatch.setattr(durable, "_SYNCFS", lambda _descriptor: -1)
    with pytest.raises(OSError, match=r"\["):
        shelf.make_durable([picture.sha256])
    monkeypatch.setattr(durable, "_SYNCFS", lambda _descriptor: 0)
    shelf.keep(jpeg(), picture)
    assert blobs.path(picture.sha256).stat().st_ino != before
    shelf.make_durable([picture.sha256])
    shelf.close()


def test_on_linux_there_is_such_a_call(folder: Path):
    system = FileSystem(folder)
    system.make_durable([])
    system.close()


def test_a_file_that_lost_its_bytes_is_written_again(folder: Path):
    """As a power failure leaves it that comes before the batch was made durable."""
    store = BlobStore(folder)
    path = store.put(DATA, NAME)
    for damage in (b"", DATA[:5], b"x" * len(DATA)):
        path.write_bytes(damage)
        store.put(DATA, NAME)
        assert path.read_bytes() == DATA
    before = path.stat().st_ino
    store.put(DATA, NAME)
    assert path.stat().st_ino == before, "what is whole is not written again"
    assert [p.name for p in path.parent.iterdir()] == [NAME]


def test_what_cannot_be_written_leaves_nothing(folder: Path, monkeypatch):
    store = BlobStore(folder)

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="No space"):
        store.put(DATA, NAME)
    assert list(store.path(NAME).parent.iterdir()) == []

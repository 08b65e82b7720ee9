"""Archives that are never written: any part of them is what the whole has there."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
import zlib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.archives.names import label_of_folder
from server.contract.files import sha256_of
from server.contract.snapshot import DatasetRef, Item, Manifest, split_of
from server.errors import BlobDamagedError
from server.exports import regions, tars, zips
from server.exports.listing import Listing, SnapshotFiles
from server.exports.regions import Bytes, Entries, Layout, Stored
from server.exports.samples import Samples
from server.exports.tars import shards_of, tar_layout
from server.exports.zips import Extra, zip_layout
from server.media.blobs import BlobStore

LABELS = ("bär", "black/brown", "con", "Teddy", "teddy")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return make_samples(tmp_path_factory.mktemp("samples"))


def make_samples(folder: Path, count: int = 40) -> Samples:
    blobs = BlobStore(folder / "blobs")
    items = []
    crcs = {}
    for number in range(count):
        data = bytes([number % 256]) * (number * 37 % 1500 + 1) + str(number).encode()
        sha256 = sha256_of(data)
        blobs.write(data, sha256)
        crcs[sha256] = zlib.crc32(data)
        item = Item(
            sha256=sha256,
            label=LABELS[number % len(LABELS)],
            split=split_of(1, sha256, 0.3),
            bytes=len(data),
            width=number + 1,
            height=2,
            format=("jpeg", "png", "tiff")[number % 3],
            group=sha256,
        )
        items.append(item)
    items.sort(key=lambda item: item.sha256)
    manifest = Manifest(
        snapshot_id="01JD",
        dataset=DatasetRef(id="01JDSET", name="bears"),
        created_at=datetime(2026, 11, 22, 10, 20, 31, tzinfo=UTC),
        classes=tuple(sorted(LABELS)),
        valid_ratio=0.3,
        seed=1,
        items=tuple(items),
    )
    files = SnapshotFiles(folder)
    in_order = np.array([crcs[item.sha256] for item in items], np.uint32)
    files.write("01JD", manifest.to_bytes(), in_order)
    return Samples(files.read("01JD", manifest.sha256), blobs)


def whole(layout: Layout) -> bytes:
    data = b"".join(layout.read(0, layout.length))
    assert len(data) == layout.length
    return data


def test_a_zip_holds_every_image_under_its_label(samples: Samples, tmp_path: Path):
    (tmp_path / "notes").write_bytes(b"more")
    extras = [Extra("a.txt", b"text"), Extra("ü/notes", tmp_path / "notes")]
    with zipfile.ZipFile(io.BytesIO(whole(zip_layout(samples, extras)))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[:2] == ["a.txt", "ü/notes"]
        assert archive.read("ü/notes") == b"more"
        listing = samples.listing
        assert len(names) == len(set(names)) == len(listing) + 2
        for place, name in enumerate(names[2:]):
            split, folder, file = name.split("/")
            label = listing.classes[listing.labels[place]]
            assert split == listing.split(place)
            assert label_of_folder(folder) == label
            assert sha256_of(archive.read(name)) == file.split(".")[0] == listing.sha256(place)
            assert archive.getinfo(name).date_time == (2026, 11, 22, 10, 20, 30)
        folders = {name.split("/")[1].casefold() for name in names[2:]}
        assert len(folders) == len(LABELS), "Teddy and teddy are two, also where case is none"


def test_a_zip_of_everything_large_is_zip64(samples: Samples, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zips, "_MAX_32", 5000)
    far = whole(zip_layout(samples, []))
    monkeypatch.undo()
    assert b"PK\x06\x06" in far
    monkeypatch.setattr(zips, "_MAX_16", 10)
    many = whole(zip_layout(samples, []))
    with zipfile.ZipFile(io.BytesIO(many)) as archive:
        assert len(archive.namelist()) == len(samples.listing)
        assert archive.testzip() is None


def test_more_files_and_bytes_than_a_plain_zip_can_hold(tmp_path: Path):
    """Sizes are told, not written: the directory of 8 GiB is read by Python's own reader."""
    count = 70_000
    samples = make_samples(tmp_path, 1)
    one = samples.listing
    listing = Listing(
        **{
            **vars(one),
            "digests": np.frombuffer(
                b"".join(n.to_bytes(32, "big") for n in range(count)), np.uint8
            ).reshape(-1, 32),
            **{
                name: np.repeat(getattr(one, name), count)
                for name in ("widths", "heights", "labels", "is_valid", "kinds", "grouped", "crcs")
            },
            "sizes": np.full(count, 120_000, np.int64),
        }
    )
    layout = zip_layout(Samples(listing, BlobStore(tmp_path)), [])
    assert layout.length > 2**32
    with zipfile.ZipFile(_Sparse(layout)) as archive:  # type: ignore[arg-type]
        infos = archive.infolist()
    assert len(infos) == count
    assert infos[-1].header_offset > 2**32
    steps = {b.header_offset - a.header_offset for a, b in pairwise(infos)}
    assert len(steps) == 1


class _Sparse(io.RawIOBase):
    """A layout as a file that can be sought; what nobody reads is not made."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._at = layout, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._layout.length)[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._layout.length if size < 0 else min(self._at + size, self._layout.length)
        data = b"".join(self._layout.read(self._at, stop))
        self._at += len(data)
        return data


def test_a_tar_holds_three_files_for_each_sample(samples: Samples):
    listing = samples.listing
    places = np.arange(len(listing))[::-1]
    with tarfile.open(fileobj=io.BytesIO(whole(tar_layout(samples, places)))) as archive:
        members = archive.getmembers()
        assert len(members) == 3 * len(listing)
        for index, place in enumerate(places.tolist()):
            image, number, note = members[3 * index : 3 * index + 3]
            assert image.name.startswith(f"{listing.split(place)}/{listing.sha256(place)}.")
            content = [archive.extractfile(each).read() for each in (image, number, note)]
            assert sha256_of(content[0]) == listing.sha256(place)
            label = listing.classes[int(content[1])]
            assert json.loads(content[2]) == {"label": label, "split": listing.split(place)}
            assert listing.classes[listing.labels[place]] == label
            assert (image.mtime, image.mode, image.isfile()) == (1795342831, 0o644, True)


def test_a_tar_has_the_headers_that_python_writes(samples: Samples):
    data = whole(tar_layout(samples, np.arange(len(samples.listing))))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            plain = member.tobuf(tarfile.USTAR_FORMAT)
            assert data[member.offset : member.offset + tarfile.BLOCKSIZE] == plain


def test_shards_hold_each_image_once_and_one_side_each(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tars, "SHARD_BYTES", 10_000)
    shards = shards_of(samples.listing)
    assert len(shards) > 4
    names = [shard.name for shard in shards]
    assert names == sorted(names)
    assert names[0] == "train-000000"
    everywhere = np.concatenate([shard.places for shard in shards])
    assert sorted(everywhere.tolist()) == list(range(len(samples.listing)))
    for shard in shards:
        assert {samples.listing.split(p) for p in shard.places.tolist()} == {
            shard.name.split("-")[0]
        }


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_part_is_what_the_whole_has_there(samples: Samples, data: st.DataObject):
    kind = data.draw(st.sampled_from(["zip", "tar"]))
    layout = (
        zip_layout(samples, [Extra("x", b"yz")])
        if kind == "zip"
        else tar_layout(samples, np.arange(len(samples.listing)))
    )
    start = data.draw(st.integers(0, layout.length))
    stop = data.draw(st.integers(start, layout.length))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regions, "PIECE_BYTES", data.draw(st.sampled_from([1, 700, 1 << 20])))
        assert b"".join(layout.read(start, stop)) == whole(layout)[start:stop]


def test_a_blob_that_changed_ends_the_export(tmp_path: Path):
    samples = make_samples(tmp_path, 3)
    layout = zip_layout(samples, [])
    path = BlobStore(tmp_path / "blobs").path(samples.listing.sha256(1))
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    with pytest.raises(BlobDamagedError):
        whole(layout)
    path.unlink()
    with pytest.raises(BlobDamagedError):
        whole(layout)


def test_a_part_of_another_length_than_was_said_is_found():
    entries = Entries(np.array([2, 3]), lambda place: b"ab")
    with pytest.raises(ValueError, match="part 1"):
        whole(Layout([entries]))


def test_a_stored_file_that_shrank_is_found(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    region = Stored(path)
    assert b"".join(region.read(2, 7)) == b"23456"
    path.write_bytes(b"0123")
    with pytest.raises(OSError, match="shorter"):
        whole(Layout([Bytes(b"x"), region]))


def test_nothing_is_an_empty_file():
    assert whole(Layout([Entries(np.zeros(0, np.int64), lambda place: b"")])) == b""

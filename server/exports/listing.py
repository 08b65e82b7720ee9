"""What a snapshot holds, in arrays, and the files it is kept in. May import ``server.media``.

A manifest of 100,000 images is 30 MB of JSON, and several times that as objects; as arrays it is
8 MB, so that an export may hold it for as long as a slow client reads.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from server.contract.errors import FormatError
from server.contract.files import sha256_of, write_atomically
from server.contract.snapshot import Split
from server.media.blobs import BlobStore

# Files are called as every program knows them; the other formats as their extension is.
_EXTENSIONS: Final = {"jpeg": "jpg", "tiff": "tif"}
_CRC: Final = np.dtype("<u4")
_HASH: Final = re.compile(rb'"sha256":"([0-9a-f]{64})"')


@dataclass(frozen=True)
class Listing:
    """A snapshot's images in the order of its manifest, by sha256.

    Attributes:
        classes: The labels, sorted.
        digests: ``[N, 32]`` uint8: the sha256 of each blob.
        sizes: ``[N]`` int64, bytes.
        widths: ``[N]`` pixels.
        heights: ``[N]`` pixels.
        labels: ``[N]`` places in ``classes``.
        is_valid: ``[N]``: on the validation side?
        formats: Names of formats, such as ``jpeg``.
        kinds: ``[N]`` places in ``formats``.
        groups: Names of the groups.
        grouped: ``[N]`` places in ``groups``.
        crcs: ``[N]`` uint32, the CRC-32 of each blob; None when it was never taken.
    """

    snapshot_id: str
    manifest_sha256: str
    dataset_id: str
    dataset_name: str
    created_at: datetime
    seed: int
    valid_ratio: float
    classes: Sequence[str]
    digests: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    widths: NDArray[np.int64]
    heights: NDArray[np.int64]
    labels: NDArray[np.int64]
    is_valid: NDArray[np.bool_]
    formats: Sequence[str]
    kinds: NDArray[np.int64]
    groups: Sequence[str]
    grouped: NDArray[np.int64]
    crcs: NDArray[np.uint32] | None

    def __len__(self) -> int:
        return int(self.sizes.size)

    def sha256(self, place: int) -> str:
        """Return the name of the blob at a place."""
        return bytes(self.digests[place]).hex()

    def split(self, place: int) -> Split:
        """Return the side of the image at a place."""
        return Split.VALID if self.is_valid[place] else Split.TRAIN

    @property
    def extensions(self) -> Sequence[str]:
        """The file name extension of each of ``formats``, without a dot."""
        return [_EXTENSIONS.get(name, name) for name in self.formats]


@dataclass(frozen=True)
class Shelves:
    """Where what snapshots are made of lies, and what is made of them.

    Attributes:
        blobs: The images' bytes.
        snapshots: The folder of the manifests; beside them, the frozen provenance is kept.
        cache: The folder of what exports derive from that; may be emptied at any time.
        writing: Held by whoever writes or deletes a file of the last two: two that write the same
            would do the work twice, and what is deleted must not come back half a second later.
    """

    blobs: BlobStore
    snapshots: Path
    cache: Path
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


class SnapshotFiles:
    """Manifests, and what is kept beside them.

    Args:
        root: The folder; exists.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def manifest(self, snapshot_id: str) -> Path:
        """Return where a manifest lies."""
        return self.root / f"{snapshot_id}.json"

    def provenance(self, snapshot_id: str) -> Path:
        """Return where it lies, once frozen, where the images come from."""
        return self.root / f"{snapshot_id}.provenance.jsonl"

    def read_hashes(self, snapshot_id: str) -> frozenset[str]:
        """Return the hashes of a snapshot's images, in a fraction of the time of `read`.

        None where the manifest is gone. Labels cannot feign one: their quotes are escaped.

        Raises:
            OSError: The disk fails.
        """
        try:
            return _hashes_in(self.manifest(snapshot_id).read_bytes())
        except FileNotFoundError:
            return frozenset()

    def read_all_hashes(self, snapshot_id: str, manifest_sha256: str) -> frozenset[str]:
        """Return the same, and never fewer than there are.

        Raises:
            FormatError: The manifest is not what it was.
            OSError: It is gone, or the disk fails.
        """
        return _hashes_in(self._read_manifest(snapshot_id, manifest_sha256))

    def delete(self, snapshot_id: str) -> None:
        """Delete a snapshot's manifest and what is kept beside it; none need be there.

        Raises:
            OSError: One cannot be deleted.
        """
        paths = (self.manifest(snapshot_id), self._crcs(snapshot_id), self.provenance(snapshot_id))
        for path in paths:
            path.unlink(missing_ok=True)

    def write(self, snapshot_id: str, manifest: bytes, crcs: NDArray[np.uint32]) -> None:
        """Keep a new snapshot; the manifest comes last, so where it is, all is.

        Raises:
            OSError: The disk is full or fails.
        """
        self.write_crcs(snapshot_id, crcs)
        write_atomically(self.manifest(snapshot_id), manifest)

    def write_crcs(self, snapshot_id: str, crcs: NDArray[np.uint32]) -> None:
        """Keep the CRC-32 of each blob, four bytes each, least first.

        Raises:
            OSError: The disk is full or fails.
        """
        write_atomically(self._crcs(snapshot_id), crcs.astype(_CRC).tobytes())

    def read(self, snapshot_id: str, manifest_sha256: str) -> Listing:
        """Return what a snapshot holds.

        Raises:
            FormatError: The manifest is not what it was.
            OSError: It is gone, or the disk fails.
        """
        data = self._read_manifest(snapshot_id, manifest_sha256)
        return _listing(json.loads(data), manifest_sha256, self._read_crcs(snapshot_id))

    def _read_manifest(self, snapshot_id: str, manifest_sha256: str) -> bytes:
        data = self.manifest(snapshot_id).read_bytes()
        if sha256_of(data) != manifest_sha256:
            raise FormatError(f"the manifest of snapshot {snapshot_id} is not what it was")
        return data

    def _crcs(self, snapshot_id: str) -> Path:
        return self.root / f"{snapshot_id}.crc32"

    def _read_crcs(self, snapshot_id: str) -> NDArray[np.uint32] | None:
        try:
            return np.frombuffer(self._crcs(snapshot_id).read_bytes(), dtype=_CRC)
        except FileNotFoundError:  # made by an older revision
            return None


def _hashes_in(manifest: bytes) -> frozenset[str]:
    return frozenset(match.decode() for match in _HASH.findall(manifest))


def _listing(
    manifest: dict[str, Any], manifest_sha256: str, crcs: NDArray[np.uint32] | None
) -> Listing:
    # Its hash is right, so it is what this server once checked and wrote.
    items: list[dict[str, Any]] = manifest["items"]
    classes: list[str] = manifest["classes"]
    groups, grouped = _index([item["group"] for item in items])
    formats, kinds = _index([item["format"] for item in items])
    places = {label: place for place, label in enumerate(classes)}
    hexes = "".join(item["sha256"] for item in items)
    digests = np.frombuffer(bytes.fromhex(hexes), dtype=np.uint8).reshape(-1, 32)
    return Listing(
        snapshot_id=manifest["snapshot_id"],
        manifest_sha256=manifest_sha256,
        dataset_id=manifest["dataset"]["id"],
        dataset_name=manifest["dataset"]["name"],
        created_at=datetime.fromisoformat(manifest["created_at"]),
        seed=manifest["seed"],
        valid_ratio=manifest["valid_ratio"],
        classes=classes,
        digests=digests,
        sizes=_numbers(items, "bytes"),
        widths=_numbers(items, "width"),
        heights=_numbers(items, "height"),
        labels=np.array([places[item["label"]] for item in items], dtype=np.int64),
        is_valid=np.array([item["split"] == Split.VALID for item in items], dtype=np.bool_),
        formats=formats,
        kinds=kinds,
        groups=groups,
        grouped=grouped,
        crcs=crcs if crcs is not None and crcs.size == len(items) else None,
    )


def _numbers(items: Sequence[dict[str, Any]], name: str) -> NDArray[np.int64]:
    return np.array([item[name] for item in items], dtype=np.int64)


def _index(values: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    names: dict[str, int] = {}
    places = [names.setdefault(value, len(names)) for value in values]
    return list(names), np.array(places, dtype=np.int64)

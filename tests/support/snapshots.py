"""Snapshots on disk for tests: drawn pictures, or any files, laid out as the trainer wants them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from server.contract.files import sha256_of
from server.contract.preprocess import decode
from server.contract.snapshot import DatasetRef, Item, Manifest, split_of
from trainer.snapshot import LocalSnapshot, blob_path

COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (200, 40, 40)}


def picture(colour: tuple[int, int, int], number: int, side_px: int = 48) -> bytes:
    """Return a noisy JPEG of one colour; each number gives another picture."""
    noise = np.random.default_rng(number).normal(0, 25, (side_px, side_px, 3))
    pixels = np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def coloured(per_class: int, labels: Sequence[str] = tuple(COLOURS)) -> dict[str, list[bytes]]:
    """Return pictures by label, which a linear head separates with ease."""
    return {
        label: [picture(COLOURS[label], 1000 * place + number) for number in range(per_class)]
        for place, label in enumerate(labels)
    }


def make_snapshot(
    folder: Path,
    pictures: Mapping[str, Sequence[bytes]],
    *,
    valid_ratio: float = 0.3,
    seed: int = 42,
) -> LocalSnapshot:
    """Write blobs into ``folder`` and return their snapshot; each picture is a group of its own."""
    items = {}
    for label, blobs in pictures.items():
        for data in blobs:
            sha256 = sha256_of(data)
            path = blob_path(folder, sha256)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            image = decode(data)
            items[sha256] = Item(
                sha256=sha256,
                label=label,
                split=split_of(seed, sha256, valid_ratio),
                bytes=len(data),
                width=image.width,
                height=image.height,
                format="jpeg",
                group=sha256,
            )
    manifest = Manifest(
        snapshot_id="01JDSNAPSHOT",
        dataset=DatasetRef(id="01JDDATASET", name="colours"),
        created_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
        classes=tuple(sorted(pictures)),
        valid_ratio=valid_ratio,
        seed=seed,
        items=tuple(items[sha256] for sha256 in sorted(items)),
    )
    return LocalSnapshot(manifest, folder)

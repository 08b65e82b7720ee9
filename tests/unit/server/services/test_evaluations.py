"""Evaluations as columns, and the shelf that keeps them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from server.contract.evaluation import EvaluatedImage, OutOfFold
from server.contract.files import sha256_of
from server.contract.snapshot import Split
from server.db.models import ModelRecord
from server.errors import ModelDamagedError
from server.inference.pool import CpuPool
from server.services import evaluations
from server.services.evaluations import EvaluationShelf, to_columns
from server.services.models import BundleStore
from tests.support.bundles import make_bundle

CLASSES = ("blue", "green", "red")


def _image(number: int, loss: float) -> EvaluatedImage:
    return EvaluatedImage(
        sha256=f"{number:064x}",
        split=Split.TRAIN,
        label="red",
        predicted="green",
        loss=0.5,
        probability=0.6,
        out_of_fold=OutOfFold(predicted="blue", probability=0.7, label_probability=0.2, loss=loss),
    )


def test_rows_are_sorted_by_hash_and_ordered_by_loss():
    columns = to_columns(CLASSES, (_image(3, 1.0), _image(1, 2.0), _image(2, 2.0)))
    assert [int(digest, 16) for digest in columns.sha256] == [1, 2, 3]
    assert columns.order.tolist() == [0, 1, 2]
    assert [columns.classes[row] for row in columns.predicted] == ["blue"] * 3
    assert [columns.classes[row] for row in columns.answer] == ["green"] * 3
    assert columns.label_probability.tolist() == pytest.approx(np.exp([-2.0, -2.0, -1.0]))


def test_unknown_digests_are_not_found():
    columns = to_columns(CLASSES, (_image(1, 1.0), _image(3, 2.0)))
    asked = np.array([f"{n:064x}" for n in (0, 1, 2, 3, 4)], dtype="S64")
    assert columns.find(asked).tolist() == [-1, 0, -1, 1, -1]
    assert to_columns(CLASSES, ()).find(asked).tolist() == [-1] * 5


def _models(folder: Path, count: int) -> list[ModelRecord]:
    records = []
    for number in range(count):
        path = folder / "new.zip"
        classes = ("blue", "green", f"red {number}")
        make_bundle(path, classes)
        digest = sha256_of(path.read_bytes())
        path.rename(folder / f"{digest}.zip")
        records.append(
            ModelRecord(
                id=f"M{number}",
                dataset_id="D",
                snapshot_id="S",
                job_id=f"J{number}",
                bundle_sha256=digest,
                created_at=datetime.now(UTC),
            )
        )
    return records


async def test_a_bundle_is_read_once_and_the_oldest_makes_room(tmp_path, monkeypatch):
    first, second, third = _models(tmp_path, 3)
    reads: list[Path] = []
    original = evaluations.read_evaluation

    def counted(path: Path):
        reads.append(path)
        return original(path)

    monkeypatch.setattr(evaluations, "read_evaluation", counted)
    pool = CpuPool(1)
    shelf = EvaluationShelf(BundleStore(tmp_path), pool, max_rows=2)  # each has one row
    both = await asyncio.gather(shelf.get(first), shelf.get(first))
    assert both[0] is both[1]
    assert len(reads) == 1
    await shelf.get(second)
    await shelf.get(first)
    await shelf.get(third)
    assert len(reads) == 3
    await shelf.get(first)
    assert len(reads) == 3, "it was used after the second, which made room"
    await shelf.get(second)
    assert len(reads) == 4
    pool.close()


async def test_a_damaged_bundle_is_said_and_not_kept(tmp_path):
    (model,) = _models(tmp_path, 1)
    path = tmp_path / f"{model.bundle_sha256}.zip"
    data = path.read_bytes()
    pool = CpuPool(1)
    shelf = EvaluationShelf(BundleStore(tmp_path), pool)
    path.write_bytes(b"no zip")
    with pytest.raises(ModelDamagedError):
        await shelf.get(model)
    path.write_bytes(data)
    assert len((await shelf.get(model)).sha256) == 1
    pool.close()

"""A data folder that lost files: what is gone is named, and nothing answers as if it failed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.app import Bird, problem
from tests.support.images import jpeg
from tests.support.played_trainer import coloured_dataset, snapshot, trained


@pytest.mark.parametrize("left", [None, b"PK but no zip"])
async def test_a_bundle_that_is_damaged_or_gone_is_said_so(still: Bird, left: bytes | None):
    model_id = await trained(still, await coloured_dataset(still, 6))
    (bundle,) = (still.data / "bundles").iterdir()
    bundle.unlink()
    if left is not None:
        bundle.write_bytes(left)
    problem(await still.get(f"/models/{model_id}"), 409, "model-damaged")
    answer = await still.post("/classify", files={"file": ("a.jpg", jpeg())})
    assert model_id in problem(answer, 409, "model-damaged")["detail"]
    if left is None:
        problem(await still.get(f"/models/{model_id}/bundle"), 409, "model-damaged")
    assert [m["id"] for m in (await still.get("/models")).json()["items"]] == [model_id]


async def test_a_manifest_that_is_gone_is_said_so(still: Bird):
    made = await snapshot(still, await coloured_dataset(still, 6))
    (still.data / "snapshots" / f"{made['id']}.json").unlink()
    problem(await still.get(f"/snapshots/{made['id']}/manifest"), 409, "snapshot-damaged")


def kept_files(data: Path) -> set[str]:
    """Return what lies in the folders of what is made of datasets."""
    folders = [data / name for name in ("snapshots", "exports", "bundles")]
    return {path.name for folder in folders for path in folder.iterdir()}


async def test_a_deleted_dataset_leaves_no_files_of_snapshots_and_models(still: Bird):
    dataset, other = await coloured_dataset(still, 6), await coloured_dataset(still, 5)
    await trained(still, other)
    kept = kept_files(still.data)
    await trained(still, dataset)
    (made,) = (await still.get(f"/datasets/{dataset}/snapshots")).json()["items"]
    await still.get(f"/snapshots/{made['id']}/export", params={"format": "csv"})
    assert len(kept_files(still.data) - kept) == 5, "manifest, checksums, origins, cache, bundle"
    assert (await still.delete(f"/datasets/{dataset}")).status_code == 204
    assert kept_files(still.data) == kept


async def test_what_a_crash_left_of_them_is_swept(still: Bird, monkeypatch: pytest.MonkeyPatch):
    dataset, other = await coloured_dataset(still, 6), await coloured_dataset(still, 5)
    await trained(still, other)
    kept = kept_files(still.data)
    await trained(still, dataset)
    with monkeypatch.context() as patch:  # killed between the rows and the files
        patch.setattr(still.parts.services.datasets, "_delete_files", lambda *_: None)
        await still.delete(f"/datasets/{dataset}")
    assert kept_files(still.data) > kept
    sweep = still.parts.downloads.cleaning.sweep
    assert await sweep.sweep_leftovers() == 0, "young ones may not be recorded yet"
    long_ago = time.time() - 2 * 3600
    for folder in ("snapshots", "exports", "bundles"):
        for path in (still.data / folder).iterdir():
            os.utime(path, (long_ago, long_ago))
    assert await sweep.sweep_leftovers() == 2, "a snapshot and a model"
    assert kept_files(still.data) == kept

"""A data folder that lost files: what is gone is named, and nothing answers as if it failed."""

from __future__ import annotations

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

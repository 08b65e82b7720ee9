"""Bundles made to harm: each is refused with its reason, and the live model answers on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from server.contract.bundle import MODEL_ONNX, SnapshotRef, write_bundle
from server.contract.snapshot import DatasetRef, Manifest
from tests.support import hostile_networks as hostile
from tests.support.app import Bird, problem
from tests.support.bundles import bundle_manifest, bundle_parts
from tests.support.played_trainer import (
    bundle_for,
    claim,
    coloured_dataset,
    deliver,
    job,
    plain,
    snapshot,
    trained,
)


async def test_hostile_bundles_are_refused_and_the_live_model_answers_on(
    still: Bird, tmp_path: Path
):
    dataset = await coloured_dataset(still, 5)
    live = await trained(still, dataset)
    made = await snapshot(still, dataset)
    queued = await job(still, made["id"])
    assert await claim(still) is not None
    manifest = Manifest.from_bytes((await still.get(f"/snapshots/{made['id']}/manifest")).content)

    def with_network(onnx: bytes) -> bytes:
        ours = bundle_manifest(
            manifest.classes,
            SnapshotRef(id=made["id"], manifest_sha256=manifest.sha256),
            DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name),
        )
        path = tmp_path / "bundle.zip"
        write_bundle(path, ours, bundle_parts(manifest.classes) | {MODEL_ONNX: onnx})
        return path.read_bytes()

    good = await bundle_for(still, made["id"])
    cases: dict[str, Callable[[], bytes]] = {
        "exactly the members": lambda: _with_member(good, "../../bowerbird.db"),
        "networks within its network": lambda: with_network(hostile.endless()),
        "outside of itself": lambda: with_network(
            hostile.network([], [hostile.external("w", str(still.data / "token"))])
        ),
        "only ONNX's own": lambda: with_network(hostile.network([], domains=["com.evil"])),
        "answers no numbers": lambda: with_network(hostile.not_numbers()),
    }
    before = sorted(path.name for path in still.data.rglob("*.zip"))
    for words, make in cases.items():
        refused = await deliver(still, queued["id"], make())
        assert words in problem(refused, 422, "bundle-refused")["detail"]
    turned = await bundle_for(still, made["id"], classes=manifest.classes[::-1])
    refused = await deliver(still, queued["id"], turned)
    assert "order" in problem(refused, 422, "bundle-refused")["detail"]
    assert sorted(path.name for path in still.data.rglob("*.zip")) == before, "nothing is kept"
    said = (await still.post("/classify", files={"file": plain("red")})).json()
    assert (said["model_id"], said["label"]) == (live, "red")
    # The worker may still deliver what is in order.
    assert (await deliver(still, queued["id"], good)).status_code == 201


def _with_member(bundle: bytes, name: str) -> bytes:
    file = io.BytesIO(bundle)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(name, b"evil")
    return file.getvalue()

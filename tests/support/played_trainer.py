"""A trainer that is played: it claims jobs over the API and answers with tiny real bundles."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from server.contract.bundle import EVALUATION_JSON, SnapshotRef, write_bundle
from server.contract.evaluation import EvaluatedImage, Evaluation
from server.contract.snapshot import DatasetRef, Item, Manifest
from tests.support.app import Bird
from tests.support.bundles import bundle_manifest, bundle_parts, make_bundle
from tests.support.images import encode
from tests.support.snapshots import COLOURS, picture

Judge = Callable[[int, Item], EvaluatedImage]

WORKER = "played"
ZIP = {"Content-Type": "application/zip"}


def plain(colour: str, side_px: int = 40) -> bytes:
    """Return a picture of one colour, which the tiny model tells apart."""
    return encode(Image.new("RGB", (side_px, side_px), COLOURS[colour]), "PNG")


def lr_finding() -> dict[str, Any]:
    """Return what a search for a learning rate found: the loss falls, then explodes."""
    losses = [1.2, 1.2, 1.1, 0.8, 0.5, 0.4, 0.6, 1.6]
    points = [
        {"lr": 10.0 ** (place - 7), "loss": loss, "smoothed": loss}
        for place, loss in enumerate(losses)
    ]
    return {"points": points, "valley": 3e-4, "steep": 1e-3, "minimum": 1e-3, "seconds": 2.0}


async def coloured_dataset(bird: Bird, per_label: int = 8, name: str | None = None) -> str:
    """Return a dataset of ready images under three colours."""
    dataset = await bird.dataset(name)
    for place, label in enumerate(COLOURS):
        for number in range(per_label):
            await bird.upload(dataset, picture(COLOURS[label], 1000 * place + number), label)
    return dataset


async def snapshot(bird: Bird, dataset: str, **wanted: Any) -> dict[str, Any]:
    response = await bird.post(f"/datasets/{dataset}/snapshots", json=wanted)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def job(bird: Bird, snapshot_id: str, **body: Any) -> dict[str, Any]:
    response = await bird.post(f"/snapshots/{snapshot_id}/jobs", json=body or None)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def claim(bird: Bird, worker: str = WORKER, wait_s: float = 0) -> dict[str, Any] | None:
    """Return the claimed job, or None when there is none."""
    response = await bird.post("/jobs/claim", json={"worker": worker, "wait_s": wait_s})
    if response.status_code == 204:
        return None
    assert response.status_code == 200, response.text
    assert response.json()["lease_s"] > 0
    found: dict[str, Any] = response.json()["job"]
    return found


async def bundle_for(bird: Bird, snapshot_id: str, **changes: Any) -> bytes:
    """Return a bundle that belongs to the snapshot, but for the changes."""
    manifest = Manifest.from_bytes((await bird.get(f"/snapshots/{snapshot_id}/manifest")).content)
    ref = SnapshotRef(id=snapshot_id, manifest_sha256=manifest.sha256)
    parts = {
        "classes": manifest.classes,
        "snapshot": ref,
        "dataset": DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        make_bundle(path, **{**parts, **changes})
        return path.read_bytes()


async def deliver(bird: Bird, job_id: str, data: bytes, worker: str = WORKER) -> Any:
    """Upload a bundle and return the response."""
    return await bird.request(
        "PUT", f"/jobs/{job_id}/bundle?worker={worker}", content=data, headers=ZIP
    )


async def trained(bird: Bird, dataset: str) -> str:
    """Train a model on the dataset and return its id."""
    made = await snapshot(bird, dataset)
    queued = await job(bird, made["id"])
    claimed = await claim(bird)
    assert claimed is not None
    assert claimed["id"] == queued["id"]
    response = await deliver(bird, queued["id"], await bundle_for(bird, made["id"]))
    assert response.status_code == 201, response.text
    return str(response.json()["model_id"])


async def trained_saying(
    bird: Bird, dataset: str, judge: Judge, **split: Any
) -> tuple[str, Manifest]:
    """Play a training that says this of each image; return the model's id and the manifest.

    Args:
        bird: The server.
        dataset: The dataset's id.
        judge: Told the place in the manifest, and the item.
        split: Of the snapshot: ``valid_ratio``, ``seed``.
    """
    made = await snapshot(bird, dataset, **split)
    manifest = Manifest.from_bytes((await bird.get(f"/snapshots/{made['id']}/manifest")).content)
    queued = await job(bird, made["id"])
    assert await claim(bird) is not None
    return await answer_job(bird, queued, judge), manifest


async def answer_job(bird: Bird, claimed: dict[str, Any], judge: Judge) -> str:
    """Deliver what a training that says this of each image makes of a claimed job."""
    source = await bird.get(f"/snapshots/{claimed['snapshot_id']}/manifest")
    manifest = Manifest.from_bytes(source.content)
    items = tuple(judge(place, item) for place, item in enumerate(manifest.items))
    evaluation = Evaluation(items=items).model_dump_json(by_alias=True).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        told = bundle_manifest(
            manifest.classes,
            SnapshotRef(id=manifest.snapshot_id, manifest_sha256=manifest.sha256),
            DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name),
        )
        write_bundle(path, told, bundle_parts(manifest.classes) | {EVALUATION_JSON: evaluation})
        response = await deliver(bird, claimed["id"], path.read_bytes())
    assert response.status_code == 201, response.text
    return str(response.json()["model_id"])


def right(_place: int, item: Item) -> EvaluatedImage:
    """Judge an image right, and as surely as the tiny network is of a plain colour."""
    return EvaluatedImage(
        sha256=item.sha256, split=item.split, label=item.label, predicted=item.label,
        loss=0.1, probability=0.99,
    )  # fmt: skip

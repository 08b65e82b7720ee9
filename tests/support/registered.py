"""A dataset of three colours on a real server, with a live model that tells them apart."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx2

from server.contract.bundle import SnapshotRef
from server.contract.snapshot import DatasetRef, Manifest
from server.contract.training import FineTuning
from tests.support import workflow
from tests.support.bundles import make_bundle
from tests.support.snapshots import COLOURS, picture

PER_LABEL = 4


def register_colours(client: httpx2.Client, fine_tuning: FineTuning | None = None) -> str:
    """Upload the images, play the training, and return the model's id."""
    dataset_id = workflow.create_dataset(client, "colours")
    for place, label in enumerate(COLOURS):
        for number in range(PER_LABEL):
            file = {"file": ("a.jpg", picture(COLOURS[label], 1000 * place + number))}
            url = f"/api/v1/datasets/{dataset_id}/images"
            assert client.post(url, files=file, data={"label": label}).status_code == 201
    workflow.wait_settled(client, dataset_id)
    workflow.start_job(client, dataset_id)
    return deliver_bundle(client, fine_tuning)


def deliver_bundle(client: httpx2.Client, fine_tuning: FineTuning | None = None) -> str:
    """Play the training of the oldest job that is queued; return the model's id."""
    job = client.post("/api/v1/jobs/claim", json={"worker": "played"}).json()["job"]
    source = client.get(f"/api/v1/snapshots/{job['snapshot_id']}/manifest")
    manifest = Manifest.from_bytes(source.content)
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle.zip"
        ref = SnapshotRef(id=manifest.snapshot_id, manifest_sha256=manifest.sha256)
        dataset = DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name)
        make_bundle(bundle, manifest.classes, ref, dataset, fine_tuning)
        sent = client.put(
            f"/api/v1/jobs/{job['id']}/bundle?worker=played",
            content=bundle.read_bytes(),
            headers={"Content-Type": "application/zip"},
        )
    assert sent.status_code == 201, sent.text
    return str(sent.json()["model_id"])

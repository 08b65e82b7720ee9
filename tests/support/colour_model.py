"""Gives a running server a live model: a tiny one that tells colours apart, trained by nobody."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx2

from server.contract.bundle import SnapshotRef
from server.contract.snapshot import DatasetRef, Manifest
from tests.support import workflow
from tests.support.bundles import make_bundle
from tests.support.snapshots import coloured

WORKER = "played"
PER_LABEL = 8


def add_colour_model(client: httpx2.Client, dataset_name: str = "colours") -> str:
    """Upload coloured pictures, freeze them, and deliver a bundle; return the dataset's id.

    Args:
        client: Of a server that has no trainer of its own.
        dataset_name: Of the dataset that is made.
    """
    dataset_id = workflow.create_dataset(client, dataset_name)
    for label, pictures in coloured(PER_LABEL).items():
        for data in pictures:
            reply = client.post(
                f"/api/v1/datasets/{dataset_id}/images",
                files={"file": ("a.jpg", data)},
                data={"label": label},
            )
            assert reply.status_code == 201, reply.text
    deliver_colour_model(client, dataset_id)
    return dataset_id


def deliver_colour_model(client: httpx2.Client, dataset_id: str) -> str:
    """Freeze the dataset and deliver a bundle for it; return the model's id.

    Args:
        client: Of a server that has no trainer of its own.
        dataset_id: Of one with three labels.
    """
    job_id = workflow.start_job(client, dataset_id)
    claim = client.post("/api/v1/jobs/claim", json={"worker": WORKER, "wait_s": 0}).json()
    assert claim["job"]["id"] == job_id
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        _write_bundle(client, claim["job"]["snapshot_id"], path)
        reply = client.put(
            f"/api/v1/jobs/{job_id}/bundle",
            params={"worker": WORKER},
            content=path.read_bytes(),
            headers={"Content-Type": "application/zip"},
        )
    assert reply.status_code == 201, reply.text
    return str(reply.json()["model_id"])


def _write_bundle(client: httpx2.Client, snapshot_id: str, path: Path) -> None:
    manifest = Manifest.from_bytes(client.get(f"/api/v1/snapshots/{snapshot_id}/manifest").content)
    make_bundle(
        path,
        classes=manifest.classes,
        snapshot=SnapshotRef(id=snapshot_id, manifest_sha256=manifest.sha256),
        dataset=DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name),
    )

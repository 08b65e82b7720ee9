"""Gives a running server a live model of photos: the real backbone, and a head of class means.

Nobody trains it: some photos of each class are looked at, and a photo is of the class whose mean is
nearest. It is as large, and computes as much, as a trained one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2
import numpy as np
import torch

from server.contract.bundle import MODEL_ONNX, SnapshotRef, write_bundle
from server.contract.preprocess import Preprocessing, preprocess
from server.contract.snapshot import DatasetRef, Manifest
from tests.support import workflow
from tests.support.bundles import bundle_manifest, bundle_parts
from trainer.backbones.loading import load_backbone
from trainer.frozen_export import find_graph, join_head
from trainer.head import Head

SIDE_PX = 224
_SHARPNESS = 0.02  # of the distances to class means: so that probabilities are neither 0 nor 1


def add_photo_model(
    client: httpx2.Client, photos: Mapping[str, Sequence[Path]], work: Path
) -> tuple[str, str]:
    """Make a dataset of these photos by label, and a live model; return the ids of both.

    Args:
        client: Of a server that has no trainer of its own.
        photos: Some of each label.
        work: Where what the exporter makes may be kept.
    """
    dataset_id = workflow.create_dataset(client, "food")
    for label, paths in photos.items():
        for path in paths:
            reply = client.post(
                f"/api/v1/datasets/{dataset_id}/images",
                files={"file": (path.name, path.read_bytes())},
                data={"label": label},
            )
            assert reply.status_code == 201, reply.text
    job_id = workflow.start_job(client, dataset_id)
    claim = client.post("/api/v1/jobs/claim", json={"worker": "played", "wait_s": 0}).json()
    snapshot_id = claim["job"]["snapshot_id"]
    manifest = Manifest.from_bytes(client.get(f"/api/v1/snapshots/{snapshot_id}/manifest").content)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        _write(path, manifest, photos, work)
        reply = client.put(
            f"/api/v1/jobs/{job_id}/bundle",
            params={"worker": "played"},
            content=path.read_bytes(),
            headers={"Content-Type": "application/zip"},
        )
    assert reply.status_code == 201, reply.text
    return dataset_id, str(reply.json()["model_id"])


def _write(
    path: Path, manifest: Manifest, photos: Mapping[str, Sequence[Path]], work: Path
) -> None:
    backbone = load_backbone("efficientnet_lite0", work / "weights")
    numbers = Preprocessing(size_px=SIDE_PX, mean=backbone.mean, std=backbone.std)
    means = []
    for label in manifest.classes:
        images = np.stack([preprocess(each, numbers) for each in photos[label]])
        with torch.inference_mode():
            means.append(backbone.module(torch.from_numpy(images)).double().numpy().mean(axis=0))
    centres = np.stack(means)
    weight, bias = 2 * centres * _SHARPNESS, -(centres**2).sum(axis=1) * _SHARPNESS
    model = join_head(find_graph(backbone, SIDE_PX, work / "graphs"), Head(weight, bias, 1, 1))
    told = bundle_manifest(
        manifest.classes,
        SnapshotRef(id=manifest.snapshot_id, manifest_sha256=manifest.sha256),
        DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name),
    ).model_copy(update={"preprocessing": numbers})
    write_bundle(path, told, bundle_parts(manifest.classes) | {MODEL_ONNX: model})

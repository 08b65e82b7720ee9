"""One model and the photos that are asked about, made once and kept: the same for every program.

A real server with its trainer makes the model: a head on EfficientNet-Lite0 for photos of food.
May import what drives servers in the tests.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from benchmarks.training.programs import write_weights
from server.contract.bundle import read_bundle
from server.contract.files import sha256_of
from tests.support import workflow
from tests.support.processes import ServerProcess

GROUPS = "CEPO"  # leafy vegetables, fruits, marine fish, meat: 257 photos
PHOTO_COUNT = 64  # asked about in turn: more than are in any cache of a processor


@dataclass(frozen=True)
class Material:
    """Where things lie.

    Attributes:
        data: A server's data folder in which the model is live.
        bundle: The model.
        photos: JPEGs of those it was trained on and of those it was not.
        described: JSON for other programs: classes, preprocessing, photos, weights.
    """

    data: Path
    bundle: Path
    photos: tuple[Path, ...]
    described: Path


def prepare(folder: Path, photos: Path, tell: Callable[[str], None]) -> Material:
    """Return the material, made below ``folder`` when it is not there yet."""
    paths = [path for group in GROUPS for path in sorted(photos.glob(f"{group}*.jpeg"))]
    asked = tuple(paths[:: max(1, len(paths) // PHOTO_COUNT)][:PHOTO_COUNT])
    made = Material(folder / "data", folder / "bundle.zip", asked, folder / "described.json")
    if not made.described.exists():
        tell("training the model that all serve")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        made.bundle.write_bytes(_train(made.data, paths))
        weights = _write_network(made.bundle, folder)
        manifest = read_bundle(made.bundle).manifest
        described = {
            "classes": manifest.classes,
            "preprocessing": manifest.model_dump(mode="json")["preprocessing"],
            "photos": [str(path.resolve()) for path in asked],
            "weights": str(weights),
        }
        made.described.write_text(json.dumps(described))
    return made


def _train(data: Path, paths: list[Path]) -> bytes:
    """Train in a server of its own, whose model is then live; return the bundle."""
    with ServerProcess(data) as server, server.client() as client:
        dataset_id = workflow.create_dataset(client, "food")
        seen: set[str] = set()
        for path in paths:
            photo = path.read_bytes()
            if sha256_of(photo) in seen:
                continue  # some are there under two codes
            seen.add(sha256_of(photo))
            reply = client.post(
                f"/api/v1/datasets/{dataset_id}/images",
                files={"file": ("a.jpg", photo)},
                data={"label": path.name[0]},
            )
            reply.raise_for_status()
        job = workflow.wait_finished(client, workflow.start_job(client, dataset_id))
        if job["state"] != "succeeded":
            raise RuntimeError(f"the training failed: {job['error']}")
        return client.get(f"/api/v1/models/{job['model_id']}/bundle").raise_for_status().content


def _write_network(bundle: Path, folder: Path) -> Path:
    """Write the tensors of the bundle's network: the backbone's by timm's names, and the head's."""
    backbone = torch.load(write_weights(folder / "backbone.pt"), weights_only=True)
    graph = onnx.load_model_from_string(read_bundle(bundle).onnx).graph
    (head,) = (node for node in graph.node if graph.output[0].name in node.output)
    kept = {one.name: one for one in graph.initializer}
    weight, bias = (torch.from_numpy(numpy_helper.to_array(kept[n]).copy()) for n in head.input[1:])
    body = {name: value for name, value in backbone.items() if not name.startswith("classifier")}
    path = folder / "network.pt"
    torch.save({"body": body, "weight": weight, "bias": bias}, path)
    return path

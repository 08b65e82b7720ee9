"""Models for rollouts: tiny real networks that are right, or wrong about some pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from server.contract.bundle import (
    EVALUATION_JSON,
    INPUT_NAME,
    MODEL_ONNX,
    OUTPUT_NAME,
    SnapshotRef,
    write_bundle,
)
from server.contract.evaluation import EvaluatedImage, Evaluation
from server.contract.snapshot import DatasetRef, Manifest
from tests.support.bundles import bundle_manifest, bundle_parts
from tests.support.images import encode
from tests.support.snapshots import COLOURS

_CHANNELS = {"red": 0, "green": 1, "blue": 2}
_NEXT = {"blue": "green", "green": "red", "red": "blue"}


def network(classes: Sequence[str], sees: Mapping[str, str] | None = None) -> bytes:
    """Return a network that takes each colour for ``sees[colour]``; for what it is otherwise."""
    weight = np.zeros((len(classes), 3), dtype=np.float32)
    for colour, channel in _CHANNELS.items():
        weight[list(classes).index((sees or {}).get(colour, colour)), channel] += 4.0
    never = np.where(weight.any(axis=1), 0.0, -100.0).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", [INPUT_NAME], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight", "never"], [OUTPUT_NAME], transB=1),
        ],
        "colours",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["N", 3, 32, 32])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["N", len(classes)])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(never, "never")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def write_model(
    path: Path,
    manifest: Manifest,
    sees: Mapping[str, str] | None = None,
    *,
    claims: float = 0.0,
) -> None:
    """Write a bundle for a snapshot.

    Args:
        path: Where to.
        manifest: Of the snapshot.
        sees: As for `network`.
        claims: The error rate that it says it had on its validation images; every such share of
            the images is told as wrong.
    """
    told = bundle_manifest(
        manifest.classes,
        SnapshotRef(id=manifest.snapshot_id, manifest_sha256=manifest.sha256),
        DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name),
    )
    interval = (max(0.0, claims - 0.02), min(1.0, claims + 0.02))
    metrics = told.metrics.model_copy(
        update={"error_rate": claims, "error_rate_interval": interval}
    )
    step = round(1 / claims) if claims else 0
    items = [
        EvaluatedImage(
            sha256=item.sha256,
            split=item.split,
            label=item.label,
            predicted=_NEXT[item.label] if step and place % step == 0 else item.label,
            loss=1.5 if step and place % step == 0 else 0.1,
            probability=0.9,
        )
        for place, item in enumerate(manifest.items)
    ]
    evaluation = Evaluation(items=tuple(items)).model_dump_json(by_alias=True).encode()
    parts = bundle_parts(manifest.classes) | {
        MODEL_ONNX: network(manifest.classes, sees),
        EVALUATION_JSON: evaluation,
    }
    write_bundle(path, told.model_copy(update={"metrics": metrics}), parts)


def bundle_of(
    manifest: Manifest, sees: Mapping[str, str] | None = None, *, claims: float = 0.0
) -> bytes:
    """Return the bundle that `write_model` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        write_model(path, manifest, sees, claims=claims)
        return path.read_bytes()


def picture_of(place: int) -> tuple[str, bytes]:
    """Return a colour and a picture of it that no other place has."""
    colour = list(COLOURS)[place % len(COLOURS)]
    shade = Image.new("RGB", (24, 24), COLOURS[colour])
    pixel = (place * 37 % 256, place // 256 % 256, place * 101 % 256)
    shade.putpixel((place % 24, place // 24 % 24), pixel)
    return colour, encode(shade, "PNG")


def kinds(rollout: Mapping[str, Any]) -> list[str]:
    """Return what was decided of a rollout, oldest first."""
    return [one["kind"] for one in reversed(rollout["decisions"])]

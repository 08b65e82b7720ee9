"""What a model in shadow costs a lone client: median and 95th percentile, with one and without.

Run ``python -m benchmarks.bench_beside`` from a checkout: a Markdown table goes to stdout. A real
server, two networks of about EfficientNet-Lite0's work with random weights, JPEGs of noise of
640 x 480, each asked once (what was asked before is not compared). Rounds with and without a shadow
model take turns. Linux or not; a process of its own for the server, on the same cores.
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx2
import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from server.contract.bundle import (
    INPUT_NAME,
    MODEL_ONNX,
    OUTPUT_NAME,
    SnapshotRef,
    write_bundle,
)
from server.contract.preprocess import Preprocessing
from server.contract.snapshot import DatasetRef, Manifest
from tests.support import workflow
from tests.support.bundles import bundle_manifest, bundle_parts
from tests.support.processes import ServerProcess
from tests.support.snapshots import coloured

SIDE_PX: Final = 224
ROUNDS: Final = 8
QUESTIONS: Final = 60
PAUSE_S: Final = 4.0
# Channels and stride of each convolution of 3 x 3: about 400 million multiplications together.
LAYERS: Final = ((32, 2), (64, 2), (96, 1), (128, 2), (128, 2))


def network(class_count: int, seed: int) -> bytes:
    """Return a network of some work and no sense."""
    rng = np.random.default_rng(seed)
    nodes, weights, name, channels = [], [], INPUT_NAME, 3
    for place, (count, stride) in enumerate(LAYERS):
        scale = (2 / (9 * channels)) ** 0.5
        weight = (rng.normal(0, scale, (count, channels, 3, 3))).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"w{place}"))
        conv = helper.make_node(
            "Conv",
            [name, f"w{place}"],
            [f"c{place}"],
            strides=[stride, stride],
            pads=[1, 1, 1, 1],
        )
        nodes += [conv, helper.make_node("Relu", [f"c{place}"], [f"r{place}"])]
        name, channels = f"r{place}", count
    last = rng.normal(0, 0.1, (class_count, channels)).astype(np.float32)
    weights.append(numpy_helper.from_array(last, "last"))
    nodes += [
        helper.make_node("GlobalAveragePool", [name], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "last"], [OUTPUT_NAME], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "work",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["N", 3, SIDE_PX, SIDE_PX])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["N", class_count])],
        weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = made.SerializeToString()
    return data


def deliver(client: httpx2.Client, dataset: str, seed: int) -> str:
    """Deliver a model for the dataset; return its id."""
    job_id = workflow.start_job(client, dataset)
    job = client.post("/api/v1/jobs/claim", json={"worker": "played"}).json()["job"]
    source = client.get(f"/api/v1/snapshots/{job['snapshot_id']}/manifest")
    manifest = Manifest.from_bytes(source.content)
    told = bundle_manifest(
        manifest.classes,
        SnapshotRef(id=manifest.snapshot_id, manifest_sha256=manifest.sha256),
        DatasetRef(id=manifest.dataset.id, name=manifest.dataset.name),
    ).model_copy(
        update={
            "preprocessing": Preprocessing(
                size_px=SIDE_PX, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
            )
        }
    )
    parts = bundle_parts(manifest.classes) | {MODEL_ONNX: network(len(manifest.classes), seed)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        write_bundle(path, told, parts)
        sent = client.put(
            f"/api/v1/jobs/{job_id}/bundle?worker=played",
            content=path.read_bytes(),
            headers={"Content-Type": "application/zip"},
        )
    sent.raise_for_status()
    return str(sent.json()["model_id"])


def photo(seed: int) -> bytes:
    """Return a JPEG of noise with some structure, of 640 x 480."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    file = io.BytesIO()
    coarse.resize((640, 480), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()


def ask(client: httpx2.Client, first: int) -> list[float]:
    """Return the milliseconds of each of so many questions, one after the other."""
    photos = [photo(seed) for seed in range(first, first + QUESTIONS)]
    times = []
    for data in photos:
        started = time.perf_counter()
        client.post("/api/v1/classify", files={"file": data}).raise_for_status()
        times.append((time.perf_counter() - started) * 1000)
    return times


def main() -> int:
    """Take turns with and without a shadow model, and print the table."""
    times: dict[str, list[float]] = {"none": [], "in shadow": []}
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder) / "data", has_trainer=False)
        with server, server.client() as client:
            dataset = workflow.create_dataset(client, "work")
            for label, pictures in coloured(8).items():
                for data in pictures:
                    url = f"/api/v1/datasets/{dataset}/images"
                    client.post(url, files={"file": data}, data={"label": label})
            deliver(client, dataset, 1)
            other = deliver(client, dataset, 2)
            ask(client, 10**6)
            for number in range(2 * ROUNDS):
                name = ("none", "in shadow")[number % 2]
                stage = {"stage": "shadow", "rollout": {"min_answers": 1000}}
                body = stage if name == "in shadow" else {"stage": "candidate"}
                client.post(f"/api/v1/models/{other}/stage", json=body).raise_for_status()
                times[name] += ask(client, number * QUESTIONS)
                time.sleep(PAUSE_S)  # what waits is compared, and does not touch the next round
            path = f"/api/v1/datasets/{dataset}/rollouts"
            rollouts = client.get(path).raise_for_status().json()["items"]
    sys.stdout.write("| model beside | p50 ms | p95 ms |\n| --- | ---: | ---: |\n")
    for name, found in times.items():
        high = statistics.quantiles(found, n=20)[-1]
        sys.stdout.write(f"| {name} | {statistics.median(found):.1f} | {high:.1f} |\n")
    compared = sum(one["figures"]["compared"] for one in rollouts)
    missed = sum(one["not_compared"] for one in rollouts)
    sys.stdout.write(f"\n{compared} of {ROUNDS * QUESTIONS} compared, {missed} not.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A head on a frozen backbone as ONNX, in tenths of a second: the backbone is exported once.

The exporter takes seconds for a backbone, which no training of a head changes. So its graph is kept
in a folder, under a name that holds all that it depends on and its own hash, and the head is joined
to it as one more node. What the graph says of an image is kept likewise, so that the check against
the trained model asks it of no image twice.
May import torch, onnx, numpy, ``trainer.export``, ``data``, ``head`` and what is below them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from server.contract.bundle import OUTPUT_NAME
from server.contract.files import atomic_writer, canonical_json, sha256_of
from server.contract.preprocess import Preprocessing
from server.contract.snapshot import Item
from trainer.backbones.loading import LoadedBackbone
from trainer.data.features import Extracted
from trainer.data.store import ArrayStore, ImageArrays
from trainer.export import MAX_BATCH, OnnxModel, Step, export_onnx
from trainer.head import Head
from trainer.metrics import Floats
from trainer.snapshot import LocalSnapshot
from trainer.versions import installed_versions

log = logging.getLogger(__name__)

FEATURES_NAME = "features"  # what joins backbone and head
_KEPT_GRAPHS = 4  # 14 MB each for the default backbone, at most 110 MB: a few sizes and backbones
_SAMPLE_IMAGES = 16  # that go through the finished file, decoded afresh: one batch
_FORM = 1  # of the graph; counted up when what is exported changes


@dataclass(frozen=True)
class FrozenGraph:
    """A backbone as ONNX.

    Attributes:
        onnx_bytes: ``images [N, 3, H, W]`` → ``features [N, F]``.
        sha256: Of them.
    """

    onnx_bytes: bytes
    sha256: str


def find_graph(backbone: LoadedBackbone, size_px: int, folder: Path) -> FrozenGraph:
    """Return a backbone's graph, exported when the folder has none that is whole.

    Args:
        backbone: Of which.
        size_px: Side of the input.
        folder: Where graphs are kept; those unused for longest make room.
    """
    key = _key(backbone, size_px)
    for path in sorted(folder.glob(f"{key}-*.onnx")):
        graph = _read(path)
        if graph is not None and path.stem == f"{key}-{graph.sha256}":
            return graph
        log.warning("graph.damaged", extra={"path": str(path)})
        path.unlink(missing_ok=True)
    data = export_onnx(backbone.module, size_px, FEATURES_NAME)
    graph = FrozenGraph(data, sha256_of(data))
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_writer(folder / f"{key}-{graph.sha256}.onnx") as file:
        file.write(data)
    _trim(folder)
    return graph


# Another trainer may work in the same folder: a file that is there may be gone at the next line.


def _read(path: Path) -> FrozenGraph | None:
    """Return what a file holds, and note that it was used; None when it is gone."""
    try:
        data = path.read_bytes()
        os.utime(path)
    except FileNotFoundError:
        return None
    return FrozenGraph(data, sha256_of(data))


def _trim(folder: Path) -> None:
    """Delete the graphs unused for longest, but the newest few."""
    used: list[tuple[float, Path]] = []
    for path in folder.glob("*.onnx"):
        with suppress(FileNotFoundError):
            used.append((path.stat().st_mtime, path))
    for _, path in sorted(used)[:-_KEPT_GRAPHS]:
        path.unlink(missing_ok=True)


def _key(backbone: LoadedBackbone, size_px: int) -> str:
    parts = {
        "form": _FORM,
        "backbone": backbone.name,
        "weights": backbone.weights_sha256,
        "size_px": size_px,
        "max_batch": MAX_BATCH,
        "exporters": installed_versions(),
    }
    return sha256_of(canonical_json(parts))


def join_head(graph: FrozenGraph, head: Head) -> bytes:
    """Return the whole model as ONNX: the backbone's graph, then the head.

    Args:
        graph: Of the backbone.
        head: For its features.
    """
    model = onnx.load_model_from_string(graph.onnx_bytes)
    _append(model.graph, head)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def head_alone(head: Head, like: FrozenGraph) -> bytes:
    """Return the head as an ONNX model of its own: the very node that `join_head` adds.

    Args:
        head: For features ``[N, F]``.
        like: Whose versions of ONNX are taken.
    """
    whole = onnx.load_model_from_string(like.onnx_bytes)
    features = helper.make_tensor_value_info(
        FEATURES_NAME, TensorProto.FLOAT, ["batch", head.weight.shape[1]]
    )
    empty = helper.make_graph([], "head", [features], [features])
    model = helper.make_model(empty, opset_imports=whole.opset_import, ir_version=whole.ir_version)
    _append(model.graph, head)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _append(graph: onnx.GraphProto, head: Head) -> None:
    """Let a graph end with the head instead of with the features."""
    (features,) = graph.output
    parts = {"head.weight": head.weight, "head.bias": head.bias}
    graph.initializer.extend(
        numpy_helper.from_array(part.astype(np.float32), name) for name, part in parts.items()
    )
    node = helper.make_node("Gemm", [FEATURES_NAME, *parts], [OUTPUT_NAME], transB=1)
    graph.node.append(node)
    logits = helper.make_tensor_value_info(
        OUTPUT_NAME,
        TensorProto.FLOAT,
        [features.type.tensor_type.shape.dim[0].dim_param, len(head.bias)],
    )
    del graph.output[:]
    graph.output.append(logits)


@dataclass(frozen=True)
class FrozenCheck:
    """Asks the exported model of the validation images.

    Attributes:
        graph: Of the backbone.
        preprocessing: Of its images.
        store: Where it keeps what the graph said of an image.
    """

    graph: FrozenGraph
    preprocessing: Preprocessing
    store: ArrayStore

    @property
    def variant(self) -> str:
        """The name under which features are kept: all that they depend on but the image."""
        parts = {"onnx": self.graph.sha256, "preprocessing": asdict(self.preprocessing)}
        return sha256_of(canonical_json(parts))

    def logits(
        self, model: bytes, head: Head, snapshot: LocalSnapshot, arrays: Extracted, step: Step
    ) -> Floats:
        """Return ``[V, C]``, the validation images by onnxruntime.

        Each image has been through the backbone's graph, once and for all, and goes through the
        head's node; the first sixteen go through the whole model as well, whose answer counts.

        Args:
            model: Of `join_head`.
            head: That it was joined with.
            snapshot: Its blobs must be in its folder.
            arrays: Of all its images.
            step: Told (done, total); may raise to stop.

        Raises:
            FormatError: An image cannot be decoded any more.
        """
        is_valid = snapshot.is_valid()
        items = [item for item, valid in zip(snapshot.items, is_valid, strict=True) if valid]
        features = self._features(snapshot, items, arrays.pixels[is_valid], step)
        logits = OnnxModel(head_alone(head, self.graph)).run(features)
        sample = items[:_SAMPLE_IMAGES]
        logits[: len(sample)] = OnnxModel(model).logits(
            snapshot, sample, self.preprocessing, lambda *_: None
        )
        return logits

    def _features(
        self,
        snapshot: LocalSnapshot,
        items: Sequence[Item],
        pixels: NDArray[np.uint8],
        step: Step,
    ) -> NDArray[np.float32]:
        """Return ``[V, F]``, computing only those that the store lacks."""
        known = self.store.find(self.variant, [item.sha256 for item in items])
        todo = [place for place, item in enumerate(items) if item.sha256 not in known]
        step(len(known), len(items))
        if todo:
            network = OnnxModel(self.graph.onnx_bytes)
            fresh = network.logits(
                snapshot,
                [items[place] for place in todo],
                self.preprocessing,
                lambda done, _: step(len(items) - len(todo) + done, len(items)),
            )
            rows = {
                items[place].sha256: ImageArrays(row.astype(np.float32), pixels[place])
                for place, row in zip(todo, fresh, strict=True)
            }
            self.store.add(self.variant, rows)
            known.update(rows)
        return np.stack([known[item.sha256].features for item in items])

"""A model in eight bits: a quarter of its bytes, and whatever that costs, which is measured.

Each tensor's range is measured on training images alone: validation images shall judge what comes
of it as they judge everything else.
May import onnx, onnxruntime, ``trainer.judgement`` and what is below it, and the contract.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (  # type: ignore[import-untyped]
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.quant_utils import (  # type: ignore[import-untyped]
    add_pre_process_metadata,
)

from server.contract.bundle import INPUT_NAME
from server.contract.evaluation import Quantisation
from server.contract.preprocess import Preprocessing
from server.contract.snapshot import Item, Split
from trainer.export import OnnxModel, Step, batches
from trainer.fine_tuning.choice import deal_validation, judge
from trainer.judgement import Trained
from trainer.metrics import Floats, Labels, error_rate
from trainer.snapshot import LocalSnapshot

MAX_CALIBRATION_IMAGES: Final = 128  # of the customary hundreds; takes a CPU some seconds
_BATCH_SIZE: Final = 16
# What a CPU computes in eight bits; the rest takes microseconds and stays as it is. With Clip and
# Relu, what they cut off takes no part of a range: without, 13 % of answers changed instead of 2 %.
_OPERATORS: Final = ("Conv", "Gemm", "MatMul", "Add", "Clip", "Relu", "AveragePool", "MaxPool")


@dataclass(frozen=True)
class Quantised:
    """A model in eight bits.

    Attributes:
        onnx: The model.
        trained: As it was trained, with this model's answers in place of the other's.
        cost: What is lost, and what is saved.
    """

    onnx: bytes
    trained: Trained
    cost: Quantisation


def quantise(
    model: bytes,
    trained: Trained,
    snapshot: LocalSnapshot,
    preprocessing: Preprocessing,
    seed: int,
    step: Step,
) -> Quantised:
    """Return the model in eight bits, judged on all validation images.

    The same model and seed give the same result.

    Args:
        model: ONNX in float32.
        trained: What it was exported from.
        snapshot: Its blobs must be in its folder.
        preprocessing: Of the model's images.
        seed: Of the choice of training images to measure on.
        step: Told (done, total); may raise to stop.

    Raises:
        FormatError: An image cannot be decoded any more.
    """
    chosen = choose_images(snapshot, seed)
    narrow = _narrow(
        model, _Images(batches(snapshot, chosen, preprocessing, _BATCH_SIZE), len(chosen), step)
    )
    items = snapshot.manifest.items_of(Split.VALID)
    logits = OnnxModel(narrow).logits(snapshot, items, preprocessing, step)
    labels = snapshot.labels()[snapshot.is_valid()]
    before, now = trained.judged.logits.argmax(axis=1), logits.argmax(axis=1)
    cost = Quantisation(
        float_error_rate=error_rate(labels, before),
        changed_ratio=error_rate(before, now),
        calibration_count=len(chosen),
        model_bytes=len(narrow),
        float_bytes=len(model),
    )
    groups = [item.group for item in items]
    return Quantised(narrow, answering(trained, logits, labels, groups, seed), cost)


def answering(
    trained: Trained, logits: Floats, labels: Labels, groups: Sequence[str], seed: int
) -> Trained:
    """Return what was trained, but with these answers to the validation images.

    Args:
        trained: By the model in float32.
        logits: ``[V, C]``, of the model in eight bits.
        labels: ``[V]``.
        groups: V names of near-duplicate clusters.
        seed: Of the folds that a fine-tuned network is calibrated by.
    """
    if trained.tuned is None or trained.is_head:
        return replace(trained, logits=logits)
    judged = judge(logits, labels, deal_validation(labels, groups, seed))
    return replace(trained, tuned=replace(trained.tuned, judged=judged))


def _narrow(model: bytes, images: _Images) -> bytes:
    graph = onnx.load_model_from_string(model)
    add_pre_process_metadata(graph)  # else we are advised to do what the exporter has done
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        quantize_static(
            graph,
            path,
            images,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(_OPERATORS),
            per_channel=True,
            # Seven bits of weights: with eight, processors without VNNI overflow sixteen.
            # Source: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        finished = onnx.load(path)
    finished.ClearField("metadata_props")
    data: bytes = finished.SerializeToString(deterministic=True)
    return data


def choose_images(snapshot: LocalSnapshot, seed: int) -> list[Item]:
    """Return some training images, by chance, `MAX_CALIBRATION_IMAGES` at most."""
    items = snapshot.manifest.items_of(Split.TRAIN)
    order = np.random.default_rng(seed).permutation(len(items))
    return [items[place] for place in order[:MAX_CALIBRATION_IMAGES]]


class _Images:
    """Batches ``[N, 3, H, W]`` for onnxruntime, as its ``CalibrationDataReader`` gives them."""

    def __init__(self, parts: Iterator[NDArray[np.float32]], count: int, step: Step) -> None:
        self._parts = parts
        self._count = count
        self._step = step
        self._done = 0

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next batch, None after the last."""
        batch = next(self._parts, None)
        if batch is None:
            return None
        self._done += len(batch)
        self._step(self._done, self._count)
        return {INPUT_NAME: batch}

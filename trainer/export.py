"""From backbone and head to one ONNX model, checked against what was trained.

May import torch, onnx, onnxruntime, ``trainer.metrics``, ``snapshot`` and the contract.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from torch import nn

from server.contract.bundle import INPUT_NAME, OUTPUT_NAME
from server.contract.calibration import probabilities
from server.contract.preprocess import Preprocessing, preprocess
from server.contract.snapshot import Item
from trainer.errors import JobFailedError
from trainer.metrics import Floats
from trainer.snapshot import LocalSnapshot

MAX_DIFFERENCE = 1e-4  # promised for probabilities and logits; seen: 1e-5
MAX_BATCH = 512  # of the exported model's dynamic first dimension

Step = Callable[[int, int], None]


def export_onnx(model: nn.Module, size_px: int, output_name: str = OUTPUT_NAME) -> bytes:
    """Return the model as ONNX with a dynamic batch, free of traces of this machine.

    Args:
        model: In evaluation mode.
        size_px: Side of the input.
        output_name: Of its one output.
    """
    example = torch.zeros(2, 3, size_px, size_px)
    batch = torch.export.Dim("batch", min=1, max=MAX_BATCH)
    with warnings.catch_warnings():
        # The exporter warns of its own deprecations, which are not ours to mend.
        warnings.simplefilter("ignore")
        # To memory: a file would stay behind when a cancelled job is abandoned here.
        program = torch.onnx.export(
            model.eval(),
            (example,),
            input_names=[INPUT_NAME],
            output_names=[output_name],
            dynamo=True,
            dynamic_shapes=({0: batch},),
            verbose=False,
        )
        # None comes only of the older exporter.
        return _without_traces(cast(torch.onnx.ONNXProgram, program).model_proto)


def _without_traces(model: onnx.ModelProto) -> bytes:
    # The exporter notes stack traces, with this machine's paths, beside each node.
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def largest_difference(expected: Floats, actual: Floats, temperature: float) -> float:
    """Return the largest absolute difference of any logit or calibrated probability."""
    logits = np.abs(expected - actual).max()
    shown = np.abs(probabilities(expected, temperature) - probabilities(actual, temperature)).max()
    return float(max(logits, shown))


def check_parity(expected: Floats, actual: Floats, temperature: float) -> float:
    """Compare logits ``[N, C]`` of the trained and of the exported model.

    Returns:
        `largest_difference`.

    Raises:
        JobFailedError: ``export-mismatch``: above `MAX_DIFFERENCE`, or not a number.
    """
    difference = largest_difference(expected, actual, temperature)
    if not difference <= MAX_DIFFERENCE:  # "not <=": NaN fails too
        raise JobFailedError(
            "export-mismatch",
            f"The exported model's outputs differ from the trained model's by {difference:.2g} "
            f"(at most {MAX_DIFFERENCE:g} is accepted). The model was not registered. Train again; "
            "if it stays, reinstall the trainer's packages: torch, onnx or onnxruntime disagree.",
        )
    return difference


class OnnxModel:
    """An exported model with one input and one output, under onnxruntime, on the CPU."""

    def __init__(self, onnx_bytes: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors alone
        self._session = onnxruntime.InferenceSession(
            onnx_bytes, options, providers=["CPUExecutionProvider"]
        )
        (self._input,) = (given.name for given in self._session.get_inputs())

    def run(self, batch: NDArray[np.float32]) -> Floats:
        """Return ``[N, …]`` for ``[N, …]``."""
        answers = self._session.run(None, {self._input: batch})
        result: Floats = answers[0].astype(np.float64)
        return result

    def logits(
        self,
        snapshot: LocalSnapshot,
        items: Sequence[Item],
        preprocessing: Preprocessing,
        step: Step,
        batch_size: int = 16,
    ) -> Floats:
        """Return ``[N, C]``: what it says of the items' images, decoded and preprocessed afresh."""
        parts = []
        for images in batches(snapshot, items, preprocessing, batch_size):
            parts.append(self.run(images))
            step(min(len(parts) * batch_size, len(items)), len(items))
        return np.concatenate(parts)


def batches(
    snapshot: LocalSnapshot, items: Sequence[Item], preprocessing: Preprocessing, batch_size: int
) -> Iterator[NDArray[np.float32]]:
    """Yield images ``[N, 3, H, W]``, N up to ``batch_size``, decoded as the model is served."""
    for start in range(0, len(items), batch_size):
        batch = items[start : start + batch_size]
        yield np.stack([preprocess(snapshot.path(item), preprocessing) for item in batch])

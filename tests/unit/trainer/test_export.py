"""Export: the ONNX model answers as the trained one, whatever the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from server.contract.preprocess import Preprocessing, preprocess
from tests.support.snapshots import coloured, make_snapshot
from trainer.backbones.loading import LoadedBackbone
from trainer.errors import JobFailedError
from trainer.export import OnnxModel, check_parity, export_onnx
from trainer.head import Head
from trainer.network import Classifier

pytestmark = pytest.mark.slow

_NUMBERS = Preprocessing(size_px=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """A small convolutional backbone under a head of three classes."""
    torch.manual_seed(0)
    body = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU6(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )  # fmt: skip
    backbone = LoadedBackbone("small", body.eval(), "a" * 64, 8, (0.5,) * 3, (0.5,) * 3)
    generator = np.random.default_rng(0)
    return Classifier(backbone, Head(generator.normal(size=(3, 8)), np.zeros(3), 0.1, 1)).eval()


@pytest.fixture(scope="module")
def exported(classifier: Classifier) -> bytes:
    """The classifier as ONNX."""
    return export_onnx(classifier, 32)


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_outputs_equal_for_every_batch_size(
    classifier: Classifier, exported: bytes, tmp_path: Path, batch_size: int
) -> None:
    snapshot = make_snapshot(tmp_path, coloured(3))
    steps: list[tuple[int, int]] = []
    actual = OnnxModel(exported).logits(
        snapshot, snapshot.items, _NUMBERS, lambda *step: steps.append(step), batch_size
    )
    arrays = np.stack([preprocess(snapshot.path(item), _NUMBERS) for item in snapshot.items])
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(arrays)).numpy()
    assert check_parity(expected.astype(np.float64), actual, 1.0) < 1e-5
    assert steps[-1] == (9, 9)


def test_names_and_shapes_are_the_contract_s(exported: bytes) -> None:
    graph = onnx.load_model_from_string(exported).graph
    (images,), (logits,) = graph.input, graph.output
    assert (images.name, logits.name) == ("images", "logits")
    sizes = [dim.dim_value for dim in images.type.tensor_type.shape.dim]
    assert sizes == [0, 3, 32, 32]  # 0: dynamic
    assert images.type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_no_trace_of_this_machine_is_exported(exported: bytes) -> None:
    assert str(Path.cwd()).encode() not in exported
    assert b".py" not in exported


@pytest.mark.parametrize("shift", [2e-4, float("nan")])
def test_different_outputs_fail_the_job(shift: float) -> None:
    logits = np.zeros((4, 3))
    with pytest.raises(JobFailedError) as caught:
        check_parity(logits, logits + shift, 1.0)
    assert caught.value.kind == "export-mismatch"

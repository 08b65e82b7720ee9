"""A head joined to a backbone's graph: as the whole would be exported, quickly, and checked."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from server.contract.preprocess import Preprocessing, preprocess
from server.inference.onnx_file import check_structure
from tests.support.snapshots import coloured, make_snapshot
from trainer import frozen_export
from trainer.backbones.catalogue import BACKBONES, EFFICIENTNET_LITE0
from trainer.backbones.loading import LoadedBackbone
from trainer.data.features import Extracted, Extractor
from trainer.data.store import open_store
from trainer.export import OnnxModel, check_parity, export_onnx
from trainer.frozen_export import FrozenCheck, FrozenGraph, find_graph, join_head
from trainer.head import Head
from trainer.network import Classifier
from trainer.snapshot import LocalSnapshot

pytestmark = pytest.mark.slow

_SIDE_PX = 32
_NUMBERS = Preprocessing(size_px=_SIDE_PX, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def _backbone() -> LoadedBackbone:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return LoadedBackbone("small", body.eval(), "a" * 64, 8, (0.5,) * 3, (0.5,) * 3)


def _head(seed: int = 0, features: int = 8) -> Head:
    generator = np.random.default_rng(seed)
    return Head(generator.normal(size=(3, features)), generator.normal(size=3), 0.1, 1)


def _ignore(done: int, total: int) -> None:
    """Take progress and do nothing."""


@pytest.fixture
def snapshot(tmp_path: Path) -> LocalSnapshot:
    return make_snapshot(tmp_path / "blobs", coloured(30))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The outputs of all exports that were made."""
    made: list[str] = []

    def export(model: nn.Module, size_px: int, output_name: str) -> bytes:
        made.append(output_name)
        return export_onnx(model, size_px, output_name)

    monkeypatch.setattr(frozen_export, "export_onnx", export)
    return made


def _arrays(snapshot: LocalSnapshot, folder: Path) -> Extracted:
    with open_store(folder / "features.sqlite") as store:
        return Extractor(_backbone(), _NUMBERS, 16).extract(snapshot, store, _ignore)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_a_joined_model_answers_as_the_whole_network(tmp_path: Path, batch_size: int) -> None:
    joined = join_head(find_graph(_backbone(), _SIDE_PX, tmp_path), _head())
    images = np.random.default_rng(0).normal(size=(batch_size, 3, _SIDE_PX, _SIDE_PX))
    with torch.inference_mode():
        expected = Classifier(_backbone(), _head()).eval()(torch.from_numpy(images).float())
    actual = OnnxModel(joined).run(images.astype(np.float32))
    np.testing.assert_allclose(actual, expected.numpy(), atol=1e-5)


def test_a_backbone_is_exported_once(tmp_path: Path, counted: list[str]) -> None:
    first = find_graph(_backbone(), _SIDE_PX, tmp_path)
    assert find_graph(_backbone(), _SIDE_PX, tmp_path) == first
    assert counted == ["features"]
    find_graph(_backbone(), 2 * _SIDE_PX, tmp_path)
    assert len(counted) == 2


def test_a_damaged_graph_is_exported_anew(tmp_path: Path, counted: list[str]) -> None:
    first = find_graph(_backbone(), _SIDE_PX, tmp_path)
    (path,) = tmp_path.glob("*.onnx")
    path.write_bytes(first.onnx_bytes[:-1])
    assert find_graph(_backbone(), _SIDE_PX, tmp_path) == first
    assert len(counted) == 2
    assert path.read_bytes() == first.onnx_bytes


def test_graphs_unused_for_longest_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_export, "export_onnx", lambda *_: b"graph")
    find_graph(_backbone(), 64, tmp_path)
    (first,) = tmp_path.glob("*.onnx")
    os.utime(first, (0, 0))
    for side_px in (96, 128, 160, 192):
        find_graph(_backbone(), side_px, tmp_path)
    assert len(list(tmp_path.glob("*.onnx"))) == 4
    assert not first.exists()


def test_the_check_covers_every_validation_image(tmp_path: Path, snapshot: LocalSnapshot) -> None:
    graph = find_graph(_backbone(), _SIDE_PX, tmp_path)
    arrays, head = _arrays(snapshot, tmp_path), _head()
    is_valid = snapshot.is_valid()
    assert is_valid.sum() > 16  # more than the sample
    with open_store(tmp_path / "features.sqlite") as store:
        check = FrozenCheck(graph, _NUMBERS, store)
        actual = check.logits(join_head(graph, head), head, snapshot, arrays, _ignore)
    assert check_parity(head.logits(arrays.features[is_valid]), actual, 1.0) < 1e-5


def test_an_image_is_asked_of_the_graph_once(
    tmp_path: Path, snapshot: LocalSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, arrays = find_graph(_backbone(), _SIDE_PX, tmp_path), _arrays(snapshot, tmp_path)
    read: list[Path] = []

    def watched(path: Path, numbers: Preprocessing) -> np.ndarray:
        read.append(path)
        return preprocess(path, numbers)

    monkeypatch.setattr("trainer.export.preprocess", watched)
    with open_store(tmp_path / "features.sqlite") as store:
        check = FrozenCheck(graph, _NUMBERS, store)
        for seed in (0, 1):
            model = join_head(graph, _head(seed))
            check.logits(model, _head(seed), snapshot, arrays, _ignore)
    assert len(read) == int(snapshot.is_valid().sum()) + 2 * 16


@pytest.mark.parametrize("place", ["sample", "rest"])
def test_a_graph_that_answers_otherwise_is_found(
    tmp_path: Path, snapshot: LocalSnapshot, place: str
) -> None:
    """Another backbone's graph, in the finished file or among what is kept."""
    torch.manual_seed(1)
    other = LoadedBackbone("other", _other(), "b" * 64, 8, (0.5,) * 3, (0.5,) * 3)
    right, wrong = (find_graph(one, _SIDE_PX, tmp_path) for one in (_backbone(), other))
    arrays, head = _arrays(snapshot, tmp_path), _head()
    with open_store(tmp_path / "features.sqlite") as store:
        kept, file = (right, wrong) if place == "sample" else (wrong, right)
        check = FrozenCheck(kept, _NUMBERS, store)
        actual = check.logits(join_head(file, head), head, snapshot, arrays, _ignore)
    apart = np.abs(head.logits(arrays.features[snapshot.is_valid()]) - actual).max(axis=1) > 1e-3
    assert apart[:16].all() == (place == "sample")
    assert apart[16:].all() == (place == "rest")


def _other() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).eval()


def _calibrate(network: nn.Module) -> None:
    """Let BatchNorm fit the random weights: features would vanish from layer to layer."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.rand(8, 3, 64, 64))


@pytest.mark.parametrize("name", sorted(BACKBONES.keys() - {EFFICIENTNET_LITE0}))
def test_torchvision_s_backbones_are_exported_as_they_compute(name: str, tmp_path: Path) -> None:
    """With random weights: what is exported is the arithmetic, whatever its numbers."""
    torch.manual_seed(0)
    spec = BACKBONES[name]
    network = spec.build()
    spec.behead(network)
    _calibrate(network)
    backbone = LoadedBackbone(
        name, network.eval().requires_grad_(requires_grad=False), "c" * 64, spec.feature_count,
        spec.mean, spec.std,
    )  # fmt: skip
    graph: FrozenGraph = find_graph(backbone, 64, tmp_path)
    images = torch.rand(3, 3, 64, 64)
    with torch.inference_mode():
        expected = network(images).numpy()
    actual = OnnxModel(graph.onnx_bytes).run(images.numpy())
    assert np.abs(expected).max() > 0.1  # it says something
    # Fifty layers of random weights make logits of 80, and round accordingly.
    rtol = 1e-3 if name == "resnet50" else 1e-7
    np.testing.assert_allclose(actual, expected, rtol, atol=1e-4)
    head = _head(features=spec.feature_count)
    finished = join_head(graph, head)
    np.testing.assert_allclose(
        OnnxModel(finished).run(images.numpy()), head.logits(expected), rtol, atol=1e-3
    )
    check_structure(finished)  # the server takes it

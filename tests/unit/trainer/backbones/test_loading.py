"""The packaged backbone, and files that are not its weights."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from trainer.backbones.loading import load_backbone, load_in_order
from trainer.errors import JobFailedError

pytestmark = pytest.mark.slow


def test_the_packaged_backbone_gives_features() -> None:
    backbone = load_backbone("efficientnet_lite0")
    with torch.inference_mode():
        features = backbone.module(torch.zeros(2, 3, 64, 64))
    assert features.shape == (2, backbone.feature_count) == (2, 1280)
    assert backbone.mean == backbone.std == (0.5, 0.5, 0.5)
    assert backbone.weights_sha256.startswith("57934424")  # the file's name says so
    assert not backbone.module.training


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(JobFailedError) as caught:
        load_backbone("resnet18")
    assert caught.value.kind == "backbone-unknown"


def test_tensors_are_loaded_by_order(tmp_path: Path) -> None:
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    torch.save({"a": source.weight.detach(), "b": source.bias.detach()}, tmp_path / "weights.pth")
    load_in_order(target, tmp_path / "weights.pth")
    torch.testing.assert_close(target.weight, source.weight)
    torch.testing.assert_close(target.bias, source.bias)


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('executed')",)


@pytest.mark.parametrize("kind", ["missing", "noise", "pickle", "other shapes"])
def test_what_is_not_the_weights_is_refused_and_never_run(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "weights.pth"
    if kind == "noise":
        path.write_bytes(b"noise")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(_Bomb(), protocol=2))
    elif kind == "other shapes":
        torch.save({"a": torch.zeros(9)}, path)
    with pytest.raises(JobFailedError) as caught:
        load_in_order(nn.Linear(3, 2), path)
    assert caught.value.kind == "weights-unusable"
    assert "pip install" in caught.value.detail

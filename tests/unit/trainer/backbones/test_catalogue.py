"""The catalogue: every backbone that recipes may name, cut where it should be."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from server.contract.recipes import BackboneName
from trainer.backbones.catalogue import BACKBONES, FetchedFile

pytestmark = pytest.mark.slow

# Tensors in the early and the late group, the first late one, and the file of the weights.
_GOLDEN = {
    "efficientnet_lite0": (45, 102, "blocks.3.0.conv_pw.weight", None),
    "resnet18": (30, 30, "layer3.0.conv1.weight", "resnet18-f37072fd.pth"),
    "resnet34": (48, 60, "layer3.0.conv1.weight", "resnet34-b627a593.pth"),
    "resnet50": (72, 87, "layer3.0.conv1.weight", "resnet50-11ad3fa6.pth"),
    "mobilenet_v3_small": (
        31, 107, "features.4.block.0.0.weight", "mobilenet_v3_small-047dcff4.pth",
    ),
    "mobilenet_v3_large": (
        66, 104, "features.7.block.0.0.weight", "mobilenet_v3_large-5c1a4163.pth",
    ),
    "convnext_tiny": (62, 118, "features.4.0.weight", "convnext_tiny-983f1562.pth"),
}  # fmt: skip


def test_every_backbone_of_the_recipes_is_there() -> None:
    assert set(BACKBONES) == set(get_args(BackboneName)) == set(_GOLDEN)


@pytest.mark.parametrize("name", _GOLDEN)
def test_backbones_are_cut_as_before(name: str) -> None:
    spec = BACKBONES[name]
    network = spec.build()
    spec.behead(network)
    with torch.inference_mode():
        assert network.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, spec.feature_count)
    names = [name for name, _ in network.named_parameters()]
    late = [name for name in names if name.startswith(spec.late)]
    file = spec.weights.name if isinstance(spec.weights, FetchedFile) else None
    assert (len(names) - len(late), len(late), late[0], file) == _GOLDEN[name]
    assert names[-len(late) :] == late  # the later layers, and all of them

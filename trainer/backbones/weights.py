"""Weights files: found in a package or a folder, fetched at first use, never trusted unchecked.

Nothing but tensors is ever unpickled. May import torch, the contract's ``files``, the catalogue and
``trainer.errors``.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse, IncompleteRead
from importlib import resources
from pathlib import Path
from pickle import UnpicklingError  # the error alone: torch raises it for what it refuses
from typing import BinaryIO

import torch
from torch import nn

from server.contract.files import atomic_writer, sha256_of_file
from trainer.backbones.catalogue import BackboneSpec, FetchedFile, PackagedFile
from trainer.errors import JobFailedError

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.pth$")  # torch's own convention
_SILENCE_S = 30.0  # a host that says nothing for as long is not coming back
_PIECE_BYTES = 1 << 20  # between two looks whether the job was stopped
_MAX_WEIGHTS_BYTES = 1 << 30  # the largest of the catalogue, convnext_tiny, has 114 MB
_REINSTALL = "Reinstall the trainer: pip install --force-reinstall 'bowerbird[trainer]'."


def find_weights(
    spec: BackboneSpec, folder: Path, check: Callable[[], None] = lambda: None
) -> Path:
    """Return the file of a backbone's weights, fetched if need be.

    A fetched file lies in ``folder`` or, when another program fetched it before, in torch's own
    cache; either way its hash is compared with the one in its name.

    Args:
        spec: Of the backbone.
        folder: Where fetched weights are kept.
        check: Called often while a file is fetched; may raise to stop.

    Raises:
        JobFailedError: ``weights-unavailable``: not there and not to be had; ``weights-unusable``:
            its hash is another.
    """
    if isinstance(spec.weights, PackagedFile):
        path = Path(str(resources.files(spec.weights.package))) / spec.weights.path
        _check_hash(path, _REINSTALL)
        return path
    path = folder / spec.weights.name
    if not path.is_file():
        cached = Path(torch.hub.get_dir()) / "checkpoints" / spec.weights.name
        path = cached if cached.is_file() else _fetch(spec.name, spec.weights, path, check)
    _check_hash(path, f"Delete {path} and train again.")
    return path


def _fetch(name: str, weights: FetchedFile, path: Path, check: Callable[[], None]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            # Addresses of the catalogue alone, all of them https.
            urllib.request.urlopen(weights.address, timeout=_SILENCE_S) as response,  # noqa: S310
            atomic_writer(path) as file,
        ):
            _copy(response, file, check)
    except (OSError, ValueError, HTTPException) as error:  # URLError is an OSError
        raise JobFailedError(
            "weights-unavailable",
            f"The weights of {name} are not on this machine and could not be fetched "
            f"({type(error).__name__}). Connect the trainer to the Internet once, or put the file "
            f"{weights.name} into {path.parent}, or choose the backbone efficientnet_lite0, whose "
            "weights need no download.",
        ) from error
    try:
        _check_hash(path, "Train again, which fetches them again.")
    except JobFailedError:
        path.unlink()
        raise
    return path


def _copy(response: HTTPResponse, file: BinaryIO, check: Callable[[], None]) -> None:
    """Copy a body whole, or raise; a body that is cut ends like one that is over."""
    announced = response.headers.get("Content-Length")
    count = 0
    while piece := response.read(_PIECE_BYTES):
        count += len(piece)
        if count > _MAX_WEIGHTS_BYTES:
            raise ValueError("the file is larger than any weights")
        file.write(piece)
        check()
    if announced is not None and count != int(announced):
        raise IncompleteRead(b"", int(announced) - count)


def _check_hash(path: Path, advice: str) -> None:
    match = _HASH_IN_NAME.search(path.name)
    if match and path.is_file() and not sha256_of_file(path).startswith(match.group(1)):
        raise _unusable(path, "their hash is not the one in the file's name", advice)


def load_weights(network: nn.Module, weights: Path, *, by_order: bool) -> None:
    """Load a file of tensors into a network.

    Args:
        network: With the classifier that the weights belong to.
        weights: The file.
        by_order: Match tensors by order and shape, whatever their names.

    Raises:
        JobFailedError: ``weights-unusable``: no such file, not a file of tensors, or of another
            network.
    """
    own = network.state_dict()
    try:
        given = torch.load(weights, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        raise _unusable(weights, f"they cannot be read ({type(error).__name__})") from error
    if by_order and len(given) == len(own):
        given = dict(zip(own, given.values(), strict=True))
    if _shapes(given) != _shapes(own):
        raise _unusable(weights, "their shapes are not those of the network")
    network.load_state_dict(own | given)


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    # Older files lack BatchNorm's count of batches, which nothing here reads.
    return {
        name: tensor.shape
        for name, tensor in tensors.items()
        if not name.endswith("num_batches_tracked")
    }


def _unusable(weights: Path, why: str, advice: str = _REINSTALL) -> JobFailedError:
    return JobFailedError(
        "weights-unusable",
        f"The backbone's weights ({weights.name}) are not usable: {why}. {advice}",
    )

"""What runs networks: onnxruntime, behind a protocol, so that another one can stand in for it.

May import contract and ``inference.embedding``. onnxruntime itself is imported with the first
model, for the server's start.
"""

from __future__ import annotations

import importlib
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from server.contract.bundle import INPUT_NAME, OUTPUT_NAME
from server.contract.errors import FormatError
from server.inference.embedding import expose, find_embedding


class EngineError(Exception):
    """A network that cannot be loaded, or does not run."""


_MAX_TOLD_CHARS: Final = 200  # of an engine's message: it may quote names of the network's
# Beyond this it is no summary of an image: ResNet-50, the widest of the usual backbones, has 2048.
_MAX_FEATURES: Final = 4096


class Outputs(NamedTuple):
    """What a network says of N images.

    Attributes:
        logits: ``[N, C]``.
        embeddings: ``[N, F]``: what its last layer weighs; None when that cannot be told.
    """

    logits: NDArray[np.float32]
    embeddings: NDArray[np.float32] | None


class Engine(Protocol):
    """Runs a network. May be called by several threads at once."""

    def run(self, images: NDArray[np.float32]) -> Outputs:
        """Return what the network says of images ``[N, 3, H, W]``.

        Raises:
            EngineError: It fails.
        """


class OnnxEngine:
    """onnxruntime on the CPU."""

    def __init__(self, model: bytes, threads: int) -> None:
        """Load the network.

        Args:
            model: An ONNX file.
            threads: Of one run.

        Raises:
            EngineError: It cannot be loaded.
        """
        name = _find_embedding(model)
        self._session = _open(model if name is None else expose(model, name), threads)
        self._outputs = [OUTPUT_NAME]
        if name is not None and _is_summary(self._session, name):
            self._outputs.append(name)

    def run(self, images: NDArray[np.float32]) -> Outputs:
        """Return what the network says of images ``[N, 3, H, W]``.

        Raises:
            EngineError: It fails.
        """
        try:
            found = self._session.run(self._outputs, {INPUT_NAME: images})
            values = [np.asarray(each, dtype=np.float32) for each in found]
        except Exception as error:  # boundary: as below
            raise EngineError(_told(error)) from error
        return Outputs(values[0], values[1] if len(values) > 1 else None)


def _find_embedding(model: bytes) -> str | None:
    try:
        return find_embedding(model)
    except FormatError:
        return None  # onnxruntime says better what is wrong with it


def _open(model: bytes, threads: int) -> Any:
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between requests would keep a laptop's fan running.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return runtime.InferenceSession(
            model, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # boundary: onnxruntime's errors have no base of their own
        raise EngineError(_told(error)) from error


def _is_summary(session: Any, name: str) -> bool:
    """Return whether an output is a row of numbers for each image, and a short one."""
    for output in session.get_outputs():
        if output.name == name:
            shape = output.shape or []
            is_short = isinstance(shape[-1], int) and 0 < shape[-1] <= _MAX_FEATURES
            return output.type == "tensor(float)" and len(shape) == 2 and is_short  # noqa: PLR2004
    return False


def _told(error: Exception) -> str:
    """Return what an error of the engine says, in one short line."""
    words = " ".join(str(error).split())
    said = "".join(char for char in words if char.isprintable())
    return f"{type(error).__name__}: {said[:_MAX_TOLD_CHARS]}"

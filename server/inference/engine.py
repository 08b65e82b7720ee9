"""What runs networks: onnxruntime, behind a protocol, so that another one can stand in for it.

May import contract. onnxruntime itself is imported with the first model, for the server's start.
"""

from __future__ import annotations

import importlib
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from server.contract.bundle import INPUT_NAME, OUTPUT_NAME


class EngineError(Exception):
    """A network that cannot be loaded, or does not run."""


_MAX_TOLD_CHARS: Final = 200  # of an engine's message: it may quote names of the network's


class Engine(Protocol):
    """Runs a network. May be called by several threads at once."""

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``[N, C]`` for images ``[N, 3, H, W]``.

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
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that spin between requests would keep a laptop's fan running.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = runtime.InferenceSession(
                model, sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # boundary: onnxruntime's errors have no base of their own
            raise EngineError(_told(error)) from error

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``[N, C]`` for images ``[N, 3, H, W]``.

        Raises:
            EngineError: It fails.
        """
        try:
            (result,) = self._session.run([OUTPUT_NAME], {INPUT_NAME: images})
            return np.asarray(result, dtype=np.float32)
        except Exception as error:  # boundary: as above
            raise EngineError(_told(error)) from error


def _told(error: Exception) -> str:
    """Return what an error of the engine says, in one short line."""
    words = " ".join(str(error).split())
    said = "".join(char for char in words if char.isprintable())
    return f"{type(error).__name__}: {said[:_MAX_TOLD_CHARS]}"

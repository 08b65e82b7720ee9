"""A network's first run, in a process of its own that has little memory and little time.

May import contract and ``server.inference.engine``. A network may ask for more memory than there
is, run for hours or bring onnxruntime down: then a child ends, and not the server. Run as
``python -m server.inference.trial SIZE_PX MEMORY_BYTES CPU_S`` with the network at its standard
input, it writes one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

import numpy as np

from server.contract.bundle import MODEL_ONNX
from server.contract.errors import FormatError
from server.contract.files import sha256_of
from server.inference.engine import EngineError, OnnxEngine

_MAX_VIEWS: Final = 2  # of one run in use: the image and its mirror image
_SEED: Final = 0
_MEMORY_BYTES: Final = 2 << 30  # addresses, not pages; the libraries alone map a fourth of it
_MEMORY_RATIO: Final = 6  # of the file, on top of that: read, parsed, and in the kernels' order
_CPU_S: Final = 60  # convnext_tiny takes two
_LIMIT_S: Final = 300  # by the clock: other work may go on
_MAX_PASSED: Final = 64


@dataclass(frozen=True)
class Trial:
    """What is tried.

    Attributes:
        onnx: The network.
        size_px: Side of its input.
        class_count: How many logits it should answer.
    """

    onnx: bytes
    size_px: int
    class_count: int


# What passed once passes again, the bytes being the same: a delivery that is sent again, say.
_PASSED: Final[dict[tuple[str, int, int], None]] = {}


def try_network(trial: Trial) -> None:
    """Run a network on noise.

    Args:
        trial: Its structure was checked: else one picture says nothing of the next.

    Raises:
        FormatError: It does not run within its bounds, or does not answer with numbers of the
            right count.
    """
    key = (sha256_of(trial.onnx), trial.size_px, trial.class_count)
    if key in _PASSED:
        return
    shapes = _run_child(trial)
    expected = [[count, trial.class_count] for count in range(1, _MAX_VIEWS + 1)]
    if shapes != expected:
        raise FormatError(f"{MODEL_ONNX} answers {shapes}, not {expected}")
    if len(_PASSED) >= _MAX_PASSED:
        _PASSED.clear()
    _PASSED[key] = None


def _run_child(trial: Trial) -> list[list[int]]:
    """Return the shape of each answer."""
    memory_bytes = _MEMORY_BYTES + _MEMORY_RATIO * len(trial.onnx)
    words = [sys.executable, "-m", "server.inference.trial"]
    words += [str(trial.size_px), str(memory_bytes), str(_CPU_S)]
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            words, input=trial.onnx, capture_output=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FormatError(f"{MODEL_ONNX} did not answer two images in {_LIMIT_S} s") from error
    if done.returncode != 0:
        raise FormatError(
            f"{MODEL_ONNX} needs more than {memory_bytes >> 20} MiB of memory or {_CPU_S} s, or "
            "brings the engine down"
        )
    said = json.loads(done.stdout)
    if "failed" in said:
        raise FormatError(f"{MODEL_ONNX} does not run ({said['failed']})")
    shapes: list[list[int]] = said["shapes"]
    return shapes


def _limit(memory_bytes: int, cpu_s: int) -> None:
    """Bound this process, where the system can: not on Windows."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Unix has it

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _judge(onnx: bytes, size_px: int) -> dict[str, object]:
    """Run the network on black and on noise, one view and two."""
    noise = np.random.default_rng(_SEED).standard_normal((_MAX_VIEWS, 3, size_px, size_px))
    views = noise.astype(np.float32)
    shapes = []
    try:
        engine = OnnxEngine(onnx, threads=1)
        engine.run(np.zeros((1, 3, size_px, size_px), dtype=np.float32))
        for count in range(1, _MAX_VIEWS + 1):
            logits, _ = engine.run(views[:count])
            if not np.isfinite(logits).all():
                return {"failed": "it answers no numbers"}
            shapes.append(list(logits.shape))
    except EngineError as error:
        return {"failed": str(error)}
    return {"shapes": shapes}


def main() -> None:
    """Try the network at the standard input."""
    size_px, memory_bytes, cpu_s = (int(word) for word in sys.argv[1:4])
    _limit(memory_bytes, cpu_s)
    sys.stdout.write(json.dumps(_judge(sys.stdin.buffer.read(), size_px)) + "\n")


if __name__ == "__main__":
    main()

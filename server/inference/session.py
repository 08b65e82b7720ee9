"""One loaded model: from images to calibrated probabilities.

Knows nothing of HTTP or rows. The engine hides behind ``Engine``, so that another one can stand in
for onnxruntime; onnxruntime itself is imported with the first model, for the server's start.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from server.contract.answers import answer
from server.contract.bundle import (
    INPUT_NAME,
    MODEL_ONNX,
    OUTPUT_NAME,
    Bundle,
    BundleManifest,
    read_bundle,
)
from server.contract.errors import FormatError
from server.contract.preprocess import to_array


class Engine(Protocol):
    """Runs a network."""

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``[N, C]`` for images ``[N, 3, H, W]``."""


class OnnxEngine:
    """onnxruntime on the CPU."""

    def __init__(self, model: bytes, threads: int) -> None:
        """Load the network.

        Args:
            model: An ONNX file.
            threads: Of one run.
        """
        runtime = importlib.import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that spin between requests would keep a laptop's fan running.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = runtime.InferenceSession(
            model, sess_options=options, providers=["CPUExecutionProvider"]
        )

    def logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``[N, C]`` for images ``[N, 3, H, W]``."""
        (result,) = self._session.run([OUTPUT_NAME], {INPUT_NAME: images})
        return np.asarray(result, dtype=np.float32)


@dataclass(frozen=True)
class Knowing:
    """How much an image looks like one of the model's classes.

    Attributes:
        score: Which score; see ``contract.abstaining``.
        value: Of this image; higher is more.
        threshold: Below it the model abstains.
        is_background: Whether the most probable class is the one for "none of these".
    """

    score: str
    value: float
    threshold: float
    is_background: bool

    @property
    def abstained(self) -> bool:
        """Whether the model says that the image is none of its classes, or is too unsure."""
        return self.is_background or self.value < self.threshold


@dataclass(frozen=True)
class Prediction:
    """What a model says of one image.

    Attributes:
        predictions: Every class with its calibrated probability, most probable first.
        knowing: Why it abstains, or does not.
    """

    predictions: Sequence[tuple[str, float]]
    knowing: Knowing

    @property
    def abstained(self) -> bool:
        """Whether the model says that the image is none of its classes, or is too unsure."""
        return self.knowing.abstained

    @property
    def threshold(self) -> float | None:
        """The probability below which it abstains; None when it goes by another score."""
        return self.knowing.threshold if self.knowing.score == "max_probability" else None

    @property
    def label(self) -> str:
        """Return the most probable class."""
        return self.predictions[0][0]

    @property
    def probability(self) -> float:
        """Return the probability of the most probable class."""
        return self.predictions[0][1]


class Classifier:
    """A model ready to answer."""

    def __init__(self, manifest: BundleManifest, engine: Engine) -> None:
        """Keep the parts.

        Args:
            manifest: Classes in the order of the logits, preprocessing, calibration.
            engine: The network.
        """
        self._manifest = manifest
        self._engine = engine

    def predict(self, image: Image.Image, *, is_mirrored: bool = False) -> Prediction:
        """Classify one decoded image (RGB, upright).

        Args:
            image: Of any size.
            is_mirrored: Answer by the mean of its logits and its mirror image's, in twice the time.
        """
        array = to_array(image, self._manifest.preprocessing)
        views = np.stack([array, array[:, :, ::-1]]) if is_mirrored else array[np.newaxis]
        logits = self._engine.logits(views).mean(axis=0, keepdims=True)
        answers = answer(self._manifest, logits)
        values = answers.probabilities[0]
        order = np.argsort(-values, kind="stable")
        rule = self._manifest.abstention
        return Prediction(
            [(self._manifest.classes[i], float(values[i])) for i in order],
            Knowing(
                rule.score,
                float(answers.known[0]),
                rule.threshold,
                is_background=bool(answers.is_background[0]),
            ),
        )


def load_classifier(path: Path, threads: int) -> Classifier:
    """Read, check and load a bundle. Takes some 100 ms: once per model.

    Raises:
        FormatError: The bundle does not follow its format.
    """
    bundle = read_bundle(path)
    return Classifier(bundle.manifest, _try_engine(bundle, threads))


def check_bundle(path: Path) -> Bundle:
    """Read a bundle and run its network once, so that no model is kept that could not answer.

    Raises:
        FormatError: The bundle does not follow its format, or its network does not run.
    """
    bundle = read_bundle(path)
    _try_engine(bundle, threads=1)
    return bundle


def _try_engine(bundle: Bundle, threads: int) -> Engine:
    size_px = bundle.manifest.preprocessing.size_px
    try:
        engine = OnnxEngine(bundle.onnx, threads)
        logits = engine.logits(np.zeros((1, 3, size_px, size_px), dtype=np.float32))
    except Exception as error:  # boundary: onnxruntime's errors have no base of their own
        raise FormatError(f"{MODEL_ONNX} does not run ({type(error).__name__})") from error
    expected = (1, len(bundle.manifest.classes))
    if logits.shape != expected:
        raise FormatError(f"{MODEL_ONNX} answers {list(logits.shape)}, not {list(expected)}")
    return engine

"""One loaded model: from images to calibrated probabilities. Knows nothing of HTTP or rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from server.contract.answers import answer
from server.contract.bundle import MODEL_ONNX, Bundle, BundleManifest, read_bundle
from server.contract.errors import FormatError
from server.contract.preprocess import to_array
from server.inference.engine import Engine, EngineError, OnnxEngine
from server.inference.onnx_file import check_structure
from server.inference.trial import Trial, try_network

# Loaded, a network takes this many times its file: its weights, the same again in the order in
# which the kernels read them, and room for an image. Measured: 53 MB for Lite0's 13 MB.
_LOADED_RATIO: Final = 4


class NetworkError(Exception):
    """A network that ran when it was checked, and now fails or answers no numbers."""


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
        embedding: ``[F]``: what the network's last layer weighs, of the image as it is; None when
            that cannot be told.
    """

    predictions: Sequence[tuple[str, float]]
    knowing: Knowing
    embedding: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

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

    def __init__(self, manifest: BundleManifest, engine: Engine, size_bytes: int = 0) -> None:
        """Keep the parts.

        Args:
            manifest: Classes in the order of the logits, preprocessing, calibration.
            engine: The network.
            size_bytes: Memory that it takes.
        """
        self._manifest = manifest
        self._engine = engine
        self.size_bytes = size_bytes

    def predict(self, image: Image.Image, *, is_mirrored: bool = False) -> Prediction:
        """Classify one decoded image: `answer` of `prepare`.

        Raises:
            NetworkError: As `answer`.
        """
        return self.answer(self.prepare(image), is_mirrored=is_mirrored)

    def prepare(self, image: Image.Image) -> NDArray[np.float32]:
        """Return what the network sees of a decoded image (RGB, upright) of any size."""
        return to_array(image, self._manifest.preprocessing)

    def answer(self, array: NDArray[np.float32], *, is_mirrored: bool = False) -> Prediction:
        """Classify one image.

        Args:
            array: ``[3, H, W]``, as `prepare` returns it.
            is_mirrored: Answer by the mean of its logits and its mirror image's, in twice the time.

        Raises:
            NetworkError: It fails, or answers no numbers.
        """
        views = np.stack([array, array[:, :, ::-1]]) if is_mirrored else array[np.newaxis]
        try:
            outputs = self._engine.run(views)
        except EngineError as error:
            raise NetworkError(str(error)) from error
        logits = outputs.logits.mean(axis=0, keepdims=True)
        if not np.isfinite(logits).all():
            raise NetworkError("it answers no numbers")
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
            None if outputs.embeddings is None else outputs.embeddings[0],
        )


def load_classifier(path: Path, threads: int) -> Classifier:
    """Read, check and load a bundle. Takes some 100 ms: once per model.

    Raises:
        FormatError: The bundle does not follow its format.
    """
    bundle = read_bundle(path)
    size_bytes = _LOADED_RATIO * len(bundle.onnx)
    return Classifier(bundle.manifest, _try_engine(bundle, threads), size_bytes)


def check_bundle(path: Path) -> Bundle:
    """Read a bundle and try its network, so that no model is kept that could not answer.

    Raises:
        FormatError: The bundle does not follow its format, or its network does not run within
            bounds, or has what no classifier needs.
    """
    bundle = read_bundle(path)
    check_structure(bundle.onnx)
    size_px = bundle.manifest.preprocessing.size_px
    try_network(Trial(bundle.onnx, size_px, len(bundle.manifest.classes)))
    return bundle


def _try_engine(bundle: Bundle, threads: int) -> Engine:
    size_px = bundle.manifest.preprocessing.size_px
    try:
        engine = OnnxEngine(bundle.onnx, threads)
        logits, _ = engine.run(np.zeros((1, 3, size_px, size_px), dtype=np.float32))
    except EngineError as error:
        raise FormatError(f"{MODEL_ONNX} does not run ({error})") from error
    expected = (1, len(bundle.manifest.classes))
    if logits.shape != expected:
        raise FormatError(f"{MODEL_ONNX} answers {list(logits.shape)}, not {list(expected)}")
    if not np.isfinite(logits).all():
        raise FormatError(f"{MODEL_ONNX} answers a black image with no numbers")
    return engine

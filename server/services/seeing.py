"""One image through one model, in one go of a thread."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from server.contract.preprocess import decode, upright
from server.inference.session import Classifier, Prediction
from server.media.verify import VerifyLimits, decoded


@dataclass(frozen=True)
class Seen:
    """What came of one image.

    Attributes:
        milliseconds: Decoding and inference.
    """

    prediction: Prediction
    sha256: str
    milliseconds: float


def see(
    classifier: Classifier, data: bytes | Path, limits: VerifyLimits, *, is_mirrored: bool
) -> Seen:
    """Decode once, and answer: in one go, since each turn between threads takes its time.

    Strangers' bytes pass what an upload passes. Files of ours have passed it.

    Raises:
        NotUsableError: The bytes are no image that is taken.
        FormatError: A file of ours is none.
        FileNotFoundError: It is gone.
        NetworkError: The network fails.
    """
    started = time.perf_counter()
    if isinstance(data, Path):
        data = data.read_bytes()
        array = classifier.prepare(decode(data))
    else:
        with decoded(data, limits) as image:
            array = classifier.prepare(upright(image))
    prediction = classifier.answer(array, is_mirrored=is_mirrored)
    sha256 = hashlib.sha256(data).hexdigest()
    return Seen(prediction, sha256, (time.perf_counter() - started) * 1000)

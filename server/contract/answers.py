"""From a model's logits to what it answers, alike in judging it and in serving it.

May import ``contract.abstaining``, ``bundle`` and ``calibration``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.abstaining import known_score
from server.contract.bundle import BundleManifest
from server.contract.calibration import probabilities


@dataclass(frozen=True)
class Answers:
    """What a model says of N images.

    Attributes:
        probabilities: ``[N, C]`` calibrated, in the order of its classes.
        abstained: ``[N]``: whether it says that an image is none of its classes, or is too unsure.
    """

    probabilities: NDArray[np.float64]
    abstained: NDArray[np.bool_]


def answer(manifest: BundleManifest, logits: NDArray[np.float32] | NDArray[np.float64]) -> Answers:
    """Return what the model answers.

    Args:
        manifest: The model's: its temperature and its rule for abstaining.
        logits: ``[N, C]``.
    """
    temperature, rule = manifest.calibration.temperature, manifest.abstention
    background = None if rule.background is None else manifest.classes.index(rule.background)
    said = probabilities(logits, temperature)
    known = known_score(logits, temperature, rule.score, background)
    abstained = known < rule.threshold
    if background is not None:
        abstained |= said.argmax(axis=1) == background
    return Answers(said, abstained)

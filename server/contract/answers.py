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
        known: ``[N]``: the score that its rule for abstaining goes by.
        is_background: ``[N]``: whether the class that stands for "none of these" is on top.
        abstained: ``[N]``: whether it says that an image is none of its classes, or is too unsure.
    """

    probabilities: NDArray[np.float64]
    known: NDArray[np.float64]
    is_background: NDArray[np.bool_]
    abstained: NDArray[np.bool_]

    def of(self, kept: NDArray[np.bool_]) -> Answers:
        """Return the answers to the images for which ``kept`` (``[N]``) is true."""
        return Answers(
            self.probabilities[kept],
            self.known[kept],
            self.is_background[kept],
            self.abstained[kept],
        )


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
    is_background = said.argmax(axis=1) == (-1 if background is None else background)
    return Answers(said, known, is_background, is_background | (known < rule.threshold))

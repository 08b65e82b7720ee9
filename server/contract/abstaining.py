"""From logits to how much an image looks like a known one, alike in training and serving.

May import ``contract.calibration`` and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from server.contract.calibration import probabilities

Floats = NDArray[np.float64]
# What serving can compute: it sees logits, and neither features nor training images.
ServedScore = Literal["max_probability", "margin", "energy"]

# Labels that mean "none of these", in lower case: images that a person met and did not collect.
BACKGROUND_NAMES = frozenset({"background", "none", "none of these", "other"})


def find_background(classes: Sequence[str]) -> str | None:
    """Return the class that stands for "none of these", the first of them; None without one."""
    return next((name for name in classes if name.strip().lower() in BACKGROUND_NAMES), None)


def known_score(
    logits: NDArray[np.float32] | Floats,
    temperature: float,
    score: ServedScore,
    background: int | None = None,
) -> Floats:
    """Return how much each image looks like one of the known classes; higher is more.

    Args:
        logits: ``[N, C]``.
        temperature: What logits are divided by, as for probabilities.
        score: ``max_probability``: the highest probability of a known class. ``margin``: that less
            the highest of the other classes. ``energy``: ln sum exp of the known classes' logits.
        background: The index of the class that is not a known one.

    Returns:
        ``[N]``.

    Source: Hendrycks and Gimpel 2017, https://arxiv.org/abs/1610.02136 (probability); Liu et al.
    2020, https://arxiv.org/abs/2010.03759 (energy, here with its sign turned).
    """
    is_known = np.ones(logits.shape[1], dtype=np.bool_)
    if background is not None:
        is_known[background] = False
    if score == "energy":
        scaled = np.asarray(logits, dtype=np.float64)[:, is_known] / temperature
        top = scaled.max(axis=1)
        energy: Floats = top + np.log(np.exp(scaled - top[:, np.newaxis]).sum(axis=1))
        return energy
    said = probabilities(logits, temperature)
    best = np.where(is_known, said, -1).argmax(axis=1)
    rows = np.arange(len(said))
    own: Floats = said[rows, best]
    if score == "max_probability":
        return own
    said[rows, best] = -1
    result: Floats = own - said.max(axis=1)
    return np.maximum(result, 0.0)  # below 0 the background is likelier: no margin at all

"""From logits to the probabilities that are shown, alike in training and serving. numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def probabilities(
    logits: NDArray[np.float32] | NDArray[np.float64], temperature: float
) -> NDArray[np.float64]:
    """Return the calibrated probabilities: softmax of logits / temperature, along the last axis.

    Args:
        logits: ``[…, C]``.
        temperature: Above 0; above 1 makes the model less sure. It never changes the top class.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, https://arxiv.org/abs/1706.04599
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    result: NDArray[np.float64] = raised / raised.sum(axis=-1, keepdims=True)
    return result

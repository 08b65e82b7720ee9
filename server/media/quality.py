"""What a picture's thumbnail says of its quality, in numbers. Pillow and numpy; no foreign bytes.

Measures only: which of them is too dark or too blurred is for a person to say, with thresholds that
can be moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_DARK_SHARE: Final = 0.99
_LIGHT_SHARE: Final = 0.05
_WHITE: Final = 255.0


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of one picture, of its luma at thumbnail size.

    Attributes:
        luma_p99: The value, 0..1, that 99 % of the pixels stay below: low when all is dark.
        luma_p05: The value, 0..1, that 5 % of the pixels stay below: high when all is bright.
        sharpness: Standard deviation of the Laplacian, in luma steps, 0..1020: below some 5 a photo
            looks blurred. Source: J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield
            microscopy", ICPR 2000 (there its square).
        entropy_bits: Shannon entropy of the luma, 0..8: low when there is little to see.
    """

    luma_p99: float
    luma_p05: float
    sharpness: float
    entropy_bits: float


def measure(image: Image.Image) -> Quality:
    """Measure a picture.

    Args:
        image: Decoded, upright, at thumbnail size: sharpness depends on the scale. One in mode
            ``L`` is taken as it is.

    Returns:
        Its measures; a picture of less than 3 pixels a side has a sharpness of 0.
    """
    luma = image if image.mode == "L" else image.convert("L")
    counts = np.array(luma.histogram(), dtype=np.float64)
    shares = counts / counts.sum()
    below = np.cumsum(shares)
    seen = shares[shares > 0]
    return Quality(
        luma_p99=float(np.searchsorted(below, _DARK_SHARE)) / _WHITE,
        luma_p05=float(np.searchsorted(below, _LIGHT_SHARE)) / _WHITE,
        sharpness=_sharpness(np.asarray(luma, dtype=np.int16)),
        entropy_bits=abs(float(-(seen * np.log2(seen)).sum())),  # no -0.0
    )


def _sharpness(luma: NDArray[np.int16]) -> float:
    if min(luma.shape) < 3:  # noqa: PLR2004 - a pixel and its neighbours
        return 0.0
    # In place and in small numbers: fresh arrays of 8-byte floats cost five times the sums.
    edges = luma[:-2, 1:-1] + luma[2:, 1:-1]
    edges += luma[1:-1, :-2]
    edges += luma[1:-1, 2:]
    edges -= luma[1:-1, 1:-1] << 2
    steps = edges.astype(np.float32)
    # Of 4-byte floats within a row only, where they are exact but for the harshest of edges.
    squares = float(np.einsum("ij,ij->i", steps, steps).sum(dtype=np.float64))
    total = int(edges.sum(dtype=np.int64))
    mean = total / edges.size
    return math.sqrt(max(0.0, squares / edges.size - mean * mean))

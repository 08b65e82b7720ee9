"""Hashes of how images look, and how far apart they are in those that look alike. Pillow, numpy."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# How far apart two pictures may be and still be the same one. Measured on 542 real photos, 146,611
# pairs, some 335 of them true: the difference hash alone finds 441 pairs, both together 342. Of
# re-encodings, resizes and grey copies they find all, of crops by 2 % 96 %, by 5 % 41 %, of copies
# with a watermark 94 %, of mirrored ones none.
NEAR_DHASH_BITS: Final = 10
NEAR_PHASH_BITS: Final = 16

_SIDE: Final = 8  # 8 rows × 8 comparisons = 64 bits  # noqa: RUF003
_WAVE_SIDE: Final = 32  # the picture that the cosine hash sees; it keeps the 8 × 8 lowest waves  # noqa: RUF003


def dhash(image: Image.Image) -> int:
    """Return the difference hash of a picture: is each cell brighter than its right neighbour?

    Survives re-encoding, resizing, brightness and grey; not mirroring or crops beyond some 2 %.
    Source: N. Krawetz, "Kind of Like That", hackerfactor.com, 2013.

    Args:
        image: Any mode that converts to ``L``, or that already; upright.

    Returns:
        64 bits, row by row from the top left, as an unsigned number. (Columns of SQL are signed.)
    """
    cells = _luma(image).resize((_SIDE + 1, _SIDE), Image.Resampling.BOX)
    values = np.asarray(cells, dtype=np.uint8)
    bits = np.packbits(values[:, :-1] > values[:, 1:])
    return int.from_bytes(bits.tobytes(), "big")


def phash(image: Image.Image) -> int:
    """Return the cosine hash of a picture: is each slow wave in it stronger than the median one?

    Tells pictures apart that the difference hash confuses, such as things on a plain ground.
    Source: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010,
    section 3.2.1; here the first row and column of the transform are left out, which hold the
    brightness and its slopes.

    Args:
        image: Any mode that converts to ``L``, or that already; upright.

    Returns:
        64 bits, from slow to fast waves row by row, as an unsigned number.
    """
    cells = _luma(image).resize((_WAVE_SIDE, _WAVE_SIDE), Image.Resampling.BOX)
    waves = _WAVES @ np.asarray(cells, dtype=np.float64) @ _WAVES.T
    ranked = np.sort(waves, axis=None)  # an eighth of the time of np.median, for the same number
    median = (ranked[ranked.size // 2 - 1] + ranked[ranked.size // 2]) / 2
    bits = np.packbits(waves > median)
    return int.from_bytes(bits.tobytes(), "big")


def _luma(image: Image.Image) -> Image.Image:
    return image if image.mode == "L" else image.convert("L")


def _cosine_waves() -> NDArray[np.float64]:
    """Return the rows 1 to 8 of the discrete cosine transform (type II) of 32 values."""
    frequency = np.arange(1, _SIDE + 1)[:, None]
    place = 2 * np.arange(_WAVE_SIDE)[None, :] + 1
    waves: NDArray[np.float64] = np.cos(np.pi * place * frequency / (2 * _WAVE_SIDE))
    return waves


_WAVES: Final = _cosine_waves()


def hamming_distance(a: int, b: int) -> int:
    """Return in how many bits two hashes differ."""
    return (a ^ b).bit_count()

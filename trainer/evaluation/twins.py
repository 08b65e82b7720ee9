"""Validation images that a training image looks the same as. Pure; numpy only.

Splits keep near-duplicates together, by hashes of their looks; this looks once more, another way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Root mean square difference of 32 x 32 thumbnails, of 255. Measured on 542 photos of food: one
# saved again at half its size and quality 60 stays below 9.9 (median 5.9); the nearest two that
# are not the same photo lie 20 apart, the next 26. A copy cropped by 3 % lies beyond: not found.
_SAME_LEVELS = 10.0
_FLAT_LEVELS = 12.0  # standard deviation below which a picture is an empty one, like any other
_MAX_VALID = 500  # looked at, and how many training images beside them: below a second in all
_MAX_TRAIN = 5_000
_AT_ONCE = 100  # rows of distances held at once


def count_twins(pixels: NDArray[np.uint8], is_valid: NDArray[np.bool_], seed: int) -> int:
    """Return how many validation images have a training image that looks the same, or mirrored.

    Of many images a sample is looked at, and the count scaled to all.

    Args:
        pixels: ``[N, S, S, 3]`` uint8.
        is_valid: ``[N]``.
        seed: Of the sample.
    """
    generator = np.random.default_rng(seed)
    valid = _sample(np.flatnonzero(is_valid), _MAX_VALID, generator)
    train = _sample(np.flatnonzero(~is_valid), _MAX_TRAIN, generator)
    known = _flat(pixels[train])
    found = 0
    for first in range(0, len(valid), _AT_ONCE):
        images = pixels[valid[first : first + _AT_ONCE]]
        is_busy = _flat(images).std(axis=1) >= _FLAT_LEVELS
        nearest = np.minimum(
            _nearest(_flat(images), known), _nearest(_flat(images[:, :, ::-1]), known)
        )
        found += int(np.sum(is_busy & (nearest <= _SAME_LEVELS)))
    return round(found * int(is_valid.sum()) / len(valid))


def _sample(
    places: NDArray[np.int64], most: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    return places if len(places) <= most else generator.choice(places, most, replace=False)


def _flat(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return pixels.reshape(len(pixels), -1).astype(np.float32)


def _nearest(images: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the root mean square difference to the nearest known image, ``[N]``."""
    squares = np.square(images).sum(axis=1)[:, None] + np.square(known).sum(axis=1)[None]
    distances = np.maximum(squares - 2 * images @ known.T, 0)
    result: NDArray[np.float32] = np.sqrt(distances.min(axis=1) / images.shape[1])
    return result

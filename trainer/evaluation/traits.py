"""What an image has besides its subject: site, engine, size, shape, border.

Each trait gives every image a word; slices count errors by it, and the shortcut check guesses
labels from it. Pure; may import the contract and numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.origins import Origin
from server.contract.snapshot import Item

UNKNOWN = "unknown"

# Pixels of the shorter side. Search engines' previews lie below 200, old web photos below 400.
_SIZES_PX = (200, 400, 800, 1600)
# Width / height: upright, squarish, landscape, panorama.
_SHAPES = ((0.8, "upright"), (1.25, "squarish"), (2.0, "landscape"))
_EVEN_LEVELS = 12  # standard deviation of the border's pixels, of 255, below which it is even
_BORDER_STEP = 64  # an even border is told by its colour, in four steps of each channel
_BORDER_PX = 1  # of the 32 x 32 thumbnail: 3 % of each side


@dataclass(frozen=True)
class Traits:
    """N words by trait, in the manifest's order; traits that are not known are left out."""

    words: Mapping[str, Sequence[str]]


def read_traits(
    items: Sequence[Item], origins: Mapping[str, Origin], pixels: NDArray[np.uint8]
) -> Traits:
    """Return the traits of images.

    Args:
        items: N of them.
        origins: By sha256; empty when the server does not tell.
        pixels: ``[N, 32, 32, 3]`` uint8, RGB.
    """
    words: dict[str, Sequence[str]] = {}
    for name in ("site", "engine"):
        found = [getattr(origins.get(item.sha256), name, None) or UNKNOWN for item in items]
        if set(found) != {UNKNOWN}:
            words[name] = found
    words["size"] = [size_of(item) for item in items]
    words["shape"] = [shape_of(item) for item in items]
    words["border"] = [border_of(image) for image in pixels]
    return Traits(words)


def size_of(item: Item) -> str:
    """Return the range that the shorter side is in."""
    shorter = min(item.width, item.height)
    for low, high in zip((0, *_SIZES_PX), _SIZES_PX, strict=False):
        if shorter < high:
            return f"{low} to {high - 1} px" if low else f"below {high} px"
    return f"{_SIZES_PX[-1]} px and more"


def shape_of(item: Item) -> str:
    """Return what the sides' ratio is called."""
    ratio = item.width / item.height
    return next((name for limit, name in _SHAPES if ratio < limit), "panorama")


def border_of(image: NDArray[np.uint8]) -> str:
    """Return what lies along the edge: an even colour, or ``varied``.

    Args:
        image: ``[S, S, 3]`` uint8.
    """
    inner = slice(_BORDER_PX, -_BORDER_PX)
    is_edge = np.ones(image.shape[:2], dtype=np.bool_)
    is_edge[inner, inner] = False
    edge = image[is_edge].astype(np.float64)
    if float(edge.std(axis=0).max()) >= _EVEN_LEVELS:
        return "varied"
    steps = (edge.mean(axis=0) // _BORDER_STEP).astype(int)
    return "even " + "-".join(str(step) for step in steps)

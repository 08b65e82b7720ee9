"""The small upright picture that pages and hashes work from. Pillow and numpy.

May import ``server.media.colours``, which alone of this sees bytes of strangers: colour profiles.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Final

import numpy as np
from PIL import Image

from server.media.colours import ProfileTransforms

# EXIF orientation → what turns the picture upright.
# Source: CIPA DC-008 (EXIF 2.32) section 4.6.4, tag 0x0112.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS: Final = frozenset({5, 6, 7, 8})  # orientations that swap width and height
_WHITE: Final = (255, 255, 255, 255)
_DEEP_MODES: Final = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_TRANSFORMS: Final = ProfileTransforms()


def fitted(size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Return a size of the same shape that fits a square; smaller ones are left as they are."""
    if max(size) <= side_px:
        return size
    scale = side_px / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def make_thumbnail(image: Image.Image, side_px: int, orientation: int) -> Image.Image:
    """Return an upright copy in sRGB that fits a square; smaller pictures keep their size.

    Args:
        image: Decoded, in any mode. Transparent parts become white.
        side_px: The square's side.
        orientation: EXIF orientation, 1 to 8.

    Returns:
        A new image without any metadata.
    """
    small = _to_eight_bits(image) if image.mode in _DEEP_MODES else image
    if small.mode in {"P", "PA", "1"} or "transparency" in small.info:
        small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    if max(small.size) > side_px:
        size = fitted(small.size, side_px)
        # A box filter down to twice the size, then the smooth one: as good, and five times faster.
        small = small.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    if "icc_profile" in image.info and image.mode not in _DEEP_MODES:
        small = _TRANSFORMS.to_srgb(small, image.info["icc_profile"])
    if small.has_transparency_data:
        ground = Image.new("RGBA", small.size, _WHITE)
        small = Image.alpha_composite(ground, small.convert("RGBA"))
    if small.mode != "RGB":
        small = small.convert("RGB")
    turn = _TURNS.get(orientation)
    if turn is not None:
        small = small.transpose(turn)
    elif small is image:
        small = small.copy()
    small.info.clear()  # comments, EXIF with its GPS, ICC: none of it goes into thumbnails
    return small


def encode_thumbnail(image: Image.Image, quality: int) -> bytes:
    """Return an RGB image as a JPEG without metadata."""
    if sys.platform != "linux":
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()
    # A file in memory: Pillow gives Python's lock away while it encodes, which it does for nothing
    # but real files. By two threads at once, it takes two thirds of the time.
    with os.fdopen(os.memfd_create("thumbnail"), "w+b", buffering=0) as file:
        image.save(file, "JPEG", quality=quality)
        return os.pread(file.fileno(), file.seek(0, os.SEEK_END), 0)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Spread the values of a deep greyscale image over 0..255.

    Pillow's own ``convert("L")`` clips at 255, which makes nearly all of such pictures white.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16"):
        low, high = 0.0, 65535.0  # the full range has a meaning there, and is kept
    spread = (values - low) * (255.0 / (high - low)) if high > low else np.zeros_like(values)
    return Image.fromarray(spread.astype(np.uint8), "L")

"""The one evaluation-time preprocessing, for validation in training and for serving alike.

Pillow and numpy only, so that the server needs no torch and the two cannot drift apart; its numbers
travel in the bundle. Pillow 13 resizes some shapes in another order than 12 does, to other pixels,
so a trainer and a server must not have one of each: ``pyproject.toml`` asks for 13.
Source: https://github.com/python-pillow/Pillow/pull/9549

May import ``contract.errors`` and ``contract.recipes``.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydantic import ConfigDict

from server.contract.errors import FormatError
from server.contract.recipes import Resize

MAX_PIXELS = 100_000_000  # 300 MB as RGB: a guard for blobs, whose own cap is the server's setting
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")
_WHITE = (255, 255, 255, 255)
_PAD_MODES: Mapping[str, Literal["reflect", "constant"]] = {
    "pad-reflection": "reflect",
    "pad-zeros": "constant",
}
_WIDE_GREY = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})  # 16 bits or more in one channel

# What Pillow's decoders raise for damaged bytes: each was seen, and none is a bug of ours.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    RuntimeError,  # of the AVIF decoder
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the model's input; kept in the bundle.

    Attributes:
        size_px: Side of the square input.
        mean: Subtracted from each channel of RGB in 0..1.
        std: Then divided by.
        interpolation: Always ``bicubic``, with antialiasing (Pillow's).
        resize: ``squish`` scales both sides on their own; ``crop`` takes the centred square;
            ``pad-reflection`` and ``pad-zeros`` scale the longer side, centre the image, and fill
            the rest with its mirror image, or with black.
        crop_ratio: For ``crop``: the square's side as a share of the shorter side, 0..1.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    size_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: Literal["bicubic"] = "bicubic"
    resize: Resize = "squish"
    crop_ratio: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.size_px <= 2048:  # noqa: PLR2004 - 48 MB an image: more is a mistake
            raise FormatError(f"size_px must be in 1..2048, not {self.size_px}")
        if min(self.std) <= 0:
            raise FormatError("std must be above 0 in each channel")
        if not 0 < self.crop_ratio <= 1:
            raise FormatError(f"crop_ratio must be above 0 and at most 1, not {self.crop_ratio}")


def decode(data: bytes | Path, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode the first frame of an image, upright, in RGB, transparent parts on white.

    Colour profiles are not applied: what browsers show of the rare wide-gamut photo differs by
    less than the augmentations a network has seen.

    Args:
        data: The image's bytes, or a file that holds them.
        max_pixels: Width x height above which nothing is decoded.

    Returns:
        A fully loaded RGB image.

    Raises:
        FormatError: Not one of `FORMATS`, damaged, or too many pixels.
    """
    try:
        source = io.BytesIO(data.read_bytes() if isinstance(data, Path) else data)
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise FormatError(f"the image has more than {max_pixels} pixels")
            image.load()
            return upright(image)
    except FormatError:
        raise
    except _DECODE_ERRORS as error:
        raise FormatError(f"the image cannot be decoded ({type(error).__name__})") from error


def upright(image: Image.Image) -> Image.Image:
    """Return a decoded image upright, in RGB, transparent parts on white.

    The second half of `decode`, for who has decoded by checks of their own.

    Args:
        image: Fully loaded, at its full size: a JPEG that was decoded smaller has other pixels.

    Raises:
        FormatError: It has colours, or a note of its turn, that cannot be understood.
    """
    try:
        return _to_rgb(ImageOps.exif_transpose(image))
    except _DECODE_ERRORS as error:
        raise FormatError(f"the image cannot be decoded ({type(error).__name__})") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _WIDE_GREY:  # Pillow's own conversion would clip all above 255 to white
        grey = np.clip(np.asarray(image, dtype=np.int64), 0, 0xFFFF) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture).convert(
            "RGB"
        )
    return image.convert("RGB")


def to_array(image: Image.Image, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Scale an RGB image to the input size and normalise it.

    Args:
        image: RGB, as `decode` returns it.
        preprocessing: The numbers.

    Returns:
        ``[3, size_px, size_px]`` float32, contiguous, RGB.
    """
    return normalise(to_square(image, preprocessing, preprocessing.size_px), preprocessing)


def normalise(square: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Turn what `to_square` returned into the model's input.

    Args:
        square: ``[S, S, 3]`` uint8, RGB.
        preprocessing: Its ``mean`` and ``std`` are used.

    Returns:
        ``[3, S, S]`` float32, contiguous.
    """
    # Turned first, and in place after it: a fourteenth of the time of the same sums pixel by pixel.
    pixels = square.transpose(2, 0, 1).astype(np.float32, order="C")
    pixels /= np.float32(255)
    pixels -= np.asarray(preprocessing.mean, dtype=np.float32)[:, np.newaxis, np.newaxis]
    pixels /= np.asarray(preprocessing.std, dtype=np.float32)[:, np.newaxis, np.newaxis]
    return pixels


def to_square(image: Image.Image, preprocessing: Preprocessing, side_px: int) -> NDArray[np.uint8]:
    """Scale an RGB image to a square by the preprocessing's method, at any size.

    Training keeps its pictures in this form, so that they look as they will to the finished model.

    Args:
        image: RGB, as `decode` returns it.
        preprocessing: Its ``resize`` and ``crop_ratio`` are used, not its ``size_px``.
        side_px: Side of the square.

    Returns:
        ``[side_px, side_px, 3]`` uint8, RGB.
    """
    if preprocessing.resize in _PAD_MODES:
        return _padded(image, side_px, _PAD_MODES[preprocessing.resize])
    box = (
        _centred_square(image, preprocessing.crop_ratio) if preprocessing.resize == "crop" else None
    )
    scaled = image.resize((side_px, side_px), Image.Resampling.BICUBIC, box=box)
    return np.asarray(scaled, dtype=np.uint8)


def _padded(
    image: Image.Image, side_px: int, mode: Literal["reflect", "constant"]
) -> NDArray[np.uint8]:
    scale = side_px / max(image.size)
    # A strip of 1 x 10,000 still has a pixel's width.
    width, height = (max(1, round(side * scale)) for side in image.size)
    scaled = np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), dtype=np.uint8)
    top, left = (side_px - height) // 2, (side_px - width) // 2
    around = ((top, side_px - height - top), (left, side_px - width - left), (0, 0))
    # Without a second pixel there is nothing to mirror.
    if mode == "reflect" and min(width, height) == 1:
        return np.pad(scaled, around, mode="edge")
    return np.pad(scaled, around, mode=mode)


def _centred_square(image: Image.Image, ratio: float) -> tuple[float, float, float, float]:
    # Cropping through `box` resamples once, and never builds the huge intermediate that scaling
    # the shorter side of a 1 x 10,000 strip would need.
    side = min(image.size) * ratio
    left, top = (image.width - side) / 2, (image.height - side) / 2
    return (left, top, left + side, top + side)


def preprocess(
    data: bytes | Path, preprocessing: Preprocessing, max_pixels: int = MAX_PIXELS
) -> NDArray[np.float32]:
    """Decode and normalise: `to_array` of `decode`.

    Raises:
        FormatError: As `decode`.
    """
    return to_array(decode(data, max_pixels), preprocessing)

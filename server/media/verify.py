"""The one place of the server where bytes of strangers are opened as an image.

May import the rest of ``server.media`` and ``server.reasons``. Formats by an allow-list and by
content, size before any decoding, one decode of the first frame in full; hash and thumbnail come
from that same decode. Pure and free of shared state: made for a pool of threads. How many large
images are decoded at once is the caller's to bound (50 MP are up to 600 MB while decoding).
"""

from __future__ import annotations

import builtins
import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from typing import Final

from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile

from server.media.digests import dhash, phash
from server.media.jpeg import ScanProbe, count_scans, open_probe
from server.media.quality import Quality, measure
from server.media.sniff import UNKNOWN, Kind, sniff
from server.media.thumbnails import SIDEWAYS, encode_thumbnail, fitted, make_thumbnail
from server.reasons import Reason

# Pillow warns between 89 and 179 MP, and raises beyond. Both mean the same to us. Set once at
# import and for the whole process: filters are shared by all threads, so a context manager around
# each decode would be a race.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# What Pillow mutters about odd metadata of strangers is not worth a line of our log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_MAX_PASSES: Final = 100  # over the most pixels allowed: 3 s of decoding
_JPEGS: Final = frozenset({"JPEG", "MPO"})

# What Pillow's plugins raise for bytes that are damaged or were made to do damage (by its tests of
# crashers, and by fuzzing: tests/fuzz/test_verify.py).
_DAMAGE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    AttributeError,
)


@dataclass(frozen=True, slots=True)
class VerifyLimits:
    """What is taken for a usable image.

    Attributes:
        max_pixels: Width × height; a 48-MP phone photo passes. Checked before decoding: 1 KB of
            AVIF can claim 67 MP and take 600 MB.
        min_side_px: Tracking pixels, spacers and most icons are smaller.
        thumbnail_px: The square that thumbnails fit.
        thumbnail_quality: JPEG quality of thumbnails: some 12 KB each at 256 px.
    """  # noqa: RUF002 - a multiplication

    max_pixels: int = 50_000_000
    min_side_px: int = 16
    thumbnail_px: int = 256
    thumbnail_quality: int = 80


@dataclass(frozen=True, slots=True)
class Verified:
    """An image that decoded in full.

    Attributes:
        sha256: Of the bytes, 64 lower-case hexadecimal digits.
        format: ``jpeg``, ``png``, ``gif``, ``webp``, ``avif``, ``bmp`` or ``tiff``, by content.
        width: In pixels, upright (after the EXIF turn).
        height: In pixels, upright.
        bytes: Size of the file.
        dhash: Difference hash, 64 bits, unsigned; of the upright picture.
        phash: Cosine hash, likewise.
        quality: Measures of the upright picture.
        thumbnail: A JPEG without metadata, upright, at most ``thumbnail_px`` a side.
        orientation: EXIF orientation, 1 to 8, that the thumbnail has already been turned by.
    """

    sha256: str
    format: str
    width: int
    height: int
    bytes: int
    dhash: int
    phash: int
    quality: Quality
    thumbnail: builtins.bytes
    orientation: int


class NotUsableError(Exception):
    """Bytes that are not kept as an image.

    Attributes:
        reason: Of the closed list.
        detail: One sentence for a person.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def verify(data: bytes, limits: VerifyLimits | None = None) -> Verified:
    """Decode an image in full and describe it.

    Blocks for milliseconds to seconds: run it in a thread.

    Args:
        data: The whole file, trusted in nothing.
        limits: The defaults of `VerifyLimits` when None.

    Raises:
        NotUsableError: Empty, no image, a format that is not decoded, too many pixels, too small,
            or damaged.
    """
    limits = limits or VerifyLimits()
    kind = sniff(data)
    if kind.pillow is None:
        raise _refusal(data, kind)
    source, image = _open(data, kind)
    try:
        width, height = image.size
        _check_size(width, height, limits)
        if image.format in _JPEGS and not isinstance(source, ScanProbe):
            _check_scans(data, width * height, limits)
        _decode(image, source, kind, limits)
        orientation = _read_orientation(image)
        small = _draw_small(image, kind, limits, orientation)
    finally:
        image.close()
    if orientation in SIDEWAYS:
        width, height = height, width
    return Verified(
        sha256=hashlib.sha256(data).hexdigest(),
        format=kind.pillow.lower(),
        width=width,
        height=height,
        bytes=len(data),
        dhash=dhash(small),
        phash=phash(small),
        quality=measure(small),
        thumbnail=encode_thumbnail(small, limits.thumbnail_quality),
        orientation=orientation,
    )


@dataclass(frozen=True, slots=True)
class ThumbnailLook:
    """What a thumbnail says of its image.

    Attributes:
        phash: As `Verified.phash`.
        quality: As `Verified.quality`.
    """

    phash: int
    quality: Quality


def look_at_thumbnail(data: bytes) -> ThumbnailLook:
    """Describe an image by its thumbnail, which was made by `verify`.

    Raises:
        NotUsableError: The bytes are damaged.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            small = image.convert("RGB")
    except _DAMAGE as error:
        raise NotUsableError(Reason.TRUNCATED, "the thumbnail is damaged") from error
    return ThumbnailLook(phash(small), measure(small))


def _refusal(data: bytes, kind: Kind) -> NotUsableError:
    if not data:
        return NotUsableError(Reason.EMPTY, "the file has no bytes")
    if kind is UNKNOWN:
        return NotUsableError(Reason.NOT_AN_IMAGE, "the bytes begin like no image that we know")
    if kind.reason is Reason.NOT_AN_IMAGE:
        return NotUsableError(kind.reason, f"{kind.name} instead of an image")
    return NotUsableError(kind.reason, f"{kind.name}: not among the formats that are decoded")


def _open(data: bytes, kind: Kind) -> tuple[io.BytesIO, Image.Image]:
    """Read the header with the one plugin that the content asks for."""
    try:
        source = open_probe(data) if kind.pillow == "JPEG" else io.BytesIO(data)
        return source, Image.open(source, formats=[str(kind.pillow)])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotUsableError(Reason.TOO_MANY_PIXELS, str(error)) from error
    except _DAMAGE as error:
        detail = f"it begins like {kind.name}, but its header cannot be read"
        raise NotUsableError(Reason.TRUNCATED, detail) from error


def _check_size(width: int, height: int, limits: VerifyLimits) -> None:
    size = f"{width:,} by {height:,} pixels"
    if width * height > limits.max_pixels:
        detail = f"{size}, over the limit of {limits.max_pixels:,} in all"
        raise NotUsableError(Reason.TOO_MANY_PIXELS, detail)
    if min(width, height) < limits.min_side_px:
        detail = f"{size}, under the limit of {limits.min_side_px} a side"
        raise NotUsableError(Reason.TOO_SMALL, detail)


def _check_scans(data: bytes, pixels: int, limits: VerifyLimits) -> None:
    # Each scan of a progressive JPEG passes over all pixels, in 2 KB when it says nothing: 10,000
    # of them would take minutes. Real files have some ten; appended videos look like some more.
    scans = count_scans(data)
    if scans * pixels > _MAX_PASSES * limits.max_pixels:
        detail = f"{scans:,} passes over {pixels:,} pixels"
        raise NotUsableError(Reason.TOO_MANY_PIXELS, detail)


def _decode(image: Image.Image, source: io.BytesIO, kind: Kind, limits: VerifyLimits) -> None:
    """Decode the first frame, all of its bits.

    A JPEG is drawn at the least scale that the thumbnail can be made from: every coded bit is still
    read, and measured to show the same damage as at full scale, for 3/4 of the time and a tenth of
    the memory. The least scale is that of the thumbnail's own two sides: asking for its square
    instead took 4.2 ms for 1024 by 768 pixels in all, and this takes 2.6.
    """
    full_size = image.size
    try:
        image.draft(None, fitted(full_size, limits.thumbnail_px))
        if isinstance(source, ScanProbe) and isinstance(image, JpegImageFile):
            source.watch(image, full_size)
        image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotUsableError(Reason.TOO_MANY_PIXELS, str(error)) from error
    except _DAMAGE as error:
        detail = f"{kind.name}, cut off or damaged: {error}"[:300]
        raise NotUsableError(Reason.TRUNCATED, detail) from error
    if isinstance(source, ScanProbe) and source.is_cut():
        detail = f"{kind.name} whose end marker comes before its last lines"
        raise NotUsableError(Reason.TRUNCATED, detail)


def _read_orientation(image: Image.Image) -> int:
    # After decoding: TIFF and AVIF are turned, or described anew, by their plugins on the way.
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _DAMAGE:
        return 1  # broken EXIF says nothing of the picture
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004 - EXIF's range


def _draw_small(
    image: Image.Image, kind: Kind, limits: VerifyLimits, orientation: int
) -> Image.Image:
    try:
        return make_thumbnail(image, limits.thumbnail_px, orientation)
    except _DAMAGE as error:
        # Decoded, but in colours that Pillow cannot turn into RGB (a TIFF in CIELAB, say).
        detail = f"{kind.name} in colours that cannot be shown ({image.mode})"
        raise NotUsableError(Reason.UNSUPPORTED_FORMAT, detail) from error

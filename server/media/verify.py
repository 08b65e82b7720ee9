"""The one place of the server where bytes of strangers are opened as an image.

May import the rest of ``server.media`` and ``server.reasons``. Formats by an allow-list and by
content, size before any decoding, one decode of the first frame in full; hash and thumbnail come
from that same decode. Made for a pool of threads: all that they share are the transforms of
colour profiles, and a bound on the pixels that are decoded at once.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile

from server.media.digests import dhash, phash
from server.media.jpeg import ScanProbe, count_scans, open_probe
from server.media.pixel_budget import PixelBudget
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
# Over all threads, whoever calls: a WebP takes 16 bytes a pixel while it is decoded, an AVIF 10, so
# that two of the largest would be 1.6 GB. The usual ones, of up to 4 MP, wait for nobody.
_DECODES: Final = PixelBudget(total_px=60_000_000, free_px=4_000_000)

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
        has_thumbnail: Whether one is encoded at all; it is drawn in any case, to be measured.
    """  # noqa: RUF002 - a multiplication

    max_pixels: int = 50_000_000
    min_side_px: int = 16
    thumbnail_px: int = 256
    thumbnail_quality: int = 80
    has_thumbnail: bool = True


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
        thumbnail: A JPEG without metadata, upright, at most ``thumbnail_px`` a side; empty where
            none was to be encoded.
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
    picture = _read(data, kind, limits)
    small, luma = picture.small, picture.small.convert("L")
    return Verified(
        sha256=hashlib.sha256(data).hexdigest(),
        format=kind.pillow.lower(),
        width=picture.width,
        height=picture.height,
        bytes=len(data),
        dhash=dhash(luma),
        phash=phash(luma),
        quality=measure(luma),
        thumbnail=(
            encode_thumbnail(small, limits.thumbnail_quality) if limits.has_thumbnail else b""
        ),
        orientation=picture.orientation,
    )


@contextmanager
def decoded(data: bytes, limits: VerifyLimits | None = None) -> Iterator[Image.Image]:
    """Yield an image that passes all that `verify` asks of it, with every pixel.

    For who wants to look at it, and not to describe it. What it holds counts among what is decoded
    at once until the ``with`` ends: take from it what is needed, and leave.

    Args:
        data: The whole file, trusted in nothing.
        limits: The defaults of `VerifyLimits` when None.

    Raises:
        NotUsableError: As `verify`.
    """
    kind = sniff(data)
    if kind.pillow is None:
        raise _refusal(data, kind)
    with _opened(data, kind, limits or VerifyLimits(), fit_px=None) as (image, _):
        yield image


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
    luma = small.convert("L")
    return ThumbnailLook(phash(luma), measure(luma))


@dataclass(frozen=True, slots=True)
class _Picture:
    """What is left of a decoded image: its small copy, and its upright size."""

    small: Image.Image
    width: int
    height: int
    orientation: int


def _read(data: bytes, kind: Kind, limits: VerifyLimits) -> _Picture:
    with _opened(data, kind, limits, fit_px=limits.thumbnail_px) as opened:
        image, (width, height) = opened
        orientation = _read_orientation(image)
        small = _draw_small(image, kind, limits, orientation)
    if orientation in SIDEWAYS:
        width, height = height, width
    return _Picture(small, width, height, orientation)


@contextmanager
def _opened(
    data: bytes, kind: Kind, limits: VerifyLimits, *, fit_px: int | None
) -> Iterator[tuple[Image.Image, tuple[int, int]]]:
    """Yield the first frame, decoded in full, and its size before any scaling.

    Room for its pixels is kept until the end.

    Args:
        data: The whole file.
        kind: What it begins like.
        limits: Of its size.
        fit_px: Decode a JPEG at the least scale that still fills a square of this side; None to
            have every pixel.
    """
    for is_searched in (False, True):
        source, image = _open(data, kind, is_searched=is_searched)
        with closing(image):
            size = image.size
            _check_size(*size, limits)
            pixels = image.width * image.height
            if fit_px is not None:
                image.draft(None, fitted(size, fit_px))
            if isinstance(source, ScanProbe):
                pixels = image.width * image.height  # line by line; of many scans it needs all
            elif image.format in _JPEGS:
                _check_scans(data, pixels, limits)
            with _DECODES.room(pixels):
                _decode(image, source, kind, size)
                if not isinstance(source, ScanProbe) or source.is_reached() or is_searched:
                    yield image, size
                    return
        # It ended before the marker that was watched: once more, with the one that ended it.


def _refusal(data: bytes, kind: Kind) -> NotUsableError:
    if not data:
        return NotUsableError(Reason.EMPTY, "the file has no bytes")
    if kind is UNKNOWN:
        return NotUsableError(Reason.NOT_AN_IMAGE, "the bytes begin like no image that we know")
    if kind.reason is Reason.NOT_AN_IMAGE:
        return NotUsableError(kind.reason, f"{kind.name} instead of an image")
    return NotUsableError(kind.reason, f"{kind.name}: not among the formats that are decoded")


def _open(data: bytes, kind: Kind, *, is_searched: bool) -> tuple[io.BytesIO, Image.Image]:
    """Read the header with the one plugin that the content asks for."""
    try:
        is_jpeg = kind.pillow == "JPEG"
        source = open_probe(data, is_searched=is_searched) if is_jpeg else io.BytesIO(data)
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


def _decode(image: Image.Image, source: io.BytesIO, kind: Kind, full_size: tuple[int, int]) -> None:
    """Decode the first frame, all of its bits.

    Of a JPEG, the least scale was asked for that the thumbnail can be made from: every coded bit is
    still read, and measured to show the same damage as at full scale, for 3/4 of the time and a
    tenth of the memory. The least scale is that of the thumbnail's own two sides: asking for its
    square instead took 4.2 ms for 1024 by 768 pixels in all, and this takes 2.6.
    """
    try:
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

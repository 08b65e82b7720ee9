"""Images that are rare but whole, that carry what is no picture, or that are of an unusual kind."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from server.media.verify import NotUsableError, verify
from server.reasons import Reason
from tests.support import images
from tests.support.images import encode, photo, png_chunk

# As in test_verify.py: ignored in production too.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

START = b"\x89PNG\r\n\x1a\n"
MEGABYTE = 1_000_000
# Adam7: where each pass begins, and its steps. Source: PNG specification, section 8.2.
PASSES = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LONG_EXIF = Image.Exif()
LONG_EXIF[0x010E] = "x" * 60_000


def png(header: tuple[int, ...], rows: bytes, *chunks: bytes) -> bytes:
    """Return a PNG of 40 by 30: bits, colour type, compression, filter and interlace as given."""
    described = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 30, *header))
    data = png_chunk(b"IDAT", zlib.compress(rows))
    return START + described + b"".join(chunks) + data + png_chunk(b"IEND", b"")


def interlaced_rows() -> bytes:
    rows = b""
    for left, top, across, down in PASSES:
        width, height = -(-(40 - left) // across), -(-(30 - top) // down)
        rows += (b"\0" + bytes(range(100, 100 + width))) * height
    return rows


def deep_rows() -> bytes:
    pixels = [[struct.pack(">HHH", 1600 * x, 2100 * y, 0) for x in range(40)] for y in range(30)]
    return b"".join(b"\0" + b"".join(row) for row in pixels)


def with_packets(data: bytes, total_bytes: int) -> bytes:
    """Return a JPEG with so much of XMP before its picture."""
    name = b"http://ns.adobe.com/xap/1.0/\0"
    packet = b"\xff\xe1" + struct.pack(">H", 65_535) + name + b"x" * (65_533 - len(name))
    return data[:2] + packet * (total_bytes // len(packet)) + data[2:]


def with_frame_marker(data: bytes, marker: int, precision: int = 8) -> bytes:
    """Return a baseline JPEG that says of itself it were of another kind."""
    changed = bytearray(data)
    place = changed.index(b"\xff\xc0")
    changed[place + 1], changed[place + 4] = marker, precision
    return bytes(changed)


WHOLE = {
    "png of 16 bits a colour": png((16, 2, 0, 0, 0), deep_rows()),
    "interlaced png": png((8, 0, 0, 0, 1), interlaced_rows()),
    "png whose palette lacks its colours": png(
        (8, 3, 0, 0, 0), (b"\0" + b"\xff" * 40) * 30, png_chunk(b"PLTE", b"\1\2\3" * 2)
    ),
    "png with garbage for a profile": encode(photo(), "PNG", icc_profile=b"\xffgarbage" * 500),
    "jpeg with a profile": encode(photo(), icc_profile=SRGB),
    "jpeg with garbage for a profile": encode(photo(), icc_profile=b"\0garbage" * 500),
    "jpeg with ten megabytes of metadata": with_packets(images.jpeg(), 10 * MEGABYTE),
    "jpeg with a long description": encode(photo(), exif=LONG_EXIF.tobytes()),
    "tiff of 16 bits": encode(
        Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50), "TIFF"
    ),
    "tiff for print": encode(photo(mode="CMYK"), "TIFF"),
    "webp of twenty frames": encode(
        photo(), "WEBP", save_all=True, append_images=[photo()] * 20, duration=10
    ),
    "gif with a script after it": encode(photo(mode="P"), "GIF") + b"<script>alert(1)</script>",
    "png with a page after it": encode(photo(), "PNG") + b"<html><body onload=alert(1)>",
}  # fmt: skip

REFUSED = {
    "jpeg of 12 bits": (with_frame_marker(images.jpeg(), 0xC0, 12), Reason.TRUNCATED),
    "lossless jpeg": (with_frame_marker(images.jpeg(), 0xC3), Reason.TRUNCATED),
    "hierarchical jpeg": (with_frame_marker(images.jpeg(), 0xC5), Reason.TRUNCATED),
    "a column of 65,000 pixels": (encode(Image.new("L", (1, 65_000)), "PNG"), Reason.TOO_SMALL),
    "jpeg 2000": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100), Reason.UNSUPPORTED_FORMAT),
    "heif of a phone": (
        b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf" + bytes(100), Reason.UNSUPPORTED_FORMAT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_an_odd_image_is_kept_and_its_thumbnail_carries_the_picture_alone(name: str) -> None:
    verified = verify(WHOLE[name])
    assert min(verified.width, verified.height) >= 30
    with Image.open(io.BytesIO(verified.thumbnail)) as thumbnail:  # noqa: TID251 - our own bytes
        assert thumbnail.mode == "RGB"
        assert not set(thumbnail.info) & {"exif", "icc_profile", "xmp", "comment"}
    assert b"script" not in verified.thumbnail
    assert len(verified.thumbnail) < 100_000


@pytest.mark.parametrize("name", REFUSED)
def test_an_unusual_kind_is_refused_by_name(name: str) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(NotUsableError) as caught:
        verify(data)
    assert caught.value.reason is reason


def test_colours_for_print_keep_their_look() -> None:
    picture = Image.new("CMYK", (60, 40), (0, 255, 255, 0))  # red
    for kind in ("JPEG", "TIFF"):
        verified = verify(encode(picture, kind))
        with Image.open(io.BytesIO(verified.thumbnail)) as thumbnail:  # noqa: TID251 - our own
            red, green, blue = thumbnail.getpixel((30, 20))  # type: ignore[misc]
        assert red > 180
        assert max(green, blue) < 80

"""What a file's first bytes say it is; standard library only. Names are for people, not decisions.

Only `DECODED` formats ever reach a decoder; the rest is named so that a rejected address says
"an HTML page", not "cannot identify image file".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from server.reasons import Reason

_HEAD_BYTES: Final = 1024  # HTML and SVG may start with comments, a byte order mark, blank lines


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        name: As a person calls it.
        pillow: Pillow's name where we decode it, else None.
        reason: Why it is refused where we do not.
    """

    name: str
    pillow: str | None = None
    reason: Reason = Reason.NOT_AN_IMAGE


_UNSUPPORTED: Final = Reason.UNSUPPORTED_FORMAT

# (offset, bytes there, kind). Source: the formats' own specifications; IANA media types' magic.
_MAGIC: Final[tuple[tuple[int, bytes, Kind], ...]] = (
    (0, b"\xff\xd8\xff", Kind("a JPEG", "JPEG")),
    (0, b"\x89PNG\r\n\x1a\n", Kind("a PNG", "PNG")),
    (0, b"GIF87a", Kind("a GIF", "GIF")),
    (0, b"GIF89a", Kind("a GIF", "GIF")),
    (8, b"WEBP", Kind("a WebP", "WEBP")),
    (0, b"BM", Kind("a BMP", "BMP")),
    (0, b"II*\0", Kind("a TIFF", "TIFF")),
    (0, b"MM\0*", Kind("a TIFF", "TIFF")),
    (0, b"%PDF-", Kind("a PDF")),
    (0, b"%!PS", Kind("a PostScript file", reason=_UNSUPPORTED)),
    (0, b"\0\0\1\0", Kind("an ICO icon", reason=_UNSUPPORTED)),
    (0, b"8BPS", Kind("a Photoshop file", reason=_UNSUPPORTED)),
    (0, b"\xff\x0a", Kind("a JPEG XL", reason=_UNSUPPORTED)),
    (0, b"\0\0\0\x0cJXL ", Kind("a JPEG XL", reason=_UNSUPPORTED)),
    (0, b"\0\0\0\x0cjP  ", Kind("a JPEG 2000", reason=_UNSUPPORTED)),
    (0, b"\xffO\xffQ", Kind("a JPEG 2000", reason=_UNSUPPORTED)),
    (0, b"II+\0", Kind("a BigTIFF", reason=_UNSUPPORTED)),
    (0, b"PK\x03\x04", Kind("a ZIP archive")),
    (0, b"\x1f\x8b", Kind("a gzip file")),
    (0, b"\x1aE\xdf\xa3", Kind("a WebM or Matroska video")),
    (0, b"{", Kind("JSON text")),
)
# Brands of ISO base media files (ISO/IEC 14496-12), at offset 8 after "ftyp".
_BRANDS: Final = {
    b"avif": Kind("an AVIF", "AVIF"),
    b"avis": Kind("an AVIF", "AVIF"),
    b"heic": Kind("a HEIC", reason=_UNSUPPORTED),
    b"heix": Kind("a HEIC", reason=_UNSUPPORTED),
    b"hevc": Kind("a HEIC", reason=_UNSUPPORTED),
    b"mif1": Kind("a HEIF", reason=_UNSUPPORTED),
    b"msf1": Kind("a HEIF", reason=_UNSUPPORTED),
}
_VIDEO: Final = Kind("an MP4 or similar video")
_SVG: Final = Kind("an SVG drawing", reason=_UNSUPPORTED)
_HTML: Final = Kind("an HTML page")
_XML: Final = Kind("XML text")
UNKNOWN: Final = Kind("nothing that we know")


def sniff(data: bytes) -> Kind:
    """Name the kind of a file by its content; `UNKNOWN` when nothing fits."""
    for offset, magic, kind in _MAGIC:
        if data.startswith(magic, offset):
            return kind
    if data[4:8] == b"ftyp":
        return _media_file(data)
    text = data[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text.startswith(b"<"):
        return UNKNOWN
    if b"<svg" in text:
        return _SVG
    return _XML if text.startswith(b"<?xml") and b"<html" not in text else _HTML


def _media_file(data: bytes) -> Kind:
    # The major brand, then the compatible ones: AVIF files are also marked "mif1" first.
    size = min(int.from_bytes(data[:4], "big"), 256)  # real boxes hold some ten brands
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, size, 4))]
    kinds = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    decoded = [kind for kind in kinds if kind.pillow]
    return (decoded or kinds or [_VIDEO])[0]

"""Sees JPEGs that were cut short and given an end marker, which Pillow cannot tell from whole ones.

May import the standard library and Pillow. When libjpeg meets the end marker too early it only
warns, and fills what is missing with grey; Pillow drops the warning. But a decoder that still waits
for the end marker has already given out every row that it has data for. So the bytes are handed
over up to the marker, and when the decoder asks for more, the rows near the bottom must be there.
"""

from __future__ import annotations

import io
from typing import Final

from PIL.JpegImagePlugin import JpegImageFile
from typing_extensions import override

# Real files have some dozens; EXIF, XMP and ICC in pieces of 64 KiB make hundreds. Padding counts:
# Pillow walks it byte by byte in Python, 8 s for 20 MiB.
_MAX_SEGMENTS: Final = 1000
_MAX_JUNK_BYTES: Final = (
    1024  # between two segments; decoders skip it, and it has no business there
)
_END_MARKER: Final = b"\xff\xd9"
_START_OF_SCAN: Final = 0xDA
_PADDING: Final = 0xFF
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9), _PADDING})  # TEM, RSTn, SOI: no length
# How far whole pictures lag behind while the marker is awaited: by the rows of MCUs with what
# libjpeg-turbo's bit buffer can hold at 2 bits a block (the least that optimised Huffman codes
# take), and by two lines that the chroma filter holds back. Of 3,000 whole pictures of 16 to
# 333 px, half of them flat, the worst lagged by 27 grey MCUs where this allows 32.
_LAG_BLOCKS: Final = 32
_LAG_LINES: Final = 2
_BLOCK_PX: Final = 8


class ScanProbe(io.BytesIO):
    """The bytes of a JPEG with one scan; notes what is decoded when the end marker is reached.

    Args:
        data: The whole file.
        marker_at: Where its end marker stands.
    """

    def __init__(self, data: bytes, marker_at: int) -> None:
        super().__init__(data)
        self._marker_at = marker_at
        self._image: JpegImageFile | None = None
        self._line = 0
        self._was_blank = False
        self._is_reached = False

    def watch(self, image: JpegImageFile, full_size: tuple[int, int]) -> None:
        """Watch the decoding of ``image``; call between ``draft`` and ``load``.

        Args:
            image: Opened from this object.
            full_size: Its width and height before ``draft``.
        """
        width, height = full_size
        samplings = [component[1:3] for component in image.layer]
        mcu_width, mcu_height = (_BLOCK_PX * max(axis) for axis in zip(*samplings, strict=True))
        blocks = sum(across * down for across, down in samplings) if len(samplings) > 1 else 1
        mcus_in_row = -(-width // mcu_width)
        lag_rows = -(-_LAG_BLOCKS // (blocks * mcus_in_row))
        lag = mcu_height * lag_rows + _LAG_LINES
        line = (height - lag) * image.height // height - 1
        if line >= 0:
            self._image, self._line = image, line

    def is_cut(self) -> bool:
        """Tell, after ``load``, whether a line appeared that the data cannot have held."""
        return self._image is not None and self._was_blank and not self._is_blank(self._image)

    def is_reached(self) -> bool:
        """Tell, after ``load``, whether the decoder asked for what stands at the marker."""
        return self._is_reached

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        """Read as usual, but never across the start of the end marker."""
        left = self._marker_at - self.tell()
        if left == 0:
            self._is_reached = True
            if self._image is not None and not self._was_blank:
                self._was_blank = self._is_blank(self._image)
        if left > 0 and (size is None or size < 0 or size > left):
            size = left
        return super().read(size)

    def _is_blank(self, image: JpegImageFile) -> bool:
        # The core image, since every method of the outer one would first finish the decoding.
        return image.im.crop((0, self._line, image.width, self._line + 1)).getbbox() is None


class OddHeaderError(ValueError):
    """A header that is only made to be walked for long."""


def open_probe(data: bytes, *, is_searched: bool = False) -> io.BytesIO:
    """Return the bytes as a file for Pillow; a `ScanProbe` where probing can tell anything.

    Pictures of several scans (progressive) give out no row before the end: they stay unprobed, and
    a cut one shows blurred, not missing, parts.

    Args:
        data: The whole file.
        is_searched: Look for the first end marker. Without it, one at the end of the file is taken
            for that: so it is in nearly all, and the search takes 4 % of the whole verification.
            If the decoder never reaches it (`ScanProbe.is_reached`), there was one before.

    Raises:
        OddHeaderError: Over 1,000 segments, or junk between them.
    """
    scan_at = _find_only_scan(data)
    if not scan_at:
        return io.BytesIO(data)
    if not is_searched and data.endswith(_END_MARKER) and len(data) - 2 > scan_at:
        return ScanProbe(data, len(data) - 2)
    marker_at = data.find(_END_MARKER, scan_at)
    return ScanProbe(data, marker_at) if marker_at > 0 else io.BytesIO(data)


def count_scans(data: bytes) -> int:
    """Return at most how many passes over the picture a decoder makes: all that look like one."""
    return data.count(b"\xff\xda")


def _find_only_scan(data: bytes) -> int:
    """Return where the data of the one scan begins; 0 when there are several, or none is found."""
    at, components = 2, 0
    for _ in range(_MAX_SEGMENTS):
        start = data.find(b"\xff", at, at + _MAX_JUNK_BYTES)
        if start < 0 and at + _MAX_JUNK_BYTES < len(data):
            raise OddHeaderError("junk between the segments of the header")
        if start < 0 or start + 4 > len(data):
            return 0
        code = data[start + 1]
        if code in _STANDALONE:
            at = start + (1 if code == _PADDING else 2)
            continue
        at = start + 2 + max(2, int.from_bytes(data[start + 2 : start + 4], "big"))
        # Byte 9 of a baseline or extended sequential frame, byte 4 of a scan: their components.
        if code in {0xC0, 0xC1}:
            components = data[start + 9] if start + 9 < len(data) else 0
        if code == _START_OF_SCAN:
            return at if data[start + 4 : start + 5] == bytes([components]) else 0
    raise OddHeaderError(f"over {_MAX_SEGMENTS:,} segments in the header")

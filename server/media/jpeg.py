"""Sees JPEGs that were cut short and given an end marker, which Pillow cannot tell from whole ones.

May import the standard library and Pillow. When libjpeg meets the end marker too early it only
warns, and fills what is missing with grey; Pillow drops the warning. But a decoder that still waits
for the end marker has already given out every row that it has data for. So the bytes are handed
over up to the marker, and when the decoder asks for more, the rows near the bottom must be there.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image
from typing_extensions import override

_START_OF_SCAN: Final = 0xDA
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RSTn, SOI: no length follows
# How far whole pictures lag behind when the marker is awaited: the last row of MCUs (at most 32
# lines with 4-fold sampling, ITU T.81 A.2.4) and a line or two that the chroma filter holds back.
_LAG_LINES: Final = 36
_PROBE_LINES: Final = 8


class ScanProbe(io.BytesIO):
    """The bytes of a JPEG with one scan; notes what is decoded when the end marker is reached.

    Args:
        data: The whole file.
        marker_at: Where its end marker stands.
    """

    def __init__(self, data: bytes, marker_at: int) -> None:
        super().__init__(data)
        self._marker_at = marker_at
        self._image: Image.Image | None = None
        self._lines: tuple[int, int] = (0, 0)
        self._was_blank = False

    def watch(self, image: Image.Image, lines_full: int) -> None:
        """Watch the decoding of ``image``; call between ``draft`` and ``load``.

        Args:
            image: Opened from this object.
            lines_full: Its height before ``draft``.
        """
        scale = max(1, lines_full // max(1, image.height))
        bottom = image.height - -(-_LAG_LINES // scale)
        top = max(0, bottom - _PROBE_LINES)
        if top < bottom:
            self._image, self._lines = image, (top, bottom)

    def is_cut(self) -> bool:
        """Tell, after ``load``, whether lines appeared that the data cannot have held."""
        return self._was_blank and not self._is_blank()

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        """Read as usual, but never across the start of the end marker."""
        left = self._marker_at - self.tell()
        if left == 0 and self._image is not None and not self._was_blank:
            self._was_blank = self._is_blank()
        if left > 0 and (size is None or size < 0 or size > left):
            size = left
        return super().read(size)

    def _is_blank(self) -> bool:
        # The core image, since every method of the outer one would first finish the decoding.
        image = self._image
        if image is None:
            return False
        top, bottom = self._lines
        return image.im.crop((0, top, image.width, bottom)).getbbox() is None


def open_probe(data: bytes) -> io.BytesIO:
    """Return the bytes as a file for Pillow; a `ScanProbe` where probing can tell anything.

    Pictures of several scans (progressive) give out no row before the end: they stay unprobed, and
    a cut one shows blurred, not missing, parts.
    """
    scan_at = _find_only_scan(data)
    marker_at = data.find(b"\xff\xd9", scan_at) if scan_at else -1
    return ScanProbe(data, marker_at) if marker_at > 0 else io.BytesIO(data)


def _find_only_scan(data: bytes) -> int:
    """Return where the data of the one scan begins; 0 when there are several, or none is found."""
    at, components = 2, 0
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - the byte before each marker
        code = data[at + 1]
        if code == 0xFF or code in _STANDALONE:  # noqa: PLR2004 - padding
            at += 1 if code == 0xFF else 2  # noqa: PLR2004 - padding
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if code in {0xC0, 0xC1} and at + 9 < len(data):  # baseline and extended sequential frames
            components = data[at + 9]
        if code == _START_OF_SCAN:
            whole = at + 4 < len(data) and data[at + 4] == components
            return at + 2 + length if whole else 0
        at += 2 + max(2, length)
    return 0

"""Turns pictures with a colour profile of their own into sRGB. Pillow's binding of Little CMS.

Profiles are from strangers: they are capped, their header is checked before Little CMS parses
them, and one that is broken, or says nothing of the picture's mode, is as if there were none.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from typing import Final

from PIL import Image, ImageCms

# The largest that printing houses publish have 2.7 MB (seven-colour ones aside).
_MAX_PROFILE_BYTES: Final = 4 * 1024 * 1024
_HEADER_BYTES: Final = 128
# What a profile speaks of, by the mode of the picture. Source: ICC.1:2022, 7.2.6 and table 19.
_SPACES: Final = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
_CLASSES: Final = frozenset({b"scnr", b"mntr", b"prtr", b"spac"})  # those that describe colours
# Chains of as many steps as somebody likes, all of which may be one: 4 MB of them would take
# minutes. Hardly a camera or a screen writes such a profile.
_CHAIN: Final = b"mpet"
_TRANSFORMS_KEPT: Final = 32  # up to 1 MB each for CMYK; nearly all pictures share a few profiles
_PROBE_STEP: Final = 51  # six shades of each channel
_SAME_LEVELS: Final = 3  # what rounding and the several versions of sRGB make

_FAULTS: Final = (ImageCms.PyCMSError, OSError, ValueError, TypeError, MemoryError, RuntimeError)


class ProfileTransforms:
    """Transforms of profiles to sRGB, the last used ones kept; safe to use from many threads.

    Little CMS's transforms are not changed by their use: threads share them.
    """

    def __init__(self, kept_count: int = _TRANSFORMS_KEPT) -> None:
        """Keep up to ``kept_count`` transforms, and what needs or allows none."""
        self._kept_count = kept_count
        self._kept: OrderedDict[tuple[bytes, str], ImageCms.ImageCmsTransform | None]
        self._kept = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many profiles are remembered."""
        return len(self._kept)

    def to_srgb(self, image: Image.Image, profile: object) -> Image.Image:
        """Return a picture in sRGB; the same one where there is nothing to do.

        Args:
            image: Small, of mode ``RGB``, ``RGBA``, ``L``, ``LA`` or ``CMYK``; others are left.
            profile: Its ICC profile, as it was embedded; trusted in nothing.
        """
        mode = image.mode.removesuffix("A")
        if not isinstance(profile, bytes) or not _is_fit(profile, mode):
            return image
        transform = self._find(profile, mode)
        if transform is None:
            return image
        try:
            # The ones with alpha are turned without it: Little CMS knows only the colours.
            colours = ImageCms.applyTransform(image.convert(mode), transform)
        except _FAULTS:
            return image
        if colours is None:
            return image
        if mode != image.mode:
            colours.putalpha(image.getchannel("A"))
        return colours

    def _find(self, profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
        key = hashlib.sha256(profile).digest(), mode
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        # Outside of the lock: a table of CMYK takes tens of milliseconds, and two threads that
        # make the same one only make it twice.
        transform = _build(profile, mode)
        with self._lock:
            self._kept[key] = transform
            if len(self._kept) > self._kept_count:
                self._kept.popitem(last=False)
        return transform


def _is_fit(profile: bytes, mode: str) -> bool:
    return (
        _HEADER_BYTES < len(profile) <= _MAX_PROFILE_BYTES
        and profile[36:40] == b"acsp"
        and profile[12:16] in _CLASSES
        and profile[16:20] == _SPACES.get(mode)
    )


def _build(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform; None where the profile is broken or costly, or is sRGB itself."""
    if _CHAIN in profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent.PERCEPTUAL
        )
        return None if mode != "CMYK" and _is_same(transform, mode) else transform
    except _FAULTS:
        return None


def _is_same(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Tell, by trying, whether a transform leaves colours as they are: whatever it is called."""
    shades = range(0, 256, _PROBE_STEP)
    colours = [(r, g, b) for r in shades for g in shades for b in shades]
    probe = Image.new("RGB", (len(colours), 1))
    probe.putdata(colours)
    probe = probe.convert(mode)
    turned = ImageCms.applyTransform(probe, transform)
    if turned is None:
        return True
    before, after = probe.convert("RGB").tobytes(), turned.tobytes()
    return all(abs(a - b) <= _SAME_LEVELS for a, b in zip(before, after, strict=True))

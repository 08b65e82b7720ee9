"""Damaged images by the thousand: a description or `NotUsableError`, never anything else."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from server.media.verify import NotUsableError, VerifyLimits, verify
from tests.support import images

pytestmark = [pytest.mark.fuzz, pytest.mark.filterwarnings("ignore:::PIL")]

# Small, so that a thousand decodes take seconds; every format, and the odd modes of each.
PHOTO = images.photo(40, 30)
SEEDS = [
    images.jpeg(40, 30),
    images.jpeg(40, 30, progressive=True, restart_marker_rows=1),
    images.encode(images.photo(40, 30, mode="CMYK")),
    images.encode(PHOTO, "MPO", save_all=True, append_images=[PHOTO]),
    images.oriented(6),
    images.encode(PHOTO, "PNG"),
    images.encode(images.photo(40, 30, mode="P"), "PNG", transparency=1),
    images.encode(PHOTO, "GIF", save_all=True, append_images=[Image.new("P", (9, 9))]),
    images.encode(PHOTO, "WEBP"),
    images.encode(images.photo(40, 30, mode="RGBA"), "WEBP", lossless=True),
    images.encode(PHOTO, "AVIF", speed=10),
    images.encode(PHOTO, "BMP"),
    images.encode(PHOTO, "TIFF"),
    images.encode(PHOTO, "TIFF", compression="tiff_lzw"),
    images.oriented(5, "TIFF"),
    images.HTML,
    images.HEIC,
]  # fmt: skip
EXTREMES = [bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff"]  # lengths and sizes at their ends
LIMITS = VerifyLimits(max_pixels=1_000_000)


def check(data: bytes) -> None:
    try:
        verified = verify(data, LIMITS)
    except NotUsableError:
        return
    assert min(verified.width, verified.height) >= LIMITS.min_side_px
    assert verified.width * verified.height <= LIMITS.max_pixels
    assert verified.thumbnail.startswith(b"\xff\xd8")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                data[at : at + 4] = draw(
                    st.sampled_from([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"])
                )
            case 2:
                data[at:at] = draw(st.binary(max_size=8))
            case _:
                del data[at : at + draw(st.integers(1, 40))]
        if not data:
            break
    return bytes(data)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_damage_is_described_or_refused(data: bytes) -> None:
    check(data)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.binary(max_size=200), st.integers(2, 16))
def test_noise_behind_a_true_beginning_is_refused(seed: bytes, noise: bytes, kept: int) -> None:
    check(seed[:kept] + noise)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    check(noise)

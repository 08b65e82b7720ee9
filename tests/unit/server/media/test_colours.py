"""Colour profiles: what a picture looks like on its own screen is what its thumbnail shows."""

from __future__ import annotations

import io
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from server.media.colours import ProfileTransforms
from server.media.verify import verify
from tests.support import images, profiles

# As in test_verify.py: ignored in production too.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

RED = (200, 60, 50)
P3 = profiles.matrix_profile(profiles.DISPLAY_P3)
ADOBE = profiles.matrix_profile(profiles.ADOBE_RGB)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Paper is white, magenta over yellow a dull red; all else is black.
PRESS = profiles.ink_profile({(0, 0, 0, 0): (100, 0, 0), (0, 1, 1, 0): (50, 40, 30)})


def seen(data: bytes) -> tuple[int, ...]:
    """Return the colour of a plain picture's thumbnail, in its middle."""
    with Image.open(io.BytesIO(verify(data).thumbnail)) as thumbnail:  # noqa: TID251 - our own
        pixel = thumbnail.getpixel((20, 20))
    assert isinstance(pixel, tuple)
    return pixel


def distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("name", ["p3", "adobe"])
def test_a_wide_red_is_shown_as_the_red_that_it_is(kind: str, name: str) -> None:
    profile, primaries = {
        "p3": (P3, profiles.DISPLAY_P3),
        "adobe": (ADOBE, profiles.ADOBE_RGB),
    }[name]
    picture = Image.new("RGB", (400, 300), RED)
    plain, profiled = (
        seen(images.encode(picture, kind, **options)) for options in ({}, {"icc_profile": profile})
    )
    assert distance(plain, RED) <= 6
    assert distance(profiled, profiles.shown(primaries, RED)) <= 6
    assert profiled[0] > plain[0] + 10


def test_a_profile_of_srgb_changes_nothing() -> None:
    own = profiles.matrix_profile(profiles.SRGB)  # its gamma is nearly that of sRGB
    for profile in (SRGB, own):
        transforms = ProfileTransforms()
        picture = images.photo()
        if profile is SRGB:
            assert transforms.to_srgb(picture, profile) is picture
        for _ in range(2):
            turned = transforms.to_srgb(picture, profile)
            assert np.abs(np.asarray(turned, int) - np.asarray(picture, int)).max() <= 12
    assert verify(images.jpeg(icc_profile=SRGB)).thumbnail == verify(images.jpeg()).thumbnail


def test_inks_are_shown_as_their_press_prints_them() -> None:
    picture = Image.new("CMYK", (60, 40), (0, 255, 255, 0))
    for kind in ("JPEG", "TIFF"):
        assert distance(seen(images.encode(picture, kind)), (254, 0, 0)) <= 8
        printed = seen(images.encode(picture, kind, icc_profile=PRESS))
        # L*a*b* of (50, 40, 30), by the formulas of CIE 15 and IEC 61966-2-1.
        assert distance(printed, (186, 87, 71)) <= 8
    paper = Image.new("CMYK", (60, 40))
    assert min(seen(images.encode(paper, icc_profile=PRESS))) >= 250


def test_greys_are_shown_with_their_own_gamma() -> None:
    picture = Image.new("L", (60, 40), 128)
    linear = seen(images.encode(picture, "PNG", icc_profile=profiles.grey_profile(1.0)))
    assert distance(linear, (188, 188, 188)) <= 3
    assert distance(seen(images.encode(picture, "PNG")), (128, 128, 128)) <= 1


def test_clear_parts_stay_clear() -> None:
    picture = Image.new("RGBA", (60, 40), (*RED, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 60, 10))
    turned = ProfileTransforms().to_srgb(picture, P3)
    assert turned.mode == "RGBA"
    assert turned.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
    pixel = turned.convert("RGB").getpixel((20, 20))
    assert isinstance(pixel, tuple)
    assert distance(pixel, profiles.shown(profiles.DISPLAY_P3, RED)) <= 3
    palette = Image.new("RGB", (60, 40), RED).convert("P", palette=Image.Palette.ADAPTIVE)
    shown = seen(images.encode(palette, "PNG", icc_profile=P3, transparency=200))
    assert distance(shown, profiles.shown(profiles.DISPLAY_P3, RED)) <= 8


USELESS = {
    "garbage": b"\0garbage" * 500,
    "nothing": b"",
    "a header alone": P3[:128],
    "cut": P3[:200],
    "of inks": PRESS,
    "of greys": profiles.grey_profile(1.8),
    "a link of two devices": P3[:12] + b"link" + P3[16:],
    "no signature": P3[:36] + b"xxxx" + P3[40:],
    "huge": P3 + bytes(4 * 1024 * 1024),
    "tags at the end of the world": P3[:132] + b"\xff" * 100 + P3[232:],
    "a chain of steps": profiles.chain_profile(3),
    "a chain of half a million steps": profiles.chain_profile(500_000),
    "a million tags": P3[:128] + b"\xff\xff\xff\xff" + P3[132:],
}


@pytest.mark.parametrize("name", USELESS)
def test_a_profile_that_says_nothing_is_as_if_there_were_none(name: str) -> None:
    picture = images.photo()
    turned = ProfileTransforms().to_srgb(picture, USELESS[name])
    assert turned is picture
    data = images.jpeg(icc_profile=USELESS[name])
    assert verify(data).thumbnail == verify(images.jpeg()).thumbnail


@pytest.mark.parametrize("profile", [None, "text", 7])
def test_what_is_no_profile_is_left_alone(profile: object) -> None:
    picture = images.photo()
    assert ProfileTransforms().to_srgb(picture, profile) is picture


def test_only_the_last_profiles_are_remembered() -> None:
    transforms = ProfileTransforms(kept_count=3)
    picture = Image.new("RGB", (4, 4), RED)
    for number in range(10):
        transforms.to_srgb(picture, P3 + bytes(number))
        transforms.to_srgb(picture, P3)
    assert len(transforms) == 3


def test_threads_share_transforms() -> None:
    transforms = ProfileTransforms(kept_count=2)
    pictures = [
        (images.photo(90, 70, seed), profile)
        for seed in range(20)
        for profile in (P3, ADOBE, PRESS)
    ]
    alone = [ProfileTransforms().to_srgb(*each).tobytes() for each in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: transforms.to_srgb(*each).tobytes(), pictures))
    assert together == alone


@pytest.mark.slow
@pytest.mark.fuzz
def test_damaged_profiles_by_the_hundred_are_no_fault() -> None:
    dice = random.Random(7)
    modes = {P3: "RGB", ADOBE: "RGB", PRESS: "CMYK", profiles.grey_profile(2.0): "L"}
    pictures = {mode: images.photo(40, 30, mode=mode) for mode in modes.values()}
    transforms = ProfileTransforms(kept_count=4)
    for _ in range(1500):
        profile, mode = dice.choice(list(modes.items()))
        damaged = bytearray(profile)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(20, len(damaged))
            piece = dice.choice(
                [b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", dice.randbytes(1)]
            )
            damaged[at : at + len(piece)] = piece
        turned = transforms.to_srgb(
            pictures[mode], bytes(damaged[: dice.choice([len(damaged), len(damaged) - 50])])
        )
        assert turned.size == (40, 30)

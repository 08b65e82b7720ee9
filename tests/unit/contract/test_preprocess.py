"""The one preprocessing: golden arrays, every mode of pixels, damaged files."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from server.contract.errors import FormatError
from server.contract.preprocess import FORMATS, Preprocessing, decode, preprocess, to_array
from server.contract.recipes import Resize

_HALF = (0.5, 0.5, 0.5)
_SQUISH = Preprocessing(size_px=4, mean=_HALF, std=_HALF)
_CROP = Preprocessing(size_px=4, mean=_HALF, std=_HALF, resize="crop")


def _ramp() -> Image.Image:
    """A picture of 12 x 6: red rises to the right, green downwards, blue is even."""
    pixels = np.zeros((6, 12, 3), dtype=np.uint8)
    pixels[..., 0] = np.arange(12) * 20
    pixels[..., 1] = np.arange(6)[:, None] * 40
    pixels[..., 2] = 128
    return Image.fromarray(pixels)


def _bytes(image: Image.Image, format_name: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def _levels(array: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Undo the normalisation, back to 0..255."""
    return np.rint((array * 0.5 + 0.5) * 255).astype(np.uint8)


def test_squished_pixels_are_golden() -> None:
    levels = _levels(preprocess(_bytes(_ramp()), _SQUISH))
    np.testing.assert_array_equal(levels[0], [[21, 79, 141, 199]] * 4)
    np.testing.assert_array_equal(levels[1], [[level] * 4 for level in [12, 68, 132, 188]])
    np.testing.assert_array_equal(levels[2], np.full((4, 4), 128))


def test_cropped_pixels_are_golden() -> None:
    levels = _levels(preprocess(_bytes(_ramp()), _CROP))
    np.testing.assert_array_equal(levels[0], [[65, 95, 125, 155]] * 4)
    np.testing.assert_array_equal(levels[1], [[level] * 4 for level in [12, 68, 132, 188]])


def test_the_array_is_float32_planar_and_contiguous() -> None:
    array = to_array(_ramp(), Preprocessing(size_px=8, mean=_HALF, std=_HALF))
    assert array.shape == (3, 8, 8)
    assert array.dtype == np.float32
    assert array.flags.c_contiguous


def test_each_channel_has_its_own_numbers() -> None:
    numbers = Preprocessing(size_px=2, mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 2.0))
    array = to_array(Image.new("RGB", (5, 5), (255, 255, 255)), numbers)
    np.testing.assert_allclose(array[:, 0, 0], [1.0, 1.0, 0.0])


def test_a_path_and_its_bytes_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(_bytes(_ramp()))
    np.testing.assert_array_equal(preprocess(path, _SQUISH), preprocess(path.read_bytes(), _SQUISH))


def test_a_smaller_crop_takes_the_middle() -> None:
    image = Image.new("RGB", (64, 64), "black")
    image.paste("white", (12, 12, 52, 52))
    middle = Preprocessing(size_px=16, mean=_HALF, std=_HALF, resize="crop", crop_ratio=0.5)
    assert _levels(to_array(image, middle)).min() == 255


@pytest.mark.parametrize(
    ("resize", "rows"),
    [
        ("pad-zeros", [0, 0, 10, 20, 30, 40, 0, 0]),
        ("pad-reflection", [30, 20, 10, 20, 30, 40, 30, 20]),
    ],
)
def test_padded_pixels_are_golden(resize: Resize, rows: list[int]) -> None:
    numbers = Preprocessing(size_px=8, mean=(0, 0, 0), std=(1, 1, 1), resize=resize)
    grey = np.repeat(np.array([10, 20, 30, 40], np.uint8)[:, None, None], 8, axis=1)
    array = to_array(Image.fromarray(np.repeat(grey, 3, axis=2)), numbers)
    assert np.rint(array[0, :, 3] * 255).astype(int).tolist() == rows
    assert np.ptp(array, axis=2).max() == 0


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1), (1, 1)], ids=str)
def test_the_thinnest_strip_is_padded(size: tuple[int, int]) -> None:
    numbers = Preprocessing(size_px=8, mean=_HALF, std=_HALF, resize="pad-reflection")
    array = to_array(Image.new("RGB", size, (255, 0, 0)), numbers)
    assert array.shape == (3, 8, 8)
    assert (array[0] == 1).all()
    assert (array[1] == -1).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)], ids=str)
@pytest.mark.parametrize("numbers", [_SQUISH, _CROP], ids=["squish", "crop"])
def test_extreme_shapes_are_handled(size: tuple[int, int], numbers: Preprocessing) -> None:
    assert preprocess(_bytes(Image.new("RGB", size, "red")), numbers).shape == (3, 4, 4)


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_decodes_to_rgb(format_name: str) -> None:
    image = decode(_bytes(Image.new("RGB", (16, 8), (200, 30, 30)), format_name))
    assert (image.mode, image.size) == ("RGB", (16, 8))
    np.testing.assert_allclose(np.asarray(image)[4, 8], [200, 30, 30], atol=6)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    format_name = "PNG" if mode in {"1", "L", "P"} else "JPEG"
    image = decode(_bytes(Image.new("RGB", (8, 8), "white").convert(mode), format_name))
    assert image.mode == "RGB"
    assert np.asarray(image).min() > 250


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_are_white(mode: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert(mode)
    assert np.asarray(decode(_bytes(image))).min() == 255


def test_a_transparent_palette_is_white() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([10, 20, 30] * 256)
    assert np.asarray(decode(_bytes(image, "PNG", transparency=0))).min() == 255


def test_sixteen_bit_grey_keeps_its_levels() -> None:
    ramp = np.linspace(0, 0xFFFF, 256).astype(np.uint16).reshape(16, 16)
    image = np.asarray(decode(_bytes(Image.fromarray(ramp))))
    np.testing.assert_array_equal(image[..., 0].ravel(), np.arange(256))


def test_an_image_is_turned_upright_by_exif() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90 degrees clockwise
    turned = decode(_bytes(_ramp(), "JPEG", exif=exif, quality=95))
    assert turned.size == (6, 12)


def test_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    data = _bytes(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html></html>",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"BM",
        b"RIFF1234WEBPVP8 ",
        b"%PDF-1.7",
    ],
    ids=repr,
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="cannot be decoded"):
        decode(data)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_a_truncated_image_is_refused(format_name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = _bytes(Image.fromarray(noise), format_name)
    with pytest.raises(FormatError):
        decode(data[: len(data) // 2])


def test_other_formats_are_not_opened() -> None:
    with pytest.raises(FormatError):
        decode(_bytes(Image.new("RGB", (4, 4)), "PPM"))


def test_too_many_pixels_are_refused_before_decoding() -> None:
    data = _bytes(Image.new("1", (200, 100)))
    assert decode(data, max_pixels=20_000).size == (200, 100)
    with pytest.raises(FormatError, match="more than 19999 pixels"):
        decode(data, max_pixels=19_999)


def test_a_bomb_is_refused() -> None:
    with pytest.raises(FormatError):
        decode(_bytes(Image.new("1", (20_000, 20_000))))


@pytest.mark.parametrize(
    "numbers",
    [
        {"size_px": 0},
        {"size_px": 4096},
        {"std": (0.5, 0.0, 0.5)},
        {"crop_ratio": 0.0},
        {"crop_ratio": 1.5},
    ],
    ids=str,
)
def test_senseless_numbers_are_refused(numbers: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        Preprocessing(**{"size_px": 8, "mean": _HALF, "std": _HALF} | numbers)


# Pillow warns of damaged metadata, and goes on.
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.fuzz
@given(
    st.binary(max_size=300),
    st.sampled_from(FORMATS),
    st.integers(0, 300),
)
def test_damaged_bytes_are_decoded_or_refused(noise: bytes, format_name: str, place: int) -> None:
    good = _bytes(Image.new("RGB", (16, 16), "red"), format_name)
    damaged = good[:place] + noise + good[place + len(noise) :]
    with contextlib.suppress(FormatError):
        assert decode(damaged, max_pixels=1_000_000).mode == "RGB"

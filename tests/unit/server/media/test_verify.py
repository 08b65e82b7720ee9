"""Verification: what is kept, what is refused and why, and what the one decode yields."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from server.contract.preprocess import decode, upright
from server.media import jpeg as jpeg_module
from server.media import verify as module
from server.media.digests import hamming_distance
from server.media.verify import NotUsableError, VerifyLimits, decoded, verify
from server.reasons import Reason
from tests.support import images

# What Pillow mutters of odd metadata is ignored in production (see verify.py); pytest's own
# "warnings are errors" would make errors of it that no server ever meets.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")


def opened(thumbnail: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(thumbnail))  # noqa: TID251 - our own bytes
    image.load()
    return image


def refusal(data: bytes, limits: VerifyLimits | None = None) -> NotUsableError:
    with pytest.raises(NotUsableError) as caught:
        verify(data, limits)
    assert 0 < len(caught.value.detail) <= 300
    return caught.value


WHOLE = {
    "jpeg": (images.jpeg(), "jpeg"),
    "progressive jpeg": (images.jpeg(progressive=True), "jpeg"),
    "jpeg 4:4:4": (images.jpeg(subsampling=0), "jpeg"),
    "jpeg with restarts": (images.jpeg(restart_marker_rows=1), "jpeg"),
    "large jpeg": (images.jpeg(2400, 1800), "jpeg"),
    "grey jpeg": (images.encode(images.photo(mode="L")), "jpeg"),
    "cmyk jpeg": (images.encode(images.photo(mode="CMYK")), "jpeg"),
    "jpeg, no end marker needed after it": (images.jpeg() + b"\0junk\xff\xd9" * 9, "jpeg"),
    "jpeg 16 px": (images.jpeg(16, 16), "jpeg"),
    "jpeg of black": (images.encode(Image.new("RGB", (300, 300))), "jpeg"),
    "jpeg of grey": (images.encode(Image.new("RGB", (300, 300), (128, 128, 128))), "jpeg"),
    "png": (images.encode(images.photo(), "PNG"), "png"),
    "png with alpha": (images.encode(images.photo(mode="RGBA"), "PNG"), "png"),
    "png palette": (images.encode(images.photo(mode="P"), "PNG"), "png"),
    "png palette with a clear colour": (
        images.encode(images.photo(mode="P"), "PNG", transparency=3), "png",
    ),
    "png 1 bit": (images.encode(images.photo(mode="1"), "PNG"), "png"),
    "png grey and alpha": (images.encode(images.photo(mode="LA"), "PNG"), "png"),
    "animated png": (
        images.encode(images.photo(), "PNG", save_all=True, append_images=[images.photo(seed=2)]),
        "png",
    ),
    "gif": (images.encode(images.photo(), "GIF"), "gif"),
    "animated gif": (
        images.encode(images.photo(), "GIF", save_all=True, append_images=[images.photo(seed=2)]),
        "gif",
    ),
    "webp": (images.encode(images.photo(), "WEBP"), "webp"),
    "lossless webp with alpha": (
        images.encode(images.photo(mode="RGBA"), "WEBP", lossless=True), "webp",
    ),
    "avif": (images.encode(images.photo(), "AVIF"), "avif"),
    "bmp": (images.encode(images.photo(), "BMP"), "bmp"),
    "tiff": (images.encode(images.photo(), "TIFF"), "tiff"),
    "tiff lzw": (images.encode(images.photo(), "TIFF", compression="tiff_lzw"), "tiff"),
    "several pictures in one jpeg": (
        images.encode(images.photo(), "MPO", save_all=True, append_images=[images.photo(seed=2)]),
        "jpeg",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_image_is_described(name: str) -> None:
    data, kind = WHOLE[name]
    verified = verify(data)
    size = opened_size(data)
    assert verified.format == kind
    assert (verified.width, verified.height) == size
    assert verified.bytes == len(data)
    assert verified.orientation == 1
    assert 0 <= verified.dhash < 2**64
    assert 0 <= verified.phash < 2**64
    assert 0 <= verified.quality.entropy_bits <= 8
    thumbnail = opened(verified.thumbnail)
    assert thumbnail.format == "JPEG"
    assert thumbnail.mode == "RGB"
    assert max(thumbnail.size) == min(256, max(size))
    assert not thumbnail.getexif()


def opened_size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:  # noqa: TID251 - our own bytes
        return image.size


def test_the_hash_is_of_the_bytes() -> None:
    assert verify(b"BM" + images.encode(images.photo(), "BMP")[2:]).sha256 == (
        verify(images.encode(images.photo(), "BMP")).sha256
    )
    assert len(verify(images.jpeg()).sha256) == 64


@pytest.mark.parametrize("name", WHOLE)
def test_a_decoded_image_has_every_pixel_that_training_sees(name: str) -> None:
    data, _ = WHOLE[name]
    with decoded(data) as image:
        ours = upright(image)
    assert np.array_equal(np.asarray(ours), np.asarray(decode(data)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_turns_are_undone(orientation: int, kind: str) -> None:
    verified = verify(images.oriented(orientation, kind))
    assert (verified.width, verified.height) == (60, 40)
    thumbnail = opened(verified.thumbnail)
    assert thumbnail.size == (60, 40)
    red, green, blue = thumbnail.getpixel((10, 8))  # type: ignore[misc] - an RGB pixel
    assert (red > 200, green < 80, blue < 80) == (True, True, True)
    assert thumbnail.getpixel((50, 30)) > (200, 200, 200)
    if kind != "TIFF":  # its plugin turns, and forgets, the orientation itself
        assert verified.orientation == orientation


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert verify(images.jpeg(exif=exif.tobytes())).orientation == 1


def test_broken_exif_says_nothing_of_the_picture() -> None:
    for exif in (b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + bytes(60_000)):
        assert verify(images.jpeg(exif=exif)).orientation == 1


def test_exif_that_cannot_be_read_at_all_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Image.Image) -> Image.Exif:
        raise SyntaxError("not a TIFF file (header b'garbage' not valid)")

    monkeypatch.setattr(Image.Image, "getexif", fail)
    assert verify(images.jpeg()).orientation == 1


def test_thumbnails_carry_nothing_of_the_original() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret description"
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    data = images.jpeg(exif=exif.tobytes(), comment=b"a secret comment", icc_profile=b"a secret")
    assert b"secret" in data
    assert b"secret" not in verify(data).thumbnail
    assert b"Exif" not in verify(data).thumbnail


def test_transparent_parts_are_white_in_thumbnails() -> None:
    for kind in ("PNG", "WEBP", "GIF"):
        data = images.encode(Image.new("RGBA", (300, 200), (0, 0, 0, 0)), kind)
        assert opened(verify(data).thumbnail).getpixel((100, 80)) == (255, 255, 255)


def test_deep_greys_keep_their_shades() -> None:
    ramp = np.linspace(0, 65535, 256 * 64).reshape(64, 256)
    for deep in (ramp.astype(np.uint16), ramp.astype(np.int32), ramp.astype(np.float32)):
        data = images.encode(Image.fromarray(deep), "TIFF")
        shades = np.asarray(opened(verify(data).thumbnail).convert("L"))
        assert shades[0].mean() < 10
        assert shades[-1].mean() > 245


def test_a_deep_image_of_one_shade_is_no_fault() -> None:
    data = images.encode(Image.fromarray(np.full((64, 64), np.nan, np.float32)), "TIFF")
    assert verify(data).width == 64


def test_the_hash_of_the_look_survives_other_encodings() -> None:
    hashes = [
        verify(data).dhash
        for data in (
            images.encode(images.photo(1200, 900), "PNG"),
            images.jpeg(1200, 900, quality=40),
            images.encode(images.photo(1200, 900).resize((400, 300)), "WEBP"),
        )
    ]
    other = verify(images.jpeg(seed=7)).dhash
    assert max(hamming_distance(hashes[0], value) for value in hashes) <= 6
    assert min(hamming_distance(other, value) for value in hashes) > 15


NOT_USABLE: dict[str, tuple[bytes, Reason, str]] = {
    "nothing": (b"", Reason.EMPTY, "no bytes"),
    "one byte": (b"\xff", Reason.NOT_AN_IMAGE, ""),
    "two bytes": (b"\xff\xd8", Reason.NOT_AN_IMAGE, ""),
    "three bytes": (b"\xff\xd8\xff", Reason.TRUNCATED, "JPEG"),
    "html": (images.HTML, Reason.NOT_AN_IMAGE, "an HTML page instead of an image"),
    "html after blanks": (b"\xef\xbb\xbf\n\t " + images.HTML, Reason.NOT_AN_IMAGE, "HTML"),
    "xml": (b"<?xml version='1.0'?><error/>", Reason.NOT_AN_IMAGE, "XML"),
    "svg": (images.SVG, Reason.UNSUPPORTED_FORMAT, "SVG"),
    "pdf": (images.PDF, Reason.NOT_AN_IMAGE, "PDF"),
    "mp4": (images.MP4, Reason.NOT_AN_IMAGE, "MP4"),
    "heic": (images.HEIC, Reason.UNSUPPORTED_FORMAT, "HEIC"),
    "ico": (images.ICO, Reason.UNSUPPORTED_FORMAT, "ICO"),
    "eps": (images.EPS, Reason.UNSUPPORTED_FORMAT, "PostScript"),
    "json": (b'{"error": "gone"}', Reason.NOT_AN_IMAGE, "JSON"),
    "gzip": (gzip.compress(images.jpeg()), Reason.NOT_AN_IMAGE, "gzip"),
    "text": (b"not found", Reason.NOT_AN_IMAGE, ""),
    "zeros": (bytes(5000), Reason.NOT_AN_IMAGE, ""),
    "cut jpeg": (images.jpeg()[:4000], Reason.TRUNCATED, "JPEG"),
    "cut progressive jpeg": (images.jpeg(progressive=True)[:4000], Reason.TRUNCATED, "JPEG"),
    "half zeroed jpeg": (
        images.jpeg()[:4000] + bytes(len(images.jpeg()) - 4000), Reason.TRUNCATED, "JPEG",
    ),
    "cut png": (images.encode(images.photo(), "PNG")[:9000], Reason.TRUNCATED, "PNG"),
    "cut gif": (images.encode(images.photo(), "GIF")[:9000], Reason.TRUNCATED, "GIF"),
    "cut webp": (images.encode(images.photo(), "WEBP")[:3000], Reason.TRUNCATED, "WebP"),
    "cut avif": (images.encode(images.photo(), "AVIF")[:3000], Reason.TRUNCATED, "AVIF"),
    "cut bmp": (images.encode(images.photo(), "BMP")[:9000], Reason.TRUNCATED, "BMP"),
    "cut tiff": (images.encode(images.photo(), "TIFF")[:9000], Reason.TRUNCATED, "TIFF"),
    "png header alone": (b"\x89PNG\r\n\x1a\n", Reason.TRUNCATED, "PNG"),
    "tiny": (images.encode(Image.new("RGB", (1, 1)), "PNG"), Reason.TOO_SMALL, "1 by 1"),
    "thin": (images.encode(Image.new("1", (15, 9000)), "PNG"), Reason.TOO_SMALL, "15 by 9,000"),
    "51 megapixels of png": (images.png_bomb(7200, 7100), Reason.TOO_MANY_PIXELS, "7,200 by 7,100"),
    "100 megapixels claimed": (images.png_claim(10_000, 10_000), Reason.TOO_MANY_PIXELS, ""),
    "4,000 megapixels claimed": (images.png_claim(65_500, 65_500), Reason.TOO_MANY_PIXELS, ""),
    "jpeg of 4,000 megapixels": (
        images.jpeg().replace(b"\x11\x08\0\xf0\x01\x40", b"\x11\x08\xff\xdc\xff\xdc"),
        Reason.TOO_MANY_PIXELS,
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_USABLE)
def test_what_is_not_usable_is_refused_with_its_reason(name: str) -> None:
    data, reason, words = NOT_USABLE[name]
    error = refusal(data)
    assert error.reason is reason, error
    assert words in error.detail
    with pytest.raises(NotUsableError) as caught, decoded(data):
        pass
    assert (caught.value.reason, caught.value.detail) == (reason, error.detail)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_small_files_of_many_pixels_are_refused_before_decoding(kind: str) -> None:
    # 67 MP in a few bytes: decoding takes 0.6 to 1.1 GB.
    start = time.thread_time()
    error = refusal(images.bomb(kind))
    assert error.reason is Reason.TOO_MANY_PIXELS
    assert "8,192 by 8,192" in error.detail
    assert time.thread_time() - start < 0.3


def test_the_limits_are_the_callers() -> None:
    data = images.jpeg(100, 100)
    assert refusal(data, VerifyLimits(max_pixels=9_999)).reason is Reason.TOO_MANY_PIXELS
    assert refusal(data, VerifyLimits(min_side_px=101)).reason is Reason.TOO_SMALL
    assert opened(verify(data, VerifyLimits(thumbnail_px=50)).thumbnail).size == (50, 50)


@pytest.mark.parametrize("part", [0.3, 0.5, 0.7, 0.85])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size", [(320, 240), (1600, 1200), (300, 500)])
def test_a_cut_jpeg_with_an_end_marker_is_seen(
    part: float, subsampling: int, size: tuple[int, int]
) -> None:
    data = images.jpeg(*size, subsampling=subsampling)
    assert verify(data)
    error = refusal(images.with_end_marker(data, part))
    assert error.reason is Reason.TRUNCATED


@pytest.mark.parametrize("rest", [b"\xff\xd9", bytes(50) + b"\xff\xd9"])
def test_an_end_marker_in_the_middle_is_seen_though_there_is_one_at_the_end(rest: bytes) -> None:
    data = images.jpeg(1600, 1200)
    half = len(data) // 2
    for tail in (data[half:], rest):
        assert refusal(images.with_end_marker(data, 0.5) + tail).reason is Reason.TRUNCATED
    assert verify(data + rest).dhash == verify(data).dhash


def test_no_whole_picture_is_called_cut() -> None:
    for number in range(400):
        width, height = 16 + number * 7 % 90, 16 + number * 13 % 300
        picture = images.photo(width, height, number)
        if number % 2:  # flat pictures have the most of them in the decoder's bit buffer
            picture.paste((200, 255, 255), (0, height // 4, width, height))
        picture = picture.convert("L" if number % 5 == 0 else "RGB")
        assert verify(images.encode(picture, quality=30, optimize=number % 3 == 0))


def test_a_picture_with_grey_or_black_ends_is_not_called_cut() -> None:
    for shade in (0, 127, 128, 129, 255):
        picture = images.photo(640, 480)
        picture.paste((shade, shade, shade), (0, 100, 640, 480))
        for subsampling in (0, 2):
            assert verify(images.encode(picture, quality=85, subsampling=subsampling))


def test_jpegs_that_cannot_be_probed_are_decoded_all_the_same() -> None:
    whole = images.jpeg()
    assert type(jpeg_module.open_probe(whole)) is jpeg_module.ScanProbe
    for data in (images.jpeg(progressive=True), whole[:20], b"\xff\xd8", whole[:-2]):
        assert type(jpeg_module.open_probe(data)) is io.BytesIO
    for padding in (b"\xff", b"\xff" * 9, b"\xff\x01", b"junk"):  # decoders skip all of these
        padded = whole[:2] + padding + whole[2:]
        assert type(jpeg_module.open_probe(padded)) is jpeg_module.ScanProbe
    assert verify(whole[:2] + b"\xff" * 9 + whole[2:])


@pytest.mark.parametrize("filler", [b"\xff", b"\0", b"\xff\xfe\0\2", b"\xff\x01"])
def test_a_header_made_to_be_walked_for_long_is_refused_at_once(filler: bytes) -> None:
    whole = images.jpeg()
    data = whole[:20] + filler * (20_000_000 // len(filler)) + whole[20:]  # 20: after JFIF
    start = time.thread_time()
    assert refusal(data).reason is Reason.TRUNCATED
    assert time.thread_time() - start < 0.5


def test_a_progressive_jpeg_of_thousands_of_scans_is_refused() -> None:
    whole = images.encode(Image.new("L", (3000, 3000)), progressive=True)
    last_scan = whole[whole.rfind(b"\xff\xda") : -2]
    assert verify(whole[:-2] + last_scan * 20 + whole[-2:])
    error = refusal(whole[:-2] + last_scan * 2000 + whole[-2:])
    assert error.reason is Reason.TOO_MANY_PIXELS
    assert "passes" in error.detail


def test_a_file_that_is_also_a_zip_is_kept_as_the_image_it_is() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("x.txt", "x")
    data = images.jpeg() + archive.getvalue()
    assert verify(data).bytes == len(data)


def test_a_text_bomb_in_a_png_is_refused() -> None:
    text = b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9)
    whole = images.encode(images.photo(), "PNG")
    data = whole[:33] + images.png_chunk(b"zTXt", text) + whole[33:]
    assert refusal(data).reason is Reason.TRUNCATED


def test_colours_that_cannot_be_shown_are_an_unsupported_format(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Image.Image:
        raise ValueError("conversion from X to RGB not supported")

    monkeypatch.setattr(module, "make_thumbnail", fail)
    assert refusal(images.jpeg()).reason is Reason.UNSUPPORTED_FORMAT


def test_a_bomb_that_shows_itself_while_decoding_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(_: Image.Image) -> None:
        raise Image.DecompressionBombError("a frame larger than its canvas")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", explode)
    error = refusal(images.encode(images.photo(), "PNG"))
    assert error.reason is Reason.TOO_MANY_PIXELS


def test_threads_do_not_disturb_each_other() -> None:
    files = [data for data, _ in WHOLE.values()] * 3
    alone = [verify(data) for data in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(verify, files)) == alone


def test_a_thumbnail_that_nobody_keeps_is_not_encoded():
    data = images.jpeg()
    bare = verify(data, VerifyLimits(has_thumbnail=False))
    assert bare == replace(verify(data), thumbnail=b"")

"""Small images of every kind, made in memory: whole ones, odd ones, broken ones, bombs."""

from __future__ import annotations

import base64
import io
import random
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def photo(width: int = 320, height: int = 240, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """Return a picture with large shapes and noise: it compresses and hashes as a photo does."""
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    large = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    noise = generator.integers(-12, 13, large.shape)
    pixels = np.clip(large.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encode(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:  # Pillow's own kinds
    """Return the file of an image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(width: int = 320, height: int = 240, seed: int = 0, **options: Any) -> bytes:
    """Return a JPEG photo."""
    return encode(photo(width, height, seed), "JPEG", **{"quality": 85, **options})


def oriented(orientation: int, kind: str = "JPEG") -> bytes:
    """Return a picture that is upright after its EXIF turn: 60 by 40, its top left quarter red."""
    upright = Image.new("RGB", (60, 40), "white")
    upright.paste("red", (0, 0, 30, 20))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(stored, kind, exif=exif.tobytes())


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG, with its checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bomb(width: int, height: int, bits: int = 1) -> bytes:
    """Return a small whole PNG of that many black pixels, made row by row without holding them."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width * bits + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", body)
        + png_chunk(b"IEND", b"")
    )


def png_claim(width: int, height: int) -> bytes:
    """Return a PNG whose header alone claims a size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"")


def with_end_marker(data: bytes, part: float) -> bytes:
    """Return the first part of a JPEG, closed by an end marker as if it were whole."""
    return data[: int(len(data) * part)] + b"\xff\xd9"


def scrambled(data: bytes, seed: int, count: int = 50) -> bytes:
    """Return the bytes with some of them replaced at random."""
    generator = random.Random(seed)
    changed = bytearray(data)
    for _ in range(count):
        changed[generator.randrange(len(changed))] = generator.randrange(256)
    return bytes(changed)


def bomb(kind: str) -> bytes:
    """Return a whole black picture of 8,192 by 8,192 px in some bytes: ``WEBP`` 34, ``AVIF`` 1,056.

    Made once by Pillow (lossless; speed 10), which takes seconds.
    """
    return zlib.decompress(base64.b85decode(_BOMBS[kind]))


_BOMBS = {
    "WEBP": "c-jl{baRtpU|<M$bqWXzu<+pnvi1Mp|If}YAo!Qx#pORU0FN9Ac>",
    "AVIF": (
        "c-muNU{FXasVqn=%S>Yc0uY^>nP!-qnV9D5Xy^nKdYzkElE?r7iWw<6MNl?FL1uCZ0~+8f$SlbPvlxL`E;A=T"
        "8N_h`@fjhajKT~I%)CIhMrLMS8eFXukdw*;<t3IG7&_<Y<b&<X$}A`<0Mg!>1<Cn9S|qc$AQfVr0u(a{6l7Lp"
        "f*8yk92`K3C$Y@Xxlx`6BqW@ipHq~VoKpcbnU{gB0VpJ%S&$3!6VPESj7-feK)s^5DTyUQ3|!pupY8wu|JK2g"
        "VWMF4n^nT)czata6Nkb)N1*zs^XCHBYCe&=bu>XS-r&uOGX<JwCoI(T`mf2x*RseetN8-Q184J80qv%UbDPhe"
        "KJ{&e?FVfKBeQvLFBi|@@h`GibLU~5;q*f(ucsvO1+7;982h2cO#B?%+IVq=nDgf%%9%btuM2UXaoy44?zM#*"
        "wX9p0f820?VQktggQkCR&sk&NY_xhdBRu<_P6Eg0IfsPh+Fr}Px6^gme_hqGm&5nK@!M(1`Yk7~YaEeT8s`6K"
        "_d|{x{W-i*`}7<}O&^Y?)6{SP3E{10"
    ),
}

HTML = b"<!doctype html><html><head><title>404</title></head><body>gone</body></html>"
SVG = (
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><text>&x;</text></svg>'
)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF"
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(64)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
ICO = b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0" + bytes(64)
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n"

"""Colour profiles made in memory, by the letter of ICC.1:2001 (version 2), and what they mean."""

from __future__ import annotations

import struct

import numpy as np

# Columns red, green, blue of XYZ, adapted to the profiles' white (D50). Source: B. Lindbloom,
# "RGB/XYZ matrices", brucelindbloom.com; for Display P3, Apple's own profile.
SRGB = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
DISPLAY_P3 = np.array(
    [[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]]
)
ADOBE_RGB = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]])
GAMMA = 2.2
_WHITE = (0.9642, 1.0, 0.8249)


def matrix_profile(primaries: np.ndarray) -> bytes:
    """Return the profile of a screen with these primaries and a gamma of 2.2."""
    tags = {b"wtpt": _xyz(_WHITE)}
    for name, column in zip(b"rgb", primaries.T, strict=True):
        tags[bytes([name]) + b"XYZ"] = _xyz(tuple(column))
        tags[bytes([name]) + b"TRC"] = _curve(GAMMA)
    return profile(b"RGB ", b"XYZ ", tags)


def chain_profile(steps: int) -> bytes:
    """Return the profile of a screen whose colours go through one matrix, this many times."""
    matrix = struct.pack(">4sIHH12f", b"matf", 0, 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    head = struct.pack(">4sIHHI", b"mpet", 0, 3, 3, steps)
    places = struct.pack(">II", len(head) + 8 * steps, len(matrix)) * steps
    made = profile(b"RGB ", b"XYZ ", {b"wtpt": _xyz(_WHITE), b"D2B0": head + places + matrix})
    return made[:8] + b"\x04\x30\0\0" + made[12:]  # only version 4.3 has them


def grey_profile(gamma: float) -> bytes:
    """Return the profile of greys with this gamma."""
    return profile(b"GRAY", b"XYZ ", {b"wtpt": _xyz(_WHITE), b"kTRC": _curve(gamma)}, b"mntr")


def ink_profile(colours: dict[tuple[int, int, int, int], tuple[int, int, int]]) -> bytes:
    """Return the profile of a press: what full inks (0 or 1 of C, M, Y, K) look like, as L*a*b*.

    Inks that are not named are black.
    """
    ramp = bytes(range(256))
    grid = b""
    for place in range(16):  # the last ink varies fastest
        inks = (place >> 3 & 1, place >> 2 & 1, place >> 1 & 1, place & 1)
        light, a, b = colours.get(inks, (0, 0, 0))
        grid += bytes([round(light * 255 / 100), a + 128, b + 128])
    head = struct.pack(
        ">4sIBBBB9i", b"mft1", 0, 4, 3, 2, 0, *(65536 * (n % 4 == 0) for n in range(9))
    )
    return profile(
        b"CMYK",
        b"Lab ",
        {b"wtpt": _xyz(_WHITE), b"A2B0": head + ramp * 4 + grid + ramp * 3},
        b"prtr",
    )


def profile(
    space: bytes, connection: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr"
) -> bytes:
    """Return a profile with these tags, and the two texts that every one must have."""
    tags = {b"desc": struct.pack(">4sII5s", b"desc", 0, 5, b"test\0") + bytes(78), **tags}
    tags[b"cprt"] = b"text\0\0\0\0none\0"
    body, table = b"", struct.pack(">I", len(tags))
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"\0" * 4, 0x02400000, kind, space, connection
    )
    head += (
        bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(v * 65536) for v in _WHITE))
    )
    return head + bytes(128 - len(head)) + table + body


def shown(primaries: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the sRGB of a colour on such a screen, by the formulas."""
    light = np.linalg.inv(SRGB) @ primaries @ (np.array(colour) / 255) ** GAMMA
    light = np.clip(light, 0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    red, green, blue = (round(float(value) * 255) for value in coded)
    return red, green, blue


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))

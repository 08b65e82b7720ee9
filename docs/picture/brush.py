# ruff: noqa: INP001 - a folder of one script
"""What the drawn photos share: smooth shapes, fur, light, and the look of a camera.

Imports numpy and Pillow alone. Every picture is drawn at twice its size and scaled down at the
end, which smooths its edges. Colours are RGB, 0 to 255; lengths are pixels of the large canvas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]

OVERSAMPLING = 2
SIZE_PX = (640, 480)
CANVAS_PX = (SIZE_PX[0] * OVERSAMPLING, SIZE_PX[1] * OVERSAMPLING)
FIGURE_PX = 1000  # side of the square on which a figure is drawn
CURVE_STEPS = 14


def mix(first: Colour, second: Colour, ratio: float) -> Colour:
    """Return the colour that is ``ratio`` (0 to 1) of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * ratio) for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def vary(rng: np.random.Generator, colour: Colour, spread: int) -> Colour:
    """Return the colour, a little lighter or darker and a little off in each channel."""
    lightness = rng.integers(-spread, spread + 1)
    tint = rng.integers(-spread // 3, spread // 3 + 1, 3)
    red, green, blue = (
        int(np.clip(c + lightness + t, 0, 255)) for c, t in zip(colour, tint, strict=True)
    )
    return (red, green, blue)


def curve(points: Sequence[Point]) -> list[Point]:
    """Return a closed smooth line through the points (Catmull-Rom)."""
    smooth: list[Point] = []
    count = len(points)
    for i in range(count):
        p0, p1, p2, p3 = (np.array(points[(i + k - 1) % count]) for k in range(4))
        for step in range(CURVE_STEPS):
            t = step / CURVE_STEPS
            at = 0.5 * (
                2 * p1
                + (p2 - p0) * t
                + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
                + (3 * p1 - p0 - 3 * p2 + p3) * t**3
            )
            smooth.append((float(at[0]), float(at[1])))
    return smooth


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    """Return a picture that goes from one colour to another, downwards."""
    ratio = np.linspace(0, 1, size[1])[:, None, None]
    column = np.array(top) * (1 - ratio) + np.array(bottom) * ratio
    return Image.fromarray(np.broadcast_to(column, (size[1], size[0], 3)).astype(np.uint8))


def noise(rng: np.random.Generator, size: tuple[int, int], cell: tuple[int, int]) -> np.ndarray:
    """Return smooth noise of ``size`` (width, height), -1 to 1, whose grain is ``cell`` pixels."""
    coarse = rng.uniform(0, 255, (size[1] // cell[1] + 2, size[0] // cell[0] + 2))
    grain = Image.fromarray(coarse.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(grain, np.float32) / 127.5 - 1


@dataclass
class Figure:
    """A transparent square to draw an animal on, with shapes in its own words.

    Attributes:
        image: The square, RGBA.
        draw: Draws on it.
    """

    image: Image.Image
    draw: ImageDraw.ImageDraw

    @classmethod
    def blank(cls) -> Figure:
        """Return an empty one."""
        image = Image.new("RGBA", (FIGURE_PX, FIGURE_PX), (0, 0, 0, 0))
        return cls(image, ImageDraw.Draw(image))

    def oval(self, at: Point, radii: Point, colour: Colour, turn_deg: float = 0) -> None:
        """Fill an ellipse around ``at``, turned clockwise."""
        angle = math.radians(turn_deg)
        self.draw.polygon(
            [
                (
                    at[0]
                    + radii[0] * math.cos(t) * math.cos(angle)
                    - radii[1] * math.sin(t) * math.sin(angle),
                    at[1]
                    + radii[0] * math.cos(t) * math.sin(angle)
                    + radii[1] * math.sin(t) * math.cos(angle),
                )
                for t in np.linspace(0, 2 * math.pi, 90)
            ],
            fill=colour,
        )

    def blob(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill the smooth shape through the points."""
        self.draw.polygon(curve(points), fill=colour)

    def stitches(self, at: Point, radii: Point, colour: Colour) -> None:
        """Draw a dashed ellipse around ``at``."""
        box = (at[0] - radii[0], at[1] - radii[1], at[0] + radii[0], at[1] + radii[1])
        for start in range(0, 360, 14):
            self.draw.arc(box, start, start + 8, fill=colour, width=7)

    def light(self, rng: np.random.Generator, fur: float, ragged_px: float) -> Image.Image:
        """Return the figure with fur and with light from the upper left.

        Args:
            rng: Makes each fur another.
            fur: How much lighter and darker its hairs are, 0 to 1.
            ragged_px: How far hairs stand out of the outline.
        """
        pixels = np.asarray(self.image, np.float32)
        size = self.image.size
        rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
        down = (noise(rng, size, (5, 14)) * ragged_px).astype(int)
        across = (noise(rng, size, (7, 5)) * ragged_px * 0.6).astype(int)
        pixels = pixels[
            np.clip(rows + down, 0, size[1] - 1), np.clip(columns + across, 0, size[0] - 1)
        ]
        hairs = noise(rng, size, (4, 22)) * 0.6 + noise(rng, size, (40, 60)) * 0.4
        # The alpha, blurred, falls off towards the outline: that makes the shape look round.
        alpha = Image.fromarray(pixels[..., 3].astype(np.uint8))
        depth = np.asarray(alpha.filter(ImageFilter.GaussianBlur(45)), np.float32) / 255
        lit = np.asarray(
            ImageChops.offset(alpha, 36, 46).filter(ImageFilter.GaussianBlur(40)), np.float32
        )
        shade = (1 + fur * hairs) * (0.62 + 0.40 * depth) * (1.2 - 0.14 * lit / 255)
        pixels[..., :3] = np.clip(pixels[..., :3] * shade[..., None], 0, 255)
        return Image.fromarray(pixels.astype(np.uint8), "RGBA")


def photograph(rng: np.random.Generator, scene: Image.Image) -> Image.Image:
    """Return the scene as a camera would give it: warmth, exposure, vignette, grain, final size."""
    pixels = np.asarray(scene.convert("RGB"), np.float32)
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = 1 - rng.uniform(0.08, 0.24) * (rows**2 + columns**2)
    warmth = rng.uniform(-0.05, 0.05)
    balance = np.array([1 + warmth, 1.0, 1 - warmth]) * rng.uniform(0.9, 1.1)
    pixels = pixels * vignette[..., None] * balance + rng.normal(0, 5, pixels.shape)
    photo = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return photo.resize(SIZE_PX, Image.Resampling.LANCZOS)

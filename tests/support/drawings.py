"""Small drawn photos of three kinds that a person and a pretrained network tell apart.

Drawn in milliseconds, for tests that need hundreds of pictures which show something.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.support.images import encode

Colour = tuple[int, int, int]
WIDTH_PX, HEIGHT_PX = 200, 150
OUTLINE_PX = 3
GRAIN = 6.0  # standard deviation of the noise, of 255: no two pictures are alike


def _colour(rng: random.Random, low: int, high: int) -> Colour:
    return (rng.randint(low, high), rng.randint(low, high), rng.randint(low, high))


def _fish(draw: ImageDraw.ImageDraw, rng: random.Random, x: float, y: float, size: float) -> None:
    body = (rng.randint(190, 255), rng.randint(90, 190), rng.randint(30, 110))
    dark = (body[0] // 2, body[1] // 2, body[2] // 2)
    tail = [(x + size * 0.7, y), (x + size * 1.2, y - size * 0.5), (x + size * 1.2, y + size * 0.5)]
    draw.polygon(tail, fill=body, outline=dark)
    box = (x - size, y - size * 0.5, x + size * 0.85, y + size * 0.5)
    draw.ellipse(box, fill=body, outline=dark, width=OUTLINE_PX)
    for step in range(3):
        at = x - size * 0.3 + step * size * 0.3
        draw.arc((at, y - size * 0.3, at + size * 0.3, y + size * 0.3), 270, 90, fill=dark, width=2)
    eye = size * 0.1
    at = x - size * 0.65
    draw.ellipse((at - eye, y - 2 * eye, at + eye, y), fill="white")
    draw.ellipse((at - eye / 2, y - 1.5 * eye, at + eye / 2, y - eye / 2), fill="black")


def _house(draw: ImageDraw.ImageDraw, rng: random.Random, x: float, y: float, size: float) -> None:
    wall, roof = _colour(rng, 190, 245), (rng.randint(130, 190), rng.randint(40, 80), 50)
    left, right, foot = x - size * 0.75, x + size * 0.75, y + size * 0.8
    draw.rectangle((left, y - size * 0.1, right, foot), fill=wall, outline="black")
    gable = [(left - 8, y - size * 0.1), (x, y - size * 0.85), (right + 8, y - size * 0.1)]
    draw.polygon(gable, fill=roof, outline="black")
    door = size * 0.15
    draw.rectangle((x - door, y + size * 0.3, x + door, foot), fill=(96, 62, 40))
    for at in (x - size * 0.45, x + size * 0.45):
        pane = (at - door, y + size * 0.1, at + door, y + size * 0.4)
        draw.rectangle(pane, fill=(160, 210, 240), outline="black")
        draw.line((at, pane[1], at, pane[3]), fill="black")


def _tree(draw: ImageDraw.ImageDraw, rng: random.Random, x: float, y: float, size: float) -> None:
    leaf = (rng.randint(20, 70), rng.randint(90, 150), rng.randint(30, 70))
    draw.rectangle((x - size * 0.1, y, x + size * 0.1, y + size * 0.9), fill=(98, 68, 44))
    for tier in range(3):
        low = y + size * (0.45 - tier * 0.4)
        half = size * (0.62 - tier * 0.15)
        draw.polygon([(x - half, low), (x, low - size * 0.7), (x + half, low)], fill=leaf)
        draw.line((x - half, low, x + half, low), fill=(20, 60, 30), width=2)


_DRAW: dict[str, Callable[[ImageDraw.ImageDraw, random.Random, float, float, float], None]] = {
    "fish": _fish,
    "house": _house,
    "tree": _tree,
}
_GROUNDS: dict[str, tuple[Colour, Colour]] = {
    "fish": ((60, 130, 190), (30, 80, 140)),
    "house": ((200, 220, 240), (130, 160, 100)),
    "tree": ((220, 230, 235), (150, 170, 120)),
}
KINDS = tuple(_DRAW)


def draw_photo(kind: str, seed: int) -> bytes:
    """Return a JPEG of 200 by 150 px.

    Args:
        kind: One of ``KINDS``.
        seed: Place, size, colours and light follow from it, the same each time.
    """
    rng = random.Random(f"{kind} {seed}")
    top, bottom = (tuple(c + rng.randint(-25, 25) for c in ground) for ground in _GROUNDS[kind])
    ratio = np.linspace(0, 1, HEIGHT_PX)[:, None, None]
    ground = np.array(top) * (1 - ratio) + np.array(bottom) * ratio
    pixels = np.broadcast_to(ground, (HEIGHT_PX, WIDTH_PX, 3))
    scene = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(scene)
    for _ in range(rng.randint(3, 7)):
        at = (rng.uniform(0, WIDTH_PX), rng.uniform(0, HEIGHT_PX))
        radius = rng.uniform(8, 26)
        box = (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)
        draw.ellipse(box, fill=_colour(rng, 90, 210))
    scene = scene.filter(ImageFilter.GaussianBlur(4))
    draw = ImageDraw.Draw(scene)
    size = rng.uniform(38, 58)
    x = WIDTH_PX / 2 + rng.uniform(-28, 28)
    _DRAW[kind](draw, rng, x, HEIGHT_PX / 2 + rng.uniform(-10, 12), size)
    return encode(_with_grain(scene, seed), quality=88)


def _with_grain(scene: Image.Image, seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).normal(0, GRAIN, (HEIGHT_PX, WIDTH_PX, 1))
    return Image.fromarray(np.clip(np.asarray(scene) + noise, 0, 255).astype(np.uint8))

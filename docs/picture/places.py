# ruff: noqa: INP001, PLR2004, E501 - a folder of one script; the numbers are a drawing's places and sizes
"""Where the bears are: a room, a forest, a river, snow. Imports brush alone.

Each place is drawn on the large canvas and blurred a little, as behind a subject in focus.
"""

from __future__ import annotations

import numpy as np
from brush import CANVAS_PX, Colour, curve, gradient, mix, vary
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = CANVAS_PX


def room(rng: np.random.Generator) -> Image.Image:
    """Return a wall with paper, and a floor, bed or shelf before it."""
    walls: list[Colour] = [
        (232, 214, 196), (198, 214, 226), (226, 200, 204), (206, 218, 196), (240, 226, 184), (188, 182, 206),
    ]  # fmt: skip
    wall = vary(rng, walls[rng.integers(len(walls))], 14)
    scene = gradient(CANVAS_PX, mix(wall, (255, 255, 255), 0.25), mix(wall, (80, 60, 60), 0.12))
    draw = ImageDraw.Draw(scene)
    pattern = mix(wall, (255, 255, 255), 0.35)
    if rng.random() < 0.5:
        for x in range(int(rng.integers(0, 80)), WIDTH, 130):
            draw.rectangle((x, 0, x + 52, HEIGHT), fill=pattern)
    else:
        for row, y in enumerate(range(20, HEIGHT, 110)):
            for x in range(60 * (row % 2), WIDTH, 120):
                draw.ellipse((x, y, x + 34, y + 34), fill=pattern)
    top = int(HEIGHT * rng.uniform(0.62, 0.74))
    floors: list[Colour] = [
        (150, 108, 74),
        (112, 132, 158),
        (168, 88, 84),
        (104, 128, 104),
        (196, 168, 132),
    ]
    floor = vary(rng, floors[rng.integers(len(floors))], 16)
    scene.paste(gradient((WIDTH, HEIGHT - top), mix(floor, (255, 255, 255), 0.18), floor), (0, top))
    for y in range(top + 20, HEIGHT, 60):
        draw.line((0, y, WIDTH, y), fill=mix(floor, (0, 0, 0), 0.10), width=4)
    if rng.random() < 0.55:
        _window(rng, draw)
    return scene.filter(ImageFilter.GaussianBlur(float(rng.uniform(3, 8))))


def _window(rng: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    left = int(rng.choice([60, WIDTH - 380]))
    box = (left, 60, left + 320, 460)
    draw.rectangle((left - 18, 42, left + 338, 478), fill=(250, 248, 244))
    draw.rectangle(box, fill=vary(rng, (188, 218, 240), 18))
    draw.line((left + 160, 60, left + 160, 460), fill=(250, 248, 244), width=16)
    draw.line((left, 250, left + 320, 250), fill=(250, 248, 244), width=16)


def _fir(draw: ImageDraw.ImageDraw, foot: tuple[float, float], tall: float, colour: Colour) -> None:
    x, y = foot
    draw.rectangle((x - tall * 0.03, y - tall * 0.2, x + tall * 0.03, y), fill=(74, 56, 44))
    for tier in range(4):
        low, high = y - tall * (0.1 + 0.2 * tier), y - tall * (0.46 + 0.18 * tier)
        half = tall * (0.26 - 0.05 * tier)
        draw.polygon([(x - half, low), (x, high), (x + half, low)], fill=colour)


def forest(rng: np.random.Generator) -> Image.Image:
    """Return firs in three rows, the farther the paler, and a floor of moss."""
    haze = vary(rng, (206, 220, 196), 16)
    scene = gradient(CANVAS_PX, mix(haze, (255, 250, 225), 0.5), haze)
    for row in range(3):
        layer = ImageDraw.Draw(scene)
        colour = mix(haze, vary(rng, (48, 92, 60), 14), 0.3 + 0.24 * row)
        foot = HEIGHT * (0.60 + 0.025 * row)
        for x in np.arange(-60, WIDTH + 120, 210 - 20 * row):
            at = (float(x + rng.uniform(-60, 60)), foot + float(rng.uniform(-14, 14)))
            _fir(layer, at, float(rng.uniform(420, 640) + 90 * row), colour)
        scene = scene.filter(ImageFilter.GaussianBlur(5))
    moss = vary(rng, (98, 112, 58), 16)
    top = int(HEIGHT * 0.63)
    scene.paste(gradient((WIDTH, HEIGHT - top), moss, mix(moss, (50, 40, 20), 0.4)), (0, top))
    _blades(rng, ImageDraw.Draw(scene), top, moss)
    return scene.filter(ImageFilter.GaussianBlur(2.5))


def _blades(rng: np.random.Generator, draw: ImageDraw.ImageDraw, top: int, grass: Colour) -> None:
    for _ in range(900):
        x, y = rng.uniform(0, WIDTH), rng.uniform(top, HEIGHT + 30)
        tall = 16 + 46 * (y - top) / (HEIGHT - top)
        draw.line((x, y, x + rng.uniform(-14, 14), y - tall), fill=vary(rng, grass, 26), width=4)


def river(rng: np.random.Generator) -> Image.Image:
    """Return mountains, a meadow and a river."""
    sky = vary(rng, (150, 190, 222), 18)
    scene = gradient(CANVAS_PX, sky, mix(sky, (255, 244, 224), 0.75))
    draw = ImageDraw.Draw(scene)
    for row in range(2):
        foot = HEIGHT * (0.52 + 0.06 * row)
        heights = rng.uniform(0.12, 0.34, 7) * HEIGHT
        peaks = [
            (float(x), foot - float(h))
            for x, h in zip(np.linspace(-60, WIDTH + 60, 7), heights, strict=True)
        ]
        stone = mix(vary(rng, (112, 124, 146), 12), (96, 124, 92), 0.7 * row)
        draw.polygon([(-60, HEIGHT), *peaks, (WIDTH + 60, HEIGHT)], fill=stone)
    scene = scene.filter(ImageFilter.GaussianBlur(4))
    meadow = vary(rng, (134, 152, 84), 18)
    top = int(HEIGHT * 0.56)
    scene.paste(gradient((WIDTH, HEIGHT - top), meadow, mix(meadow, (60, 50, 20), 0.35)), (0, top))
    draw = ImageDraw.Draw(scene)
    bend = float(rng.uniform(-120, 120))
    water = vary(rng, (112, 160, 184), 14)
    shore = [(-80, 640), (420, 610 + bend * 0.2), (900, 650), (1400, 620), (1400, 700), (800, 724), (300, 690), (-80, 720)]  # fmt: skip
    draw.polygon(curve(shore), fill=water)
    _blades(rng, draw, int(HEIGHT * 0.76), meadow)
    return scene.filter(ImageFilter.GaussianBlur(2.5))


def snow(rng: np.random.Generator) -> Image.Image:
    """Return drifts, birches or firs under snow, and flakes in the air."""
    sky = vary(rng, (186, 202, 222), 20)
    scene = gradient(CANVAS_PX, sky, mix(sky, (255, 250, 250), 0.7))
    draw = ImageDraw.Draw(scene)
    has_birches = rng.random() < 0.5
    for x in np.arange(-40, WIDTH + 100, 150):
        at = (float(x + rng.uniform(-50, 50)), HEIGHT * 0.66)
        if has_birches:
            wide = float(rng.uniform(16, 34))
            draw.rectangle((at[0], 0, at[0] + wide, at[1]), fill=vary(rng, (206, 204, 204), 16))
            for y in rng.uniform(0, at[1], 9):
                draw.line((at[0], y, at[0] + wide * 0.7, y + 4), fill=(92, 88, 90), width=6)
        else:
            _fir(
                draw,
                at,
                float(rng.uniform(360, 620)),
                mix((70, 98, 104), sky, float(rng.uniform(0.2, 0.5))),
            )
    scene = scene.filter(ImageFilter.GaussianBlur(5))
    draw = ImageDraw.Draw(scene)
    for row, shade in enumerate(((224, 232, 242), (242, 246, 252))):
        y = HEIGHT * (0.64 + 0.08 * row)
        drift = [(x, y + float(rng.uniform(-26, 26))) for x in range(-100, WIDTH + 201, 200)]
        draw.polygon(curve([*drift, (WIDTH + 200, HEIGHT + 200), (-200, HEIGHT + 200)]), fill=shade)
    for _ in range(int(rng.integers(20, 160))):
        x, y, size = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(3, 9)
        draw.ellipse((x, y, x + size, y + size), fill=(255, 255, 255))
    return scene.filter(ImageFilter.GaussianBlur(2))

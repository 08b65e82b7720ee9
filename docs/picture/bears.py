# ruff: noqa: INP001, PLR2004 - a folder of one script; the numbers are a drawing's places and sizes
"""Draws teddies, grizzlies and black bears. Imports brush and places.

`draw_bear("grizzly", 7)` is always the same picture; no photo of anybody is needed.
"""

from __future__ import annotations

import io

import numpy as np
from brush import CANVAS_PX, FIGURE_PX, Colour, Figure, Point, mix, photograph, vary
from PIL import Image, ImageFilter, ImageOps
from places import forest, river, room, snow

KINDS = ("teddy bear", "grizzly bear", "black bear")
INK: Colour = (28, 24, 26)
LIGHT: Colour = (255, 255, 255)
JPEG_QUALITY = 88


def draw_bear(kind: str, seed: int) -> bytes:
    """Return a drawn photo as JPEG.

    Args:
        kind: One of ``KINDS``.
        seed: Pose, colours, place and light follow from it.
    """
    rng = np.random.default_rng((KINDS.index(kind), seed))
    if kind == "teddy bear":
        figure = _teddy(rng).light(rng, fur=0.16, ragged_px=4)
        scene = room(rng) if rng.random() < 0.9 else forest(rng)
        scene = _place(rng, scene, figure, foot=0.94)
    else:
        fur, places = (
            (vary(rng, (136, 92, 56), 20), (forest, river, forest))
            if kind == "grizzly bear"
            else (vary(rng, (50, 46, 50), 12), (snow, snow, snow, forest))
        )
        is_portrait = rng.random() < 0.4
        draw = _portrait if is_portrait else _walk
        figure = draw(rng, fur, is_grizzly=kind == "grizzly bear").light(rng, 0.26, 9)
        scene = places[rng.integers(len(places))](rng)
        scene = _place(rng, scene, figure, foot=1.12 if is_portrait else 0.9)
    data = io.BytesIO()
    photograph(rng, scene).save(data, "JPEG", quality=JPEG_QUALITY)
    return data.getvalue()


def _place(
    rng: np.random.Generator, scene: Image.Image, figure: Image.Image, foot: float
) -> Image.Image:
    """Return the scene with the figure standing in it; ``foot`` is a share of the height."""
    side = round(FIGURE_PX * rng.uniform(0.78, 1.0))
    figure = figure.rotate(float(rng.uniform(-5, 5)), Image.Resampling.BICUBIC)
    if rng.random() < 0.5:
        figure = ImageOps.mirror(figure)
    figure = figure.resize((side, side), Image.Resampling.LANCZOS)
    box = figure.getbbox()
    if box is None:
        raise ValueError("the figure is empty")
    left = round((CANVAS_PX[0] - side) / 2 + rng.uniform(-150, 150))
    top = round(CANVAS_PX[1] * foot) - box[3]
    ground = Image.new("L", CANVAS_PX)
    shadow = Figure.blank()
    shadow.oval((500, 500), (330, 60), (255, 255, 255))
    flat = shadow.image.getchannel("A").resize((side, side))
    ground.paste(flat, (left, top + box[3] - side // 2 - 24), flat)
    ground = ground.filter(ImageFilter.GaussianBlur(22)).point(lambda value: value // 2)
    scene.paste(Image.new("RGB", CANVAS_PX, (30, 28, 36)), (0, 0), ground)
    scene.paste(figure, (left, top), figure)
    return scene


def _eye(figure: Figure, at: Point, radius: float, rim: Colour) -> None:
    figure.oval(at, (radius * 1.35, radius * 1.3), rim)
    figure.oval(at, (radius, radius), INK)
    figure.oval((at[0] - radius * 0.3, at[1] - radius * 0.35), (radius * 0.3, radius * 0.3), LIGHT)


def _nose(figure: Figure, at: Point, size: float) -> None:
    x, y = at
    figure.blob(
        [
            (x - size, y - size * 0.5),
            (x, y - size * 0.75),
            (x + size, y - size * 0.5),
            (x, y + size * 0.8),
        ],
        INK,
    )
    figure.oval((x - size * 0.3, y - size * 0.4), (size * 0.25, size * 0.12), (130, 126, 130))


def _teddy(rng: np.random.Generator) -> Figure:
    plush: list[Colour] = [
        (196, 142, 88),
        (222, 184, 136),
        (150, 100, 64),
        (236, 214, 186),
        (202, 160, 160),
        (180, 164, 148),
    ]
    fur = vary(rng, plush[rng.integers(len(plush))], 12)
    pale, dark = mix(fur, (255, 240, 220), 0.55), mix(fur, (60, 30, 20), 0.35)
    figure = Figure.blank()
    lean = float(rng.uniform(-18, 18))
    for side in (-1, 1):
        lift = float(rng.uniform(-30, 70))
        figure.oval(
            (500 + side * 205, 610 - lift),
            (72, 150),
            mix(fur, dark, 0.15),
            side * (-38 - lift * 0.5),
        )
        figure.oval((500 + side * 165, 860), (118, 96), mix(fur, dark, 0.2), side * 24)
        figure.oval((500 + side * 205, 872), (78, 84), mix(fur, dark, 0.08))
        figure.oval((500 + side * 208, 876), (52, 58), pale)
        figure.stitches((500 + side * 208, 876), (52, 58), dark)
    figure.oval((500, 690), (205, 225), fur)
    figure.oval((500, 720), (132, 148), pale)
    figure.stitches((500, 720), (132, 148), dark)
    x = 500 + lean
    for side in (-1, 1):
        figure.oval((x + side * 158, 178), (82, 82), mix(fur, dark, 0.12))
        figure.oval((x + side * 156, 186), (48, 48), pale)
    figure.oval((x, 320), (220, 198), fur)
    figure.oval((x, 385), (108, 86), pale)
    for side in (-1, 1):
        _button(figure, (x + side * 82, 292), 30, INK)
    _nose(figure, (x, 352), 40)
    figure.draw.line((x, 384, x, 420), fill=INK, width=8)
    figure.draw.arc((x - 52, 384, x, 440), 20, 160, fill=INK, width=8)
    figure.draw.arc((x, 384, x + 52, 440), 20, 160, fill=INK, width=8)
    _dress(rng, figure, x)
    return figure


def _button(figure: Figure, at: Point, radius: float, colour: Colour) -> None:
    x, y = at
    figure.oval(at, (radius, radius), colour)
    figure.oval(at, (radius * 0.78, radius * 0.78), mix(colour, LIGHT, 0.14))
    for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        hole = (x + dx * radius * 0.28, y + dy * radius * 0.28)
        figure.oval(hole, (radius * 0.14, radius * 0.14), mix(colour, LIGHT, 0.75))


def _dress(rng: np.random.Generator, figure: Figure, x: float) -> None:
    bright: list[Colour] = [
        (190, 52, 56),
        (48, 92, 170),
        (46, 132, 96),
        (226, 164, 50),
        (128, 74, 150),
    ]
    colour = bright[rng.integers(len(bright))]
    for y in (660, 730, 800)[: int(rng.integers(1, 4))]:
        _button(figure, (500, y), 24, colour)
    if rng.random() < 0.7:
        deep = mix(colour, INK, 0.25)
        for side in (-1, 1):
            figure.blob([(x, 520), (x + side * 120, 462), (x + side * 132, 585), (x, 545)], colour)
        figure.oval((x, 526), (34, 32), deep)


def _walk(rng: np.random.Generator, fur: Colour, *, is_grizzly: bool) -> Figure:
    """Return a bear from the side, looking left: a grizzly has a hump and a dished face."""
    figure = Figure.blank()
    dark, tip = mix(fur, INK, 0.35), mix(fur, (232, 206, 160), 0.2)
    stride = float(rng.uniform(-26, 26))
    head = float(rng.uniform(-40, 70))
    for x, shift in ((430, -stride), (760, stride)):
        _leg(figure, x + 30 + shift, mix(dark, INK, 0.3))
    hump = 250 if is_grizzly else 345
    figure.blob(
        [
            (245, 470 + head * 0.4),
            (340, 360),
            (450, hump),
            (560, 318),
            (700, 306 if is_grizzly else 296),
            (850, 350),
            (900, 480),
            (860, 620),
            (700, 660),
            (500, 665),
            (330, 640),
            (262, 570),
        ],
        fur,
    )
    if is_grizzly:
        figure.blob([(350, 362), (450, 256), (560, 322), (520, 356), (440, 330)], tip)
    figure.oval((600, 615), (230, 60), mix(fur, INK, 0.22))
    for x, shift in ((370, stride), (800, -stride)):
        _leg(figure, x + shift, mix(fur, INK, 0.16))
    _side_head(figure, (240, 420 + head), fur, is_grizzly=is_grizzly)
    return figure


def _leg(figure: Figure, x: float, colour: Colour) -> None:
    figure.blob(
        [(x - 78, 560), (x + 78, 560), (x + 60, 720), (x + 52, 850), (x - 66, 850), (x - 62, 720)],
        colour,
    )
    figure.oval((x - 20, 850), (76, 32), colour)
    for claw in (-76, -52, -28):
        figure.oval((x + claw, 866), (9, 12), (206, 196, 178))


def _side_head(figure: Figure, at: Point, fur: Colour, *, is_grizzly: bool) -> None:
    x, y = at
    muzzle = mix(fur, (220, 180, 130), 0.3) if is_grizzly else (190, 150, 108)
    ear = (46, 46) if is_grizzly else (44, 60)
    figure.oval((x + 90, y - 108), ear, mix(fur, INK, 0.25))
    figure.oval((x + 92, y - 102), (ear[0] * 0.55, ear[1] * 0.55), mix(fur, LIGHT, 0.18))
    figure.oval((x + 40, y), (132, 122), mix(fur, LIGHT, 0.05))
    drop = 14 if is_grizzly else 0
    figure.blob(
        [
            (x - 20, y - 40 + drop),
            (x - 110, y - 14 + drop),
            (x - 158, y + 10),
            (x - 152, y + 62),
            (x - 60, y + 88),
            (x + 10, y + 60),
        ],
        muzzle,
    )
    _nose(figure, (x - 146, y + 14), 26)
    figure.draw.line((x - 140, y + 58, x - 66, y + 62), fill=INK, width=7)
    _eye(figure, (x - 8, y - 42), 17, mix(fur, muzzle, 0.5))


def _portrait(rng: np.random.Generator, fur: Colour, *, is_grizzly: bool) -> Figure:
    """Return a bear's head and shoulders from the front."""
    figure = Figure.blank()
    dark, tip = mix(fur, INK, 0.3), mix(fur, (236, 210, 164), 0.38)
    muzzle = mix(fur, (226, 190, 140), 0.45) if is_grizzly else (196, 156, 114)
    rise = 330 if is_grizzly else 440
    figure.blob(
        [
            (150, 980),
            (170, 700),
            (300, rise + 130),
            (500, rise),
            (700, rise + 130),
            (830, 700),
            (850, 980),
        ],
        mix(fur, INK, 0.15),
    )
    if is_grizzly:
        figure.blob([(300, 460), (500, 335), (700, 460), (500, 420)], tip)
    elif rng.random() < 0.5:
        figure.blob([(400, 850), (500, 910), (600, 850), (500, 965)], (222, 206, 176))
    x = 500 + float(rng.uniform(-40, 40))
    ear, high = ((74, 70), 330) if is_grizzly else ((66, 92), 300)
    for side in (-1, 1):
        figure.oval((x + side * 185, high), ear, dark, side * 18)
        figure.oval(
            (x + side * 180, high + 12),
            (ear[0] * 0.58, ear[1] * 0.58),
            mix(fur, LIGHT, 0.2),
            side * 18,
        )
    wide = 262 if is_grizzly else 226
    figure.blob(
        [
            (x - wide, 540),
            (x - wide * 0.72, 370),
            (x, 310),
            (x + wide * 0.72, 370),
            (x + wide, 540),
            (x + wide * 0.6, 720),
            (x, 780),
            (x - wide * 0.6, 720),
        ],
        fur,
    )
    figure.blob(
        [
            (x - 70, 480),
            (x + 70, 480),
            (x + 126, 640),
            (x + 80, 740),
            (x - 80, 740),
            (x - 126, 640),
        ],
        muzzle,
    )
    for side in (-1, 1):
        _eye(figure, (x + side * 108, 484), 22, mix(fur, muzzle, 0.5))
    _nose(figure, (x, 606), 54)
    figure.draw.line((x, 640, x, 690), fill=INK, width=8)
    figure.draw.arc((x - 84, 650, x, 714), 20, 150, fill=INK, width=8)
    figure.draw.arc((x, 650, x + 84, 714), 30, 160, fill=INK, width=8)
    return figure

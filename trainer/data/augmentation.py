"""Random changes to training pictures, a whole batch at once, as tensors.

What moves pixels (crop, flip, rotation, zoom, perspective) is composed into one matrix per picture
and done by one resampling; light is changed in logit space. May import numpy, torch and the
contract's recipes.

Source of the numbers: fastai 2.8, vision/augment.py, ``aug_transforms`` and ``RandomResizedCrop``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

_FLIP_PROBABILITY = 0.5
_CHANGE_PROBABILITY = 0.75  # of each of rotation, zoom, perspective, brightness and contrast
_MAX_ROTATION = math.radians(10)
_MAX_ZOOM = 1.1
_MAX_WARP = 0.2  # a corner moves by up to this share of half a side
_MAX_LIGHTING = 0.2
_ASPECT_RATIOS = (3 / 4, 4 / 3)  # of crops
_LOGIT_EPS = 1e-6  # keeps the logits of black and white finite

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Changes:
    """What is done to each picture of a batch.

    Attributes:
        matrices: ``[B, 3, 3]``: from a place in the result to one in the picture, both -1..1.
        brightness: ``[B]``, added to each pixel's logit.
        contrast: ``[B]``, by which the logit is multiplied then.
    """

    matrices: Floats
    brightness: Floats
    contrast: Floats


@dataclass(frozen=True)
class Augmentation:
    """Which changes are drawn.

    Attributes:
        kind: ``none``, ``flip`` or ``full``.
        min_scale: Smallest share of the area that a crop takes; for ``full``.
    """

    kind: str
    min_scale: float

    def draw(self, count: int, generator: np.random.Generator) -> Changes:
        """Return random changes for ``count`` pictures; the same generator gives the same."""
        matrices = np.broadcast_to(np.eye(3), (count, 3, 3)).copy()
        neutral = Changes(matrices, np.zeros(count), np.ones(count))
        if self.kind == "none":
            return neutral
        flips = np.where(generator.random(count) < _FLIP_PROBABILITY, -1.0, 1.0)
        matrices[:, 0, 0] = flips
        if self.kind == "flip":
            return neutral
        for step in (_rotations, _zooms, _warps):
            matrices = step(count, generator) @ matrices
        matrices = self._crops(count, generator) @ matrices
        lighting = generator.uniform(0.5 * (1 - _MAX_LIGHTING), 0.5 * (1 + _MAX_LIGHTING), count)
        stretch = -math.log(1 - _MAX_LIGHTING)
        contrast = np.exp(generator.uniform(-stretch, stretch, count))
        return Changes(
            matrices,
            np.where(_is_changed(count, generator), np.log(lighting / (1 - lighting)), 0.0),
            np.where(_is_changed(count, generator), contrast, 1.0),
        )

    def _crops(self, count: int, generator: np.random.Generator) -> Floats:
        """Return random windows that lie within the picture."""
        area = generator.uniform(self.min_scale, 1, count)
        low, high = (math.log(ratio) for ratio in _ASPECT_RATIOS)
        root = np.exp(generator.uniform(low, high, count) / 2)
        width = np.minimum(np.sqrt(area) * root, 1)
        height = np.minimum(np.sqrt(area) / root, 1)
        return _windows(width, height, generator)


def _is_changed(count: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    return generator.random(count) < _CHANGE_PROBABILITY


def _windows(width: Floats, height: Floats, generator: np.random.Generator) -> Floats:
    """Return maps of -1..1 onto windows at random places; sizes are shares of the sides."""
    matrices = np.zeros((len(width), 3, 3))
    matrices[:, 0, 0], matrices[:, 1, 1], matrices[:, 2, 2] = width, height, 1
    matrices[:, 0, 2] = generator.uniform(-1, 1, len(width)) * (1 - width)
    matrices[:, 1, 2] = generator.uniform(-1, 1, len(width)) * (1 - height)
    return matrices


def _rotations(count: int, generator: np.random.Generator) -> Floats:
    drawn = generator.uniform(-_MAX_ROTATION, _MAX_ROTATION, count)
    angle = np.where(_is_changed(count, generator), drawn, 0.0)
    matrices = np.zeros((count, 3, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(angle)
    matrices[:, 0, 1], matrices[:, 1, 0] = np.sin(angle), -np.sin(angle)
    matrices[:, 2, 2] = 1
    return matrices


def _zooms(count: int, generator: np.random.Generator) -> Floats:
    drawn = generator.uniform(1, _MAX_ZOOM, count)
    side = 1 / np.where(_is_changed(count, generator), drawn, 1.0)
    return _windows(side, side, generator)


def _warps(count: int, generator: np.random.Generator) -> Floats:
    """Return perspectives: the picture tilted about its vertical and horizontal axes."""
    tilt = generator.uniform(-_MAX_WARP, _MAX_WARP, (count, 2))
    tilt = np.where(_is_changed(count, generator)[:, None], tilt, 0.0)
    corners = np.array([(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)])
    moved = corners * (1 + tilt[:, None, :] * corners[:, ::-1])
    return perspective(corners, moved)


def perspective(source: Floats, target: Floats) -> Floats:
    """Return the projective maps that take four points to four others.

    Args:
        source: ``[4, 2]``.
        target: ``[B, 4, 2]``.

    Returns:
        ``[B, 3, 3]``, the last entry 1.

    Source: Heckbert 1989, Fundamentals of Texture Mapping, section 2.2.3 (eight equations).
    """
    count = len(target)
    equations = np.zeros((count, 8, 8))
    for axis in (0, 1):
        rows = slice(4 * axis, 4 * axis + 4)
        equations[:, rows, 3 * axis : 3 * axis + 2] = source
        equations[:, rows, 3 * axis + 2] = 1
        equations[:, rows, 6:] = -source * target[:, :, axis, None]
    right = np.concatenate([target[:, :, 0], target[:, :, 1]], axis=1)
    solved = np.linalg.solve(equations, right[:, :, None])[:, :, 0]
    return np.concatenate([solved, np.ones((count, 1))], axis=1).reshape(count, 3, 3)


def apply(pictures: torch.Tensor, changes: Changes, side_px: int) -> torch.Tensor:
    """Change a batch of pictures.

    Args:
        pictures: ``[B, 3, S, S]`` float32 in 0..1, RGB.
        changes: One for each.
        side_px: Side of the result.

    Returns:
        ``[B, 3, side_px, side_px]`` float32 in 0..1.
    """
    matrices = torch.from_numpy(changes.matrices).float().to(pictures.device)
    line = (torch.arange(side_px, device=pictures.device) * 2 + 1) / side_px - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], dim=-1).reshape(1, -1, 3)
    mapped = places @ matrices.transpose(1, 2)
    grid = (mapped[..., :2] / mapped[..., 2:]).reshape(-1, side_px, side_px, 2)
    moved = functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    if not changes.brightness.any() and (changes.contrast == 1).all():
        return moved
    brightness, contrast = (
        torch.from_numpy(values).float().to(pictures.device)[:, None, None, None]
        for values in (changes.brightness, changes.contrast)
    )
    return torch.sigmoid((torch.logit(moved, _LOGIT_EPS) + brightness) * contrast)

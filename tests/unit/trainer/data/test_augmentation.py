"""Changes to pictures: bounds, exactness, the same seed the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.augmentation import Augmentation, Changes, apply, perspective

pytestmark = pytest.mark.slow

_SEEDS = st.integers(0, 2**32 - 1)
_CORNERS = np.array([(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)])


def _mapped(matrices: np.ndarray, points: np.ndarray) -> np.ndarray:
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    moved = homogeneous @ matrices.transpose(0, 2, 1)
    return moved[..., :2] / moved[..., 2:]


@given(_SEEDS)
@settings(max_examples=30, deadline=None)
def test_a_perspective_takes_four_points_to_four_others(seed: int) -> None:
    target = _CORNERS + np.random.default_rng(seed).uniform(-0.3, 0.3, (5, 4, 2))
    np.testing.assert_allclose(_mapped(perspective(_CORNERS, target), _CORNERS), target, atol=1e-9)


@given(_SEEDS)
@settings(max_examples=30, deadline=None)
def test_changes_stay_within_their_bounds(seed: int) -> None:
    changes = Augmentation("full", 0.35).draw(16, np.random.default_rng(seed))
    assert (np.abs(changes.brightness) <= math.log(0.6 / 0.4) + 1e-12).all()
    assert ((changes.contrast >= 0.8 - 1e-12) & (changes.contrast <= 1.25 + 1e-12)).all()
    # The whole of a result lies near the picture: 1 + rotation's corners + a fifth of perspective.
    reach = 1.2 * (math.cos(0.175) + math.sin(0.175)) + 0.25
    assert np.abs(_mapped(changes.matrices, _CORNERS)).max() < reach
    again = Augmentation("full", 0.35).draw(16, np.random.default_rng(seed))
    np.testing.assert_array_equal(changes.matrices, again.matrices)


def test_about_half_are_flipped_and_crops_shrink() -> None:
    drawn = Augmentation("full", 0.25).draw(2000, np.random.default_rng(0))
    left, right = (_mapped(drawn.matrices, np.array([[x, 0.0]]))[:, 0, 0] for x in (-1.0, 1.0))
    assert np.mean(left > right) == pytest.approx(0.5, abs=0.05)
    # The mean side of a crop: areas are even over 0.25..1, zooms take some more.
    assert np.abs(right - left).mean() / 2 == pytest.approx(0.76, abs=0.03)


def test_unchanged_pictures_are_only_resampled() -> None:
    pictures = torch.rand(3, 3, 16, 16)
    changes = Augmentation("none", 1.0).draw(3, np.random.default_rng(0))
    torch.testing.assert_close(apply(pictures, changes, 16), pictures, atol=1e-4, rtol=0)
    halved = torch.nn.functional.avg_pool2d(pictures, 2)
    torch.testing.assert_close(apply(pictures, changes, 8), halved, atol=1e-4, rtol=0)


def test_flipping_alone_keeps_every_pixel() -> None:
    pictures = torch.rand(32, 3, 8, 8)
    changes = Augmentation("flip", 1.0).draw(32, np.random.default_rng(0))
    changed = apply(pictures, changes, 8)
    is_same = (changed - pictures).abs().amax((1, 2, 3)) < 1e-4
    is_mirrored = (changed.flip(3) - pictures).abs().amax((1, 2, 3)) < 1e-4
    assert (is_same ^ is_mirrored).all()
    assert is_same.any()
    assert is_mirrored.any()


def test_light_changes_the_logit() -> None:
    pictures = torch.full((1, 3, 4, 4), 0.6)
    changes = Changes(np.eye(3)[None], np.array([0.3]), np.array([1.2]))
    expected = 1 / (1 + math.exp(-(math.log(0.6 / 0.4) + 0.3) * 1.2))
    torch.testing.assert_close(apply(pictures, changes, 4), torch.full((1, 3, 4, 4), expected))

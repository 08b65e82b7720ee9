"""Validation images that a training image looks the same as."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from server.contract.preprocess import decode
from trainer.evaluation.twins import count_twins

_VALID = np.array([False, False, True, True])


def _photo(seed: int) -> Image.Image:
    """Return a picture of soft blobs, as different from the next as photos are."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC)


def _small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((32, 32), Image.Resampling.BOX))


def _saved_again(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.resize((150, 113)).save(file, "JPEG", quality=60)
    return decode(file.getvalue())


def test_different_pictures_are_no_twins() -> None:
    pixels = np.stack([_small(_photo(seed)) for seed in range(4)])
    assert count_twins(pixels, _VALID, 42) == 0


def test_a_picture_saved_again_or_mirrored_is_a_twin() -> None:
    first, second = _photo(0), _photo(1)
    mirrored = second.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = np.stack([_small(each) for each in (first, second, _saved_again(first), mirrored)])
    assert count_twins(pixels, _VALID, 42) == 2


def test_empty_pictures_are_alike_and_prove_nothing() -> None:
    assert count_twins(np.full((4, 32, 32, 3), 255, np.uint8), _VALID, 42) == 0


def test_of_many_images_a_sample_tells_the_share() -> None:
    train = np.stack([_small(_photo(seed)) for seed in range(100)])
    valid = np.concatenate([train[:50]] * 24)
    is_valid = np.arange(len(train) + len(valid)) >= len(train)
    assert count_twins(np.concatenate([train, valid]), is_valid, 42) == len(valid)

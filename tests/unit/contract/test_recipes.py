"""Recipes: defaults, bounds, and documents of older versions."""

from __future__ import annotations

from typing import Any

import pytest

from server.contract.errors import FormatError
from server.contract.recipes import MIN_UPDATES, FineTuneRecipe, HeadRecipe, parse_recipe

# What the first version wrote into jobs and bundles.
_OLDEST = {
    "kind": "head",
    "backbone": "efficientnet_lite0",
    "seed": 7,
    "size_px": 224,
    "resize": "crop",
    "folds": 5,
    "l2": None,
}


@pytest.mark.parametrize("document", [{}, {"kind": "head"}], ids=str)
def test_the_default_recipe_is_the_head(document: dict[str, Any]) -> None:
    assert parse_recipe(document) == HeadRecipe()


def test_recipes_of_the_first_version_stay_readable() -> None:
    assert parse_recipe(_OLDEST) == HeadRecipe(seed=7, resize="crop")


@pytest.mark.parametrize("recipe", [HeadRecipe(), FineTuneRecipe(epochs=2.5)], ids=str)
def test_a_recipe_is_read_as_it_was_written(recipe: HeadRecipe | FineTuneRecipe) -> None:
    assert parse_recipe(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "bake"},
        {"kind": "head", "lr": 1e-3},
        {"backbone": "vgg16"},
        {"seed": -1},
        {"size_px": 100},
        {"size_px": 4096},
        {"resize": "stretch"},
        {"folds": 1},
        {"l2": 0},
        {"l2": float("nan")},
        {"command": "rm"},
        {"device": "cuda:9"},
        {"kind": "fine-tune", "epochs": 4, "updates": 100},
        {"kind": "fine-tune", "epochs": 0},
        {"kind": "fine-tune", "size_px": 64, "train_size_px": 96},
        {"kind": "fine-tune", "batch_size": 0},
        {"kind": "fine-tune", "ema_decay": 1},
        {"kind": "fine-tune", "mixup": -0.1},
        "head",
        None,
    ],
    ids=str,
)
def test_a_recipe_not_known_is_refused(document: object) -> None:
    with pytest.raises(FormatError, match="recipe"):
        parse_recipe(document)


@pytest.mark.parametrize(
    ("recipe", "image_count", "updates"),
    [
        (FineTuneRecipe(), 100, MIN_UPDATES),
        (FineTuneRecipe(), 32_000, 4000),
        (FineTuneRecipe(updates=7), 32_000, 7),
        (FineTuneRecipe(epochs=0.5, batch_size=10), 100, 5),
        (FineTuneRecipe(epochs=1), 1, 1),
    ],
    ids=str,
)
def test_small_sets_are_counted_in_updates(
    recipe: FineTuneRecipe, image_count: int, updates: int
) -> None:
    assert recipe.updates_for(image_count) == updates


@pytest.mark.parametrize(("size_px", "side_px"), [(224, 160), (64, 32), (128, 96), (512, 352)])
def test_training_pictures_are_smaller_than_those_of_the_finished_model(
    size_px: int, side_px: int
) -> None:
    assert FineTuneRecipe(size_px=size_px).training_side_px == side_px
    assert FineTuneRecipe(size_px=size_px, train_size_px=64).training_side_px == 64

"""What ``train`` asks for: the recipe from its options. May import the contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum

import typer
from pydantic import JsonValue

from server.contract.errors import FormatError
from server.contract.recipes import parse_recipe

LR_FIND = "lr-find"  # the recipe of a verb of its own


class RecipeKind(StrEnum):
    """The ways to train."""

    HEAD = "head"
    FINE_TUNE = "fine-tune"


def build_recipe(kind: str, seed: int, assignments: Sequence[str]) -> dict[str, JsonValue]:
    """Return the recipe document, with the members that were given.

    It is checked against the contract here already, so that a slip leaves no snapshot behind.

    Args:
        kind: A `RecipeKind`, or `LR_FIND`.
        seed: For everything random in training.
        assignments: ``key=value`` each; a value that reads as JSON is that, else it is text.

    Raises:
        typer.BadParameter: An assignment has no key, or repeats one that has its own option, or
            the recipe is none that this version knows.
    """
    recipe: dict[str, JsonValue] = {"kind": str(kind), "seed": seed}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        key = key.strip()
        if not equals or not key:
            raise typer.BadParameter(f"`{assignment}` is not key=value", param_hint="--set")
        if key in recipe:
            raise typer.BadParameter(
                f"`{key}` is set twice, or has its own option", param_hint="--set"
            )
        recipe[key] = _parse(value)
    try:
        parse_recipe(recipe)
    except FormatError as error:
        raise typer.BadParameter(str(error), param_hint="--recipe/--set") from error
    return recipe


def _parse(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return text
    return value

"""Options that several verbs share, so that they are spelt and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check_id(text: str | None) -> str | None:
    """Keep what a person typed within its place in the address.

    Raises:
        typer.BadParameter: It is no id.
    """
    if text is not None and not (text.isalnum() and text.isascii()):
        raise typer.BadParameter("an id consists of letters and digits")
    return text


AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document to stdout.")]
DatasetName = Annotated[
    str, typer.Option("--dataset", metavar="NAME", help="The dataset, by name or id.")
]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        file_okay=False,
        help="Folder of the database and all files. [default: BOWERBIRD_DATA or ./data]",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the split and the training.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A member of the recipe; repeatable."),
]
TrainingTimeout = Annotated[
    float,
    typer.Option("--timeout-s", min=1, max=7 * 86_400, help="Give up waiting after this long."),
]

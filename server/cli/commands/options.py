"""Options that several verbs share, so that they are spelt and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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

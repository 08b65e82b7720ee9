"""``bowerbird token create``."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli.commands.options import DataFolder
from server.cli.console import emit, examples

app = typer.Typer(no_args_is_help=True, help="Tokens that let programs use the API.")


@app.command(
    epilog=examples(
        "bowerbird token create --name notebook",
        "export BOWERBIRD_TOKEN=$(bowerbird token create --name ci --data ./data)",
    )
)
def create(
    name: Annotated[str, typer.Option(help="What the token is for, as lists will show it.")],
    data: DataFolder = None,
) -> None:
    """Make a token and print it, alone. It is shown this once.

    Works on the data folder itself, whether the server is running or not.
    """
    # The database and its migrations, which client verbs never need.
    from server import main  # noqa: PLC0415
    from server.cli import local  # noqa: PLC0415 - pydantic-settings, 0.2 s

    emit(main.create_token(local.load(data), name))

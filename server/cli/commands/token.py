"""``bowerbird token create``."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli.commands.options import DataFolder
from server.cli.console import emit, examples, note
from server.cli.errors import CommandError

MAX_NAME_CHARS = 100  # as the API has it

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
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME_CHARS:
        raise typer.BadParameter("1 to 100 characters", param_hint="--name")
    # The database and its migrations, which client verbs never need.
    from server import main  # noqa: PLC0415
    from server.cli import local  # noqa: PLC0415 - pydantic-settings, 0.2 s
    from server.client.settings import TOKEN_FILE  # noqa: PLC0415 - as above

    settings = local.load(data)
    has_served = (settings.data / TOKEN_FILE).is_file()
    try:
        token = main.create_token(settings, name)
    except OSError as error:
        raise CommandError(f"{settings.data} can't be written: {error}.") from error
    emit(token)
    if not has_served:  # most likely the wrong folder, and the token useless where it is wanted
        note(
            f"No server has used {settings.data.absolute()} yet, and the token is for one that "
            f"does. For another server, name the folder it was started with: --data DIR."
        )

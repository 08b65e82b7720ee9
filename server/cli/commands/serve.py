"""``bowerbird serve``."""

from __future__ import annotations

import errno
import sys
from typing import Annotated

import typer

from server.cli.commands.options import DataFolder
from server.cli.console import examples
from server.cli.errors import CommandError

EXAMPLES = examples(
    "bowerbird serve --data ./data",
    "bowerbird serve --data ./data --port 8001 --no-trainer --no-open",
)


def serve(
    data: DataFolder = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port; 0 takes a free one. [default: 8000]"),
    ] = None,
    no_trainer: Annotated[
        bool, typer.Option("--no-trainer", help="Do not start a trainer beside the server.")
    ] = False,
    open_browser: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open the page. [default: when run in a terminal]"),
    ] = None,
) -> None:
    """Migrate the database, serve, and start the trainer. Runs until stopped."""
    # The whole server: a second of imports that no other verb needs.
    from server import main  # noqa: PLC0415
    from server.cli import local  # noqa: PLC0415 - pydantic-settings, as above

    http: dict[str, object] = {}
    if host is not None:
        http["host"] = host
    if port is not None:
        http["port"] = port
    training: dict[str, object] = {"enabled": False} if no_trainer else {}
    settings = local.load(data, http=http, training=training)
    should_open = sys.stdout.isatty() if open_browser is None else open_browser
    try:
        code = main.serve(settings, open_browser=should_open)
    except KeyboardInterrupt:
        code = 0  # Ctrl-C is how a server is stopped; it has shut down in order by now
    except OSError as error:
        raise _explain(error, settings.http.port) from error
    raise typer.Exit(code)


def _explain(error: OSError, port: int) -> CommandError:
    if error.errno == errno.EADDRINUSE:
        return CommandError(
            f"Port {port} is taken.",
            "Is Bowerbird running already (`bowerbird doctor`)? If not, choose another --port.",
        )
    return CommandError(f"The server can't start: {error}.", "`bowerbird doctor` tells more.")

"""The command ``bowerbird``: the tree of verbs, and how a failure ends. May import all of cli."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

from server.cli import console
from server.cli.commands import (
    classify,
    dataset,
    doctor,
    evaluate,
    extract,
    fetch,
    image,
    lr_find,
    model,
    serve,
    sign_in,
    site,
    snapshot,
    token,
    train,
)
from server.cli.errors import CommandError
from server.cli.version import version
from server.errors import ServerError

app = typer.Typer(
    no_args_is_help=True,
    # Plain text: the same on every terminal, greppable, and rich's help costs 60 ms.
    rich_markup_mode=None,
    # A traceback with local variables would show the token.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.emit(f"bowerbird {version()}")
        raise typer.Exit


@app.callback(
    epilog=console.examples(
        "bowerbird serve --data ./data",
        "bowerbird dataset import ./photos --dataset bears",
        "bowerbird train --dataset bears",
        "bowerbird classify photo.jpg --json",
    )
)
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """From browsing to a working image classifier, on your own laptop.

    Verbs that work on datasets and models talk to a running server: BOWERBIRD_SERVER (default
    http://127.0.0.1:8000), with BOWERBIRD_TOKEN (default: the one that `serve` leaves in its data
    folder, BOWERBIRD_DATA or ./data). Results go to stdout, progress and messages to stderr.
    Exit codes: 0 done, 1 failed, 2 wrong usage.
    """


app.command(epilog=serve.EXAMPLES)(serve.serve)
app.command("open", epilog=sign_in.EXAMPLES)(sign_in.open_page)
app.command(epilog=train.EXAMPLES)(train.train)
app.command("lr-find", epilog=lr_find.EXAMPLES)(lr_find.lr_find)
app.command(epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command(epilog=classify.EXAMPLES)(classify.classify)
app.command(epilog=extract.EXAMPLES)(extract.extract)
app.command(epilog=fetch.EXAMPLES)(fetch.fetch)
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
app.add_typer(token.app, name="token")
app.add_typer(dataset.app, name="dataset")
app.add_typer(image.app, name="image")
app.add_typer(site.app, name="site")
app.add_typer(snapshot.app, name="snapshot")
app.add_typer(model.app, name="model")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Args:
        arguments: What to run; by default what the shell gave.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that can't show a label's script gets `?` for it, not a traceback.
        sys.stdout.reconfigure(errors="replace")
    try:
        app(arguments, prog_name="bowerbird")
    except CommandError as error:
        console.note(f"Error: {error}")
        if error.advice:
            console.note(error.advice)
        sys.exit(1)
    except ServerError as error:  # of `serve` and `token create`, which run the server itself
        console.note(f"Error: {error}")
        sys.exit(1)
    sys.exit(0)

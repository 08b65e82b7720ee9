"""``bowerbird open``."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from server.cli.commands.options import AsJson
from server.cli.console import emit, emit_json, examples, note
from server.cli.session import connect
from server.client.errors import UnexpectedAnswerError
from server.client.views import SignIn

EXAMPLES = examples("bowerbird open", "bowerbird open --print")


def open_page(
    print_only: Annotated[
        bool, typer.Option("--print", help="Only print the link; do not open a browser.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a link that signs a browser in to the server's pages, once, and open it."""
    with connect() as client:
        sign_in = client.post("/sign-in-codes", SignIn, {})
    if not sign_in.url.startswith(("http://", "https://")):
        raise UnexpectedAnswerError("POST /sign-in-codes", "its link is no web address")
    if as_json:
        emit_json(sign_in.model_dump(mode="json"))
    else:
        emit(sign_in.url)
    if not print_only and not _open(sign_in.url):
        note("No browser could be opened: copy the link into one.")


def _open(url: str) -> bool:
    """Open the link in a window of its own; text browsers would take over this terminal."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    is_text_browser = type(browser) is webbrowser.GenericBrowser
    return not is_text_browser and browser.open(url)

"""``bowerbird extract``: the extension's adapters on a saved file, through Node.js.

The same files read a page in the browser and here, so that what is found can't differ.
"""

from __future__ import annotations

import codecs
import re
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer
from pydantic import JsonValue, ValidationError

from server.cli.commands.options import AsJson
from server.cli.console import emit_json, examples, note
from server.cli.errors import CommandError, MissingToolError
from server.client.views import View

EXAMPLES = examples(
    'bowerbird extract saved.html --url "https://www.bing.com/images/search?q=bear"',
    'bowerbird extract answer.json --url "https://unsplash.com/s/photos/bear"',
    "bowerbird extract saved.html --url https://example.org/ | jq -r '.[].url'",
)

_CLI = Path(__file__).parents[1]
_ENTRY = _CLI / "extract.mjs"
_ADAPTERS = _CLI.parents[1] / "extension" / "content" / "sites" / "index.js"
# The largest result pages are 3 MB; the parser needs some 50 times what it parses.
MAX_FILE_BYTES = 32 * 1024**2
# A page of 1 MB takes a second, most of it for starting; this is for the largest on a busy laptop.
TIMEOUT_S = 60.0
# So that a page made to fill the memory ends here instead of in swap.
_MEMORY_MIB = 2048
# Of extract.mjs.
_EXIT_NO_DOM = 3
_EXIT_OLD_NODE = 4
_MAX_DETAIL_CHARS = 300
# Where HTML says its encoding: within the first 1024 bytes.
# Source: https://html.spec.whatwg.org/multipage/semantics.html#charset
_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset\s*=\s*["']?([\w:.-]{1,40})""", re.IGNORECASE)
_CHARSET_BYTES = 1024


class _Origin(View):
    engine: str


class _Scan(View):
    """What the adapters found, as far as this command says it."""

    origin: _Origin
    site: str | None
    state: Literal["ok", "partial", "blocked", "no-results", "nothing-found"]
    candidates: list[dict[str, JsonValue]]
    tile_count: int
    payload_count: int
    left_out_count: int
    without_original_count: int


def _check_url(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "must be the page's http(s) address."
        raise typer.BadParameter(message)
    return value


def extract(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="A saved page, or an answer (JSON or text) that a page's script got.",
        ),
    ],
    url: Annotated[
        str, typer.Option(metavar="URL", callback=_check_url, help="The page's address.")
    ],
    _as_json: AsJson = False,
) -> None:
    """Find the images of a saved search page, as the extension does in the browser.

    Writes a JSON list of candidates, ready for a capture; what became of reading the page goes to
    stderr. Needs Node.js 20 or later, and for HTML the package happy-dom. Nothing of the page is
    run, and nothing is loaded from the network.
    """
    scan = _scan(_read(file), url)
    emit_json(list(scan.candidates))
    _say(scan)


def _read(file: Path) -> str:
    with file.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        message = f"{file} is over {MAX_FILE_BYTES // 1024**2} MiB."
        raise CommandError(message, "Save the page without its images ('HTML only').")
    declared = _CHARSET.search(content[:_CHARSET_BYTES])
    encoding = declared[1].decode("ascii") if declared else "utf-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return content.decode(encoding, errors="replace")
    except (LookupError, UnicodeError):  # unknown, or one that can't replace what it can't read
        return content.decode("utf-8", errors="replace")


def _scan(text: str, url: str) -> _Scan:
    """Run the adapters.

    Raises:
        MissingToolError: Node.js, the adapters or the DOM are not there.
        CommandError: They took too long, crashed, or answered nonsense.
    """
    node = shutil.which("node")
    if node is None:
        raise MissingToolError("Node.js", "Install Node.js 20 or later (https://nodejs.org).")
    if not _ADAPTERS.is_file():
        raise MissingToolError(
            "The extension", f"Run this in Bowerbird's own folder: {_ADAPTERS.parent} is missing."
        )
    arguments = [node, f"--max-old-space-size={_MEMORY_MIB}", str(_ENTRY), url]
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the address is one argument, and checked
            arguments, input=text.encode(), capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        message = f"Reading the page took over {TIMEOUT_S:.0f} s and was given up."
        raise CommandError(message) from error
    _check_exit(done)
    try:
        return _Scan.model_validate_json(done.stdout)
    except ValidationError as error:
        message = f"The adapters' answer makes no sense: {error.errors()[0]['msg']}."
        raise CommandError(message) from error


def _check_exit(done: subprocess.CompletedProcess[bytes]) -> None:
    if done.returncode == _EXIT_NO_DOM:
        raise MissingToolError(
            "The package happy-dom, which parses HTML here,",
            f"Install it: `npm install` in {_CLI.parents[1]}. JSON and text files need no DOM.",
        )
    if done.returncode == _EXIT_OLD_NODE:
        raise MissingToolError("A recent Node.js", "Install Node.js 20 or later.")
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        said = next((line for line in lines if "Error" in line), f"exit code {done.returncode}")
        message = f"Reading the page failed: {said[:_MAX_DETAIL_CHARS]}"
        raise CommandError(message)


def _say(scan: _Scan) -> None:
    note(
        f"{scan.site or scan.origin.engine}: {scan.state}; {len(scan.candidates)} candidates of "
        f"{scan.tile_count} tiles and {scan.payload_count} entries in the page's data; "
        f"{scan.without_original_count} without original, {scan.left_out_count} left out"
    )

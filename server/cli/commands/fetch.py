"""``bowerbird fetch``: the downloader alone, without a server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from server.cli.commands.options import AsJson
from server.cli.console import emit_json, emit_table, examples, note
from server.cli.fetching.report import Report

EXAMPLES = examples(
    "bowerbird fetch addresses.txt --out photos",
    "bowerbird fetch addresses.txt --out photos --retry-failed",
    "cut -f 2 table.tsv | bowerbird fetch - --out photos --json",
)
STDIN = Path("-")


def _check_list(value: Path) -> Path:
    # typer's own checks know nothing of "-".
    if value != STDIN and (value.is_dir() or not os.access(value, os.R_OK)):
        message = f"file {str(value)!r} does not exist, or is not readable."
        raise typer.BadParameter(message)
    return value


def _check_contact(value: str | None) -> str | None:
    if value is not None and not (value.isascii() and value.isprintable()):
        message = "must be plain ASCII: it becomes a header."
        raise typer.BadParameter(message)
    return value


ListFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        callback=_check_list,
        help="Addresses, one a line; `-` reads standard input.",
    ),
]
OutFolder = Annotated[
    Path, typer.Option(metavar="DIR", file_okay=False, help="Folder to fill, or to go on with.")
]
Retries = Annotated[
    int | None,
    typer.Option(min=0, max=19, help="Further tries after a fault that may pass. [default: 3]"),
]
Contact = Annotated[
    str | None,
    typer.Option(callback=_check_contact, help="Who asks, for webmasters: an address or a page."),
]


def fetch(  # noqa: PLR0913, PLR0917 - one parameter for each option
    file: ListFile,
    out: OutFolder,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=256, help="Requests in flight. [default: 64]")
    ] = None,
    per_host: Annotated[
        int | None, typer.Option(min=1, max=64, help="Requests to one host. [default: 8]")
    ] = None,
    retries: Retries = None,
    max_bytes: Annotated[
        int | None, typer.Option(min=1024, help="Largest image in bytes. [default: 20 MiB]")
    ] = None,
    max_pixels: Annotated[
        int | None, typer.Option(min=1024, help="Largest image in pixels. [default: 50 million]")
    ] = None,
    contact: Contact = None,
    no_opt_out: Annotated[
        bool,
        typer.Option("--no-opt-out", help="Take images of sites that ask not to train on them."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again for what an earlier run rejected.")
    ] = False,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Keep a small JPEG of each image, 256 pixels.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download images into a folder, with a table of what became of every address.

    Each image is verified by decoding it in full and kept once, under the hash of its bytes:
    DIR/images/ab/<sha256>.jpg. DIR/outcomes.parquet has a row for every address. The same command
    again goes on where it was stopped or killed, and asks for nothing twice.
    """
    # The pipeline: half a second of imports that no other verb needs.
    from server.cli import local  # noqa: PLC0415
    from server.cli.fetching.job import Plan, run  # noqa: PLC0415

    given: dict[str, object] = {
        "concurrency": concurrency,
        "per_host": per_host,
        "max_attempts": None if retries is None else retries + 1,
        "max_bytes": max_bytes,
        "max_pixels": max_pixels,
        "contact": contact,
        "respect_opt_out": False if no_opt_out else None,
    }
    settings = local.load(None, fetch={k: v for k, v in given.items() if v is not None})
    report = run(Plan(None if file == STDIN else file, out, settings, thumbnails, not retry_failed))
    if as_json:
        emit_json(report.document())
    else:
        _tell(report)


def _tell(report: Report) -> None:
    rows = [
        (status, "", str(count))
        for status, count in report.statuses.items()
        if status != "rejected"
    ]
    rows += [("rejected", reason, str(count)) for reason, count in report.reasons.items()]
    emit_table(("status", "reason", "addresses"), rows)
    note(
        f"{report.ended} addresses in {report.seconds:.1f} s: {report.images} images, "
        f"{report.images_per_s:.0f} a second"
    )
    if report.earlier or report.repeated:
        note(
            f"{report.earlier} had ended before, {report.repeated} stood in the list more than once"
        )

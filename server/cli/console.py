"""What a person or a script sees: results on stdout, everything else on stderr.

Imports nothing of the project.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from pydantic import JsonValue
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# A log file wants a sign of life, not a line per image.
LINE_EVERY_S = 10.0


def printable(text: str) -> str:
    """Escape what could move the cursor or garble the screen: names come from strangers."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def examples(*lines: str) -> str:
    r"""Return an epilogue with examples, kept line by line (that is what ``\b`` asks for)."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def emit_json(document: JsonValue) -> None:
    """Write the one JSON document of ``--json``; ASCII, so that no locale can garble it."""
    typer.echo(json.dumps(document, indent=2))


def emit(text: str) -> None:
    """Write a line of the result."""
    typer.echo(printable(text))


def note(text: str) -> None:
    """Write a message, not part of the result."""
    typer.echo(printable(text), err=True)


def emit_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table; in a pipe tab-separated without a heading, for ``cut`` and ``awk``.

    No cell is ever wrapped or cut: ids and paths are there to be copied.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in cells:
            typer.echo("\t".join(row))
        return
    lines = [list(columns), *cells]
    widths = [max(cell_len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines if rows else []:
        padded = (set_cell_size(*pair) for pair in zip(line, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


class Reporter:
    """Tells how far something is: a bar on a terminal, else a line now and then."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = progress.add_task("…", total=None) if progress is not None else None
        self._phase = ""
        self._last_at_s = 0.0

    def show(self, phase: str, done: int = 0, total: int | None = None, detail: str = "") -> None:
        """Say that ``done`` of ``total`` steps of a phase are finished.

        Args:
            phase: In a log file, a line comes with each new one, and else now and then.
            done: Steps finished.
            total: Steps in all; None when not known.
            detail: What else there is to say; may change each time.
        """
        phase = printable(phase)
        detail = f" ({printable(detail)})" if detail else ""
        if self._progress is not None and self._task is not None:
            text = f"{phase}{detail} ".replace("[", r"\[")
            self._progress.update(self._task, description=text, completed=done, total=total)
            return
        now_s = time.monotonic()
        if phase != self._phase or now_s - self._last_at_s >= LINE_EVERY_S:
            self._phase, self._last_at_s = phase, now_s
            note((f"{phase} {done}/{total}" if total else phase) + detail)


@contextmanager
def reporting() -> Iterator[Reporter]:
    """Give a reporter that writes to stderr and leaves the terminal tidy."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Reporter(None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Reporter(progress)

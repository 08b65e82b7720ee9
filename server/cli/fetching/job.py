"""One command's work: from the list to the table of outcomes. May import all of fetching."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from server.cli.console import Reporter, note, reporting
from server.cli.errors import CommandError
from server.cli.fetching import journal as journals
from server.cli.fetching import table
from server.cli.fetching.addresses import open_list
from server.cli.fetching.images import ImageFolder
from server.cli.fetching.journal import Journal, Status
from server.cli.fetching.report import Report
from server.cli.fetching.run import Folder, Tally, fetch_list
from server.config import Settings

_LOG_FILE = "fetch.log"


@dataclass(frozen=True)
class Plan:
    """What was asked for.

    Attributes:
        file: The list; None for standard input.
        out: The folder to fill.
        settings: Limits and manners.
        has_thumbnails: Keep thumbnails too.
        is_rejected_final: Leave alone what an earlier run rejected.
    """

    file: Path | None
    out: Path
    settings: Settings
    has_thumbnails: bool
    is_rejected_final: bool


def run(plan: Plan) -> Report:
    """Fetch the list to its end and write the table.

    Stopped by Ctrl-C, it writes the table of what there is.

    Raises:
        CommandError: This machine failed: the disk is full, or the list cannot be read.
        KeyboardInterrupt: It was stopped.
    """
    table.require_parquet()
    outcomes = plan.out / table.FILE_NAME
    with _explained(plan.out):
        plan.out.mkdir(parents=True, exist_ok=True)
        if outcomes.exists() and not (plan.out / journals.FILE_NAME).exists():
            message = f"{outcomes} is there already, and not from a run that could be gone on with."
            raise CommandError(message, "Choose another --out.")
        with closing(Journal.open(plan.out)) as journal, _log_kept(plan.out / _LOG_FILE):
            try:
                with reporting() as reporter:
                    tally = _fetch(plan, journal, reporter)
            except KeyboardInterrupt:
                table.write_table(journal, outcomes)
                note("Stopped; the same command goes on from here.")
                raise
            table.write_table(journal, outcomes)
            journal.mark_whole()
            return _report(plan.out, outcomes, tally, journal)


def _fetch(plan: Plan, journal: Journal, reporter: Reporter) -> Tally:
    reporter.show("reading the list")
    with (
        open_list(plan.file, plan.out) as lines,
        closing(ImageFolder(plan.out, has_thumbnails=plan.has_thumbnails)) as images,
    ):
        if journal.was_interrupted:
            images.sweep(journal.has_image)
            table.sweep(plan.out)

        def show(tally: Tally) -> None:
            done = tally.ended + tally.earlier + tally.repeated
            ends = (f"{tally.statuses[status]} {status}" for status in Status)
            detail = ", ".join((f"{tally.rate_per_s:.0f} a second", *ends))
            reporter.show("fetching", done, lines.line_count - lines.blank_count, detail)

        work = fetch_list(
            lines,
            Folder(journal, images),
            plan.settings,
            show,
            is_rejected_final=plan.is_rejected_final,
        )
        return asyncio.run(work)


def _report(out: Path, outcomes: Path, tally: Tally, journal: Journal) -> Report:
    statuses = dict.fromkeys(map(str, Status), 0)
    reasons: dict[str, int] = {}
    for (status, reason), count in journal.count().items():
        statuses[status] += count
        if reason is not None:
            reasons[str(reason)] = count
    return Report(
        out=out,
        outcomes=outcomes,
        statuses=statuses,
        reasons=dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        ended=tally.ended,
        images=tally.images,
        earlier=tally.earlier,
        repeated=tally.repeated,
        seconds=tally.seconds,
    )


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    """Turn what a disk can do into a sentence."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        message = f"Fetching into {out} failed: {error}."
        raise CommandError(
            message, "What was fetched is kept; the same command goes on."
        ) from error


class _FaultLog(logging.FileHandler):
    """A file that is made with the first line; on a full disk it stays silent."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Leave it: the command itself says that the disk is full."""


@contextmanager
def _log_kept(path: Path) -> Iterator[None]:
    """Keep warnings of the pipeline in a file, away from the progress and the result."""
    handler = _FaultLog(path, encoding="utf-8", delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()

"""One import from beginning to end: read, preview or send, sum up. May import its neighbours.

The summary goes to stdout, what was left out or refused to stderr, a line each up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from server.cli import datasets
from server.cli.console import Reporter, emit, emit_json, emit_table, note, reporting
from server.cli.errors import CommandError
from server.cli.importing.addresses import Address, read_addresses, send_addresses
from server.cli.importing.archive import ZipSource
from server.cli.importing.folder import FolderSource
from server.cli.importing.source import Entry, Listing, Skipped, Source
from server.cli.importing.tally import Tally
from server.cli.importing.upload import Uploader
from server.cli.session import connect
from server.client.transport import Client
from server.client.views import Dataset

# More lines than a screen hide the summary; `--json` has them all.
MAX_LINES = 20


def preview(path: Path, dataset_name: str, *, as_json: bool) -> None:
    """Say what an import would send. Asks no server.

    Raises:
        CommandError: The path holds nothing to import, or can't be read.
    """
    with _opened(path) as (listing, _):
        counts = listing.counts
        if as_json:
            emit_json(
                {
                    "dataset": dataset_name,
                    "dry_run": True,
                    "labels": dict(counts),
                    "total": len(listing.entries),
                    "skipped": _skipped_json(listing.skipped),
                }
            )
            return
        emit_table(("label", "images"), [(label, str(count)) for label, count in counts.items()])
        _note_skipped(listing.skipped)
        note(f"Would send {len(listing.entries)} to dataset `{dataset_name}`. Nothing was sent.")


def run(path: Path, dataset_name: str, *, as_json: bool) -> bool:
    """Import; return whether anything at all was taken.

    Raises:
        CommandError: The path holds nothing to import, or the server can't go on.
    """
    with _opened(path) as (listing, source), connect() as client:
        dataset = _dataset(client, dataset_name)
        with reporting() as reporter:
            tally = _send(client, dataset, listing, source, reporter)
    _note_skipped(listing.skipped)
    if as_json:
        document = {"dataset_id": dataset.id, "dataset": dataset.name, **tally.as_json()}
        emit_json({**document, "skipped": _skipped_json(listing.skipped)})
    else:
        _sum_up(tally, len(listing.skipped), is_list=source is None)
    return not tally.failed


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Listing, Source | None]]:
    """Give what the path holds; without a source when it is a list of addresses."""
    if path.is_dir():
        folder = FolderSource(path)
        yield _not_empty(path, folder.scan()), folder
    elif path.suffix.lower() == ".zip":
        archive = ZipSource(path)
        try:
            yield _not_empty(path, archive.scan()), archive
        finally:
            archive.close()
    elif path.suffix.lower() == ".csv":
        addresses, skipped = read_addresses(path)
        entries = tuple(Entry(address.label, address.url) for address in addresses)
        yield _not_empty(path, Listing(entries, tuple(skipped))), None
    else:
        raise CommandError(f"{path} is neither a folder nor a .zip, .tar or .csv.")


def _not_empty(path: Path, listing: Listing) -> Listing:
    if not listing.entries:
        _note_skipped(listing.skipped)
        raise CommandError(
            f"{path} holds nothing to import.",
            "A folder or zip needs a sub-folder for each label with its images in it; "
            "a CSV needs the columns `url` and `label`.",
        )
    return listing


def _dataset(client: Client, name: str) -> Dataset:
    found = datasets.find_dataset(client, name)
    if found is not None:
        return found
    made = datasets.create_dataset(client, name, None)
    note(f"Made dataset `{made.name}`.")
    return made


def _send(
    client: Client, dataset: Dataset, listing: Listing, source: Source | None, reporter: Reporter
) -> Tally:
    if source is None:
        addresses = [Address(entry.path, entry.label) for entry in listing.entries]
        return send_addresses(client, dataset.id, addresses, reporter)
    datasets.ensure_labels(client, dataset.id, listing.counts)
    uploader = Uploader(client, dataset.id, source)
    try:
        uploader.run(listing.entries, reporter)
    except (CommandError, KeyboardInterrupt):
        left_count = len(listing.entries) - uploader.tally.settled
        note(f"Stopped with {left_count} files to go. The same command again goes on from there.")
        raise
    return uploader.tally


def _sum_up(tally: Tally, skipped_count: int, *, is_list: bool) -> None:
    for one in tally.refused[:MAX_LINES]:
        note(f"refused: {one.name}: {one.reason}{f' ({one.detail})' if one.detail else ''}")
    _note_more(len(tally.refused))
    for one in tally.other_label[:MAX_LINES]:
        note(f"label kept: {one.name}: {one.detail}")
    _note_more(len(tally.other_label))
    emit(f"{tally.added} added, {tally.known} already there")
    if tally.other_label:
        emit(f"{len(tally.other_label)} already there under another label")
    for reason, count in tally.refused_by_reason.items():
        emit(f"{count} refused: {reason}")
    if skipped_count:
        emit(f"{skipped_count} left out")
    if is_list and tally.added:
        note("The server is downloading them: `bowerbird dataset list` shows how far it is.")


def _note_skipped(skipped: Sequence[Skipped]) -> None:
    for one in skipped[:MAX_LINES]:
        note(f"left out: {one.path}: {one.why}")
    _note_more(len(skipped))


def _note_more(count: int) -> None:
    if count > MAX_LINES:
        note(f"… and {count - MAX_LINES} more; --json lists them all.")


def _skipped_json(skipped: Sequence[Skipped]) -> list[JsonValue]:
    return [{"name": one.path, "reason": one.why} for one in skipped]

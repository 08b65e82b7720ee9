"""A CSV of addresses, which the server downloads. May import ``client``, ``source``, ``tally``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue
from ulid import ULID

from server.archives.cells import unguard
from server.archives.names import label_of
from server.cli.console import Reporter
from server.cli.errors import CommandError
from server.cli.importing.source import MAX_FILES, Skipped
from server.cli.importing.tally import Refused, Tally
from server.cli.version import client_name
from server.client.transport import Client
from server.client.views import CaptureResult

# 100,000 addresses of the greatest usual length, 2,000 characters, would be 200 MB; real lists
# stay below a tenth of that.
MAX_CSV_BYTES = 64 * 1024**2
# The server takes at most this many candidates in one capture.
BATCH = 1000
# Its cap of a JSON body is 4 MiB; half of it leaves room for escapes and the rest of the capture.
BATCH_BYTES = 2 * 1024**2
# What browsers and servers agree to carry; the server calls longer ones no address.
MAX_URL_CHARS = 8192


@dataclass(frozen=True)
class Address:
    """An image address with its label."""

    url: str
    label: str


def read_addresses(path: Path) -> tuple[list[Address], list[Skipped]]:
    """Read the columns ``url`` and ``label``; others are ignored, empty lines too.

    A first line without these names is taken as data when it starts with an http(s) address.

    Raises:
        CommandError: The file can't be read, is too large, is not UTF-8, or lacks the columns.
    """
    rows = csv.reader(io.StringIO(_read_text(path), newline=""))
    try:
        return _sort_out(path, rows)
    except csv.Error as error:
        raise CommandError(f"{path}, line {rows.line_num}: {error}.") from error


def send_addresses(
    client: Client, dataset_id: str, addresses: list[Address], reporter: Reporter
) -> Tally:
    """Send the addresses as captures, one label each, at most 1,000 at a time.

    Raises:
        CommandError: The server can't be asked or refuses a whole capture.
    """
    tally = Tally()
    for batch in _batches(addresses):
        result = client.post(f"/datasets/{dataset_id}/captures", CaptureResult, _capture(batch))
        tally.added += result.added
        tally.known += result.known
        for refusal in result.refused:
            url = batch[refusal.index].url if 0 <= refusal.index < len(batch) else "?"
            tally.refused.append(Refused(url, refusal.reason, refusal.detail or ""))
        reporter.show("sending addresses", tally.settled, len(addresses))
    return tally


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CSV_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error
    if len(content) > MAX_CSV_BYTES:
        raise CommandError(f"{path} is larger than 64 MiB.", "Import it in parts.")
    try:
        return content.decode("utf-8-sig")  # spreadsheets put a byte order mark in front
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CommandError(f"{path}, line {line}: not UTF-8.", "Save it as CSV UTF-8.") from error


def _sort_out(path: Path, rows: Iterator[list[str]]) -> tuple[list[Address], list[Skipped]]:
    first = next(rows, [])
    names = [name.strip().lower() for name in first]
    if "url" in names and "label" in names:
        url_at, label_at, start, pending = names.index("url"), names.index("label"), 2, rows
    elif len(first) > 1 and first[0].strip().lower().startswith(("http://", "https://")):
        url_at, label_at, start, pending = 0, 1, 1, _with_first(first, rows)
    else:
        raise CommandError(f"{path} needs the columns `url` and `label` in its first line.")
    addresses: list[Address] = []
    skipped: list[Skipped] = []
    for number, row in enumerate(pending, start):
        if number > MAX_FILES:
            raise CommandError(f"{path} has more than {MAX_FILES:,} lines.", "Import it in parts.")
        if not any(cell.strip() for cell in row):
            continue
        found = _address(row, url_at, label_at)
        if found is None:
            skipped.append(Skipped(f"line {number}", "no usable address, or no usable label"))
        else:
            addresses.append(found)
    return addresses, skipped


def _with_first(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def _address(row: list[str], url_at: int, label_at: int) -> Address | None:
    if len(row) <= max(url_at, label_at):
        return None
    url, label = row[url_at].strip(), label_of(unguard(row[label_at].strip()))
    is_address = 0 < len(url) <= MAX_URL_CHARS and url.isprintable()
    return Address(url, label) if is_address and label is not None else None


def _batches(addresses: list[Address]) -> Iterator[list[Address]]:
    """Yield batches of one label each, labels in the order of the file, within both caps."""
    by_label: dict[str, list[Address]] = {}
    for address in addresses:
        by_label.setdefault(address.label, []).append(address)
    for group in by_label.values():
        batch: list[Address] = []
        size_bytes = 0
        for address in group:
            added_bytes = len(address.url.encode())
            if len(batch) == BATCH or size_bytes + added_bytes > BATCH_BYTES:
                yield batch
                batch, size_bytes = [], 0
            batch.append(address)
            size_bytes += added_bytes
        yield batch


def _capture(batch: list[Address]) -> dict[str, JsonValue]:
    # A new key each time: the same list again is answered with "already there", image by image.
    return {
        "capture_key": str(ULID()),
        "label": batch[0].label,
        "captured_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "client": client_name(),
        "candidates": [{"url": address.url, "rank": rank} for rank, address in enumerate(batch)],
    }

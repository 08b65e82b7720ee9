"""Import a table of addresses: they become queued images, with captures of their own."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from server.archives.names import label_of, shown
from server.archives.refusals import EntryFlaw
from server.archives.tables import Row, read_rows
from server.contract.files import sha256_of_file
from server.db.session import Database
from server.net import urls
from server.net.sites import kept_out
from server.reasons import Reason
from server.repositories import captures, sites
from server.services.captures import Candidate, Capture, CaptureService
from server.services.imports_report import ImportReport

# Rows read ahead to be sorted by label: a capture has one.
_CHUNK_ROWS: Final = 5000
_CAPTURE_ROWS: Final = 1000  # as the API takes them
_COLUMNS: Final = (("url", "image_url"), ("label", "class"))
_CLIENT: Final = "import"


@dataclass(frozen=True, slots=True)
class _Address:
    """A row with an address and, where it has one, a label."""

    path: str
    number: int
    url: str
    label: str | None


class AddressImporter:
    """Adds the addresses of tables to datasets."""

    def __init__(self, database: Database, taker: CaptureService) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._captures = taker

    async def run(self, dataset_id: str, path: Path, *, dry_run: bool) -> ImportReport:
        """Import a table, or say what that would do.

        It is read to its end before the first row is taken.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            ImportRefusedError: The table is no proper CSV; nothing is added.
        """
        report = ImportReport("csv", dry_run)
        report.found = await asyncio.to_thread(_count_rows, path)
        digest = await asyncio.to_thread(sha256_of_file, path)
        with path.open("rb") as file:
            rows = read_rows(file, _COLUMNS, is_bare_ok=True)
            addresses = _read_addresses(rows, report)
            seen: set[str] = set()
            while chunk := await asyncio.to_thread(lambda: list(islice(addresses, _CHUNK_ROWS))):
                for batch in _batches(chunk):
                    if dry_run:
                        await self._look_up(dataset_id, batch, report, seen)
                    else:
                        await self._take(dataset_id, batch, report, digest)
        return report

    async def _take(
        self, dataset_id: str, batch: Sequence[_Address], report: ImportReport, digest: str
    ) -> None:
        """Store one capture; under the same key a table imported twice makes no second one."""
        key = _capture_key(batch, digest)
        async with self._database.read() as session:
            is_repeated = await captures.find_by_key(session, dataset_id, key) is not None
        record = await self._captures.take(dataset_id, _capture(batch, key))
        for refusal in record.refused:
            report.refuse(batch[refusal["index"]].path, refusal["reason"], refusal["detail"])
        taken = len(batch) - len(record.refused)
        added = 0 if is_repeated else record.added_count
        report.added += added
        report.known += taken - added
        if taken:
            report.labels[batch[0].label or ""] += taken

    async def _look_up(
        self, dataset_id: str, batch: Sequence[_Address], report: ImportReport, seen: set[str]
    ) -> None:
        """Say what `_take` would do."""
        found = await self._captures.find_known(dataset_id, [address.url for address in batch])
        async with self._database.read() as session:
            blocked = await sites.read_blocked(session)
        for place, address in enumerate(batch):
            try:
                key = urls.normalise(address.url)
            except urls.BadUrlError as error:
                report.refuse(address.path, Reason.BAD_URL, str(error))
                continue
            if (site := blocked.find_by_address(key)) is not None:
                report.refuse(address.path, Reason.OPT_OUT, kept_out(site))
                continue
            if place in found or key in seen:
                held = found[place].label if place in found else address.label
                report.know(address.path, address.label, held)
            else:
                report.add(address.label)
            seen.add(key)


def _count_rows(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in read_rows(file, _COLUMNS, is_bare_ok=True))


def _read_addresses(rows: Iterator[Row], report: ImportReport) -> Iterator[_Address]:
    """Yield the rows that can be an image; the others go to the report."""
    for row in rows:
        url, text = row.cells
        path = f"line {row.number}: {shown(url)}" if url else f"line {row.number}"
        label = label_of(text) if text else None
        if not url:
            report.refuse(path, EntryFlaw.BAD_ROW, "it has no address")
        elif text and label is None:
            report.refuse(path, EntryFlaw.BAD_LABEL, "its label can't be one")
        else:
            yield _Address(path, row.number, url, label)


def _batches(addresses: Sequence[_Address]) -> Iterator[Sequence[_Address]]:
    """Yield those of one label together, at most as many as a capture takes."""
    by_label: defaultdict[str | None, list[_Address]] = defaultdict(list)
    for address in addresses:
        by_label[address.label].append(address)
    for group in by_label.values():
        for start in range(0, len(group), _CAPTURE_ROWS):
            yield group[start : start + _CAPTURE_ROWS]


def _capture_key(batch: Sequence[_Address], digest: str) -> str:
    label = hashlib.sha256((batch[0].label or "").encode()).hexdigest()[:16]
    return f"import:{digest[:32]}:{batch[0].number}:{label}"


def _capture(batch: Sequence[_Address], key: str) -> Capture:
    return Capture(
        capture_key=key,
        label=batch[0].label,
        candidates=[Candidate(url=address.url) for address in batch],
        captured_at=datetime.now(UTC),
        client=_CLIENT,
    )

"""What happened to one image: seen, tried, settled, and what persons did to it since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.db.models import CaptureRecord, ImageRecord, SightingRecord
from server.db.session import Database
from server.repositories import actions, images, queue
from server.repositories.actions import Change

_MOST_ATTEMPTS = 100  # the last ones; more than a person tries by hand
_GOT = "ok"  # a try that brought the bytes; else its reason


class Kind(StrEnum):
    """What happened."""

    CAPTURED = "captured"
    TRIED = "tried"
    SETTLED = "settled"
    LABELLED = "labelled"
    EXCLUDED = "excluded"
    INCLUDED = "included"
    REVIEWED = "reviewed"
    UNREVIEWED = "unreviewed"
    UNDONE = "undone"


@dataclass(frozen=True)
class Entry:
    """One thing that happened to an image.

    Attributes:
        before: What was; depends on the kind.
        after: What is since then.
        action_id: By which it can be undone; None of what no person did here.
    """

    at: datetime
    kind: Kind
    before: str | bool | None = None
    after: str | bool | None = None
    action_id: str | None = None


class HistoryService:
    """Tell what happened to an image."""

    def __init__(self, database: Database) -> None:
        """Keep where to read."""
        self._database = database

    async def show(self, image_id: str) -> list[Entry]:
        """Return what is known to have happened to the image, oldest first.

        Raises:
            ImageNotFoundError: No image has this id.
        """
        async with self._database.read() as session:
            record = await images.get(session, image_id)
            sightings = await images.list_sightings(session, image_id)
            attempts = await queue.list_attempts(session, image_id, _MOST_ATTEMPTS)
            changes = await actions.list_changes(session, image_id)
        entries = list(_captured(record, sightings))
        entries += [Entry(a.started_at, Kind.TRIED, after=a.reason or _GOT) for a in attempts]
        if record.settled_at is not None:
            entries.append(Entry(record.settled_at, Kind.SETTLED, after=record.status))
        for change in changes:
            entries += _done(change)
        return sorted(entries, key=lambda entry: entry.at)


def _captured(
    record: ImageRecord, sightings: Sequence[tuple[SightingRecord, CaptureRecord]]
) -> Iterator[Entry]:
    for _sighting, capture in sightings:
        yield Entry(capture.captured_at, Kind.CAPTURED, after=capture.page_url)
    if not sightings:
        yield Entry(record.created_at, Kind.CAPTURED, after=record.source_url)


def _done(change: Change) -> Iterator[Entry]:
    action, record = change.action, change.record
    steps: list[tuple[Kind, str | bool | None, str | bool | None]] = []
    if record.from_label_id != record.to_label_id:
        steps.append((Kind.LABELLED, change.from_label, change.to_label))
    if record.from_excluded != record.to_excluded:
        kind = Kind.EXCLUDED if record.to_excluded else Kind.INCLUDED
        steps.append((kind, record.from_excluded, record.to_excluded))
    if record.from_reviewed_at != record.to_reviewed_at:
        kind = Kind.UNREVIEWED if record.to_reviewed_at is None else Kind.REVIEWED
        steps.append((kind, _text(record.from_reviewed_at), _text(record.to_reviewed_at)))
    for kind, before, after in steps:
        yield Entry(action.created_at, kind, before, after, action.id)
        if record.undone_at is not None:
            yield Entry(record.undone_at, Kind.UNDONE, after, before, action.id)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()

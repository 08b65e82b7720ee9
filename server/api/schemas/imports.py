"""Imports."""

from __future__ import annotations

from server.api.schemas.base import ReplyModel


class RefusedEntryOut(ReplyModel):
    """An entry that was not taken, and why."""

    path: str
    reason: str
    detail: str


class OtherLabelOut(ReplyModel):
    """Bytes that the dataset has under another label, which is kept."""

    path: str
    label: str | None
    kept: str | None


class ImportOut(ReplyModel):
    """What became of an import, or would; the lists hold the first 10,000.

    ``labels`` counts what was added and what was known, under ``""`` what has no label.
    """

    format: str
    dry_run: bool
    found: int
    added: int
    known: int
    skipped: int
    refused: list[RefusedEntryOut]
    refused_count: int
    reasons: dict[str, int]
    other_label: list[OtherLabelOut]
    other_label_count: int
    labels: dict[str, int]

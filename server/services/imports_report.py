"""What became of an import: every entry ends in exactly one of its counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

# Each takes some 300 bytes of JSON; the counts by reason have all of them.
MAX_LISTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """An entry that was not taken.

    Attributes:
        path: Within the archive, or the line of a table; printable, capped.
        reason: Of `server.reasons.Reason` or `server.archives.refusals.EntryFlaw`.
        detail: One sentence for a person.
    """

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class OtherLabel:
    """Bytes that the dataset holds under another label than the import gives; it is kept.

    Attributes:
        label: What the import says; None for nothing.
        kept: What the dataset says; None for nothing.
    """

    path: str
    label: str | None
    kept: str | None


@dataclass
class ImportReport:
    """Counts as they come in.

    Attributes:
        format: ``zip``, ``tar`` or ``csv``.
        dry_run: Nothing was changed; the counts say what would have been.
        found: Images or addresses in the file.
        added: New to the dataset.
        known: There already, or twice in the file.
        skipped: Hidden files and documents, which are no images.
        refused: The first of those that were not taken.
        refused_count: All of them.
        reasons: All of them, by reason.
        other_label: Of the known, the first of those that are there under another label.
        labels: Images that are taken, added and known, by label; those without under ``""``.
    """

    format: str
    dry_run: bool
    found: int = 0
    added: int = 0
    known: int = 0
    skipped: int = 0
    refused: list[RefusedEntry] = field(default_factory=list)
    refused_count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    other_label: list[OtherLabel] = field(default_factory=list)
    other_label_count: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def refuse(self, path: str, reason: str, detail: str) -> None:
        """Count an entry that is not taken."""
        self.refused_count += 1
        self.reasons[reason] += 1
        if len(self.refused) < MAX_LISTED:
            self.refused.append(RefusedEntry(path, reason, detail))

    def add(self, label: str | None) -> None:
        """Count an image that is new."""
        self.added += 1
        self.labels[label or ""] += 1

    def know(self, path: str, label: str | None, kept: str | None) -> None:
        """Count an image that is there already."""
        self.known += 1
        self.labels[label or ""] += 1
        if label is not None and label != kept:
            self.other_label_count += 1
            if len(self.other_label) < MAX_LISTED:
                self.other_label.append(OtherLabel(path, label, kept))

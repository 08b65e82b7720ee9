"""What became of an import: every file or address ends in exactly one of its lists."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True)
class Refused:
    """A file or address the server did not take."""

    name: str
    reason: str
    detail: str


@dataclass
class Tally:
    """Counts as they come in; filled by one thread."""

    added: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)
    # Bytes that the dataset already holds under another label: the label there is kept.
    other_label: list[Refused] = field(default_factory=list)

    @property
    def settled(self) -> int:
        """Return how many were settled, one way or another."""
        return self.added + self.known + len(self.refused) + len(self.other_label)

    @property
    def failed(self) -> bool:
        """Return whether nothing at all was taken."""
        return self.settled > 0 and len(self.refused) == self.settled

    @property
    def refused_by_reason(self) -> dict[str, int]:
        """Return how many were refused, commonest reason first."""
        return dict(Counter(one.reason for one in self.refused).most_common())

    def as_json(self) -> dict[str, JsonValue]:
        """Return the members that ``dataset import --json`` adds to its document."""
        return {
            "added": self.added,
            "already_there": self.known,
            "other_label": [{"name": one.name, "detail": one.detail} for one in self.other_label],
            "refused": dict(self.refused_by_reason),
            "refused_items": [
                {"name": one.name, "reason": one.reason, "detail": one.detail}
                for one in self.refused
            ],
        }

"""What a run says of itself at its end. Imports nothing of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue


@dataclass(frozen=True)
class Report:
    """The sums of a run, and of its folder.

    Attributes:
        out: The folder.
        outcomes: The table in it.
        statuses: Addresses of the folder by status, all three of them: of this run and of earlier
            ones, as in the table.
        reasons: Rejected addresses of the folder by reason, the most frequent first.
        ended: Addresses that ended in this run.
        images: Those of them that gave an image.
        earlier: Lines whose address an earlier run had ended.
        repeated: Lines whose address this run had met before.
        seconds: This run took, starting and writing the table not counted.
    """

    out: Path
    outcomes: Path
    statuses: Mapping[str, int]
    reasons: Mapping[str, int]
    ended: int
    images: int
    earlier: int
    repeated: int
    seconds: float

    @property
    def images_per_s(self) -> float:
        """Images of this run a second; 0 when it took no time that the clock could tell."""
        return self.images / self.seconds if self.seconds else 0.0

    def document(self) -> JsonValue:
        """Return what ``--json`` prints."""
        return {
            "out": str(self.out),
            "outcomes": str(self.outcomes),
            "status": dict(self.statuses),
            "reasons": dict(self.reasons),
            "ended": self.ended,
            "earlier": self.earlier,
            "repeated": self.repeated,
            "seconds": round(self.seconds, 3),
            "images_per_s": round(self.images_per_s, 1),
        }

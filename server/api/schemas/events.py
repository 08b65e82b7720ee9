"""What the stream of a dataset says, and a plain reading of the same."""

from __future__ import annotations

from datetime import datetime

from server.api.schemas.base import ReplyModel
from server.api.schemas.datasets import DatasetOut
from server.contract.jobs import JobView


class JobsOut(ReplyModel):
    """The newest jobs of a dataset, whole."""

    items: list[JobView]


class BriefOut(ReplyModel):
    """What may change of an image."""

    id: str
    status: str
    reason: str | None
    label: str | None
    excluded: bool
    reviewed_at: datetime | None
    version: int
    sha256: str | None


class BriefsOut(ReplyModel):
    """Images that were settled or changed, as they are now, the oldest first.

    Null when that is not known: too many were, or too long ago. Then lists are to be read again.
    Images that are gone are missing.
    """

    items: list[BriefOut] | None


class ChangesOut(ReplyModel):
    """A dataset as it is now, and its images that changed since an event."""

    id: str
    counts: DatasetOut
    jobs: JobsOut
    images: BriefsOut

"""The nightly refresh."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from server.api.schemas.base import ReplyModel, RequestModel
from server.db.refresh_models import RefreshState
from server.services.refresh import DEFAULT_HOUR, DEFAULT_LEAST, RefreshView, RefreshWish


class RefreshIn(RequestModel):
    """What is wished; ``hour`` is of the server's local time."""

    is_on: bool
    hour: int = Field(DEFAULT_HOUR, ge=0, le=23)
    least_new_count: int = Field(DEFAULT_LEAST, ge=1, le=1_000_000)

    def wish(self) -> RefreshWish:
        """Return what the service is asked for."""
        return RefreshWish(self.is_on, self.hour, self.least_new_count)


class RefreshRunOut(ReplyModel):
    """A run. ``sentence``: what came of it; ``comparison``: with the live model of that moment."""

    id: str
    state: RefreshState
    is_asked: bool
    new_count: int | None
    snapshot_id: str | None
    job_id: str | None
    model_id: str | None
    sentence: str | None
    comparison: dict[str, Any] | None
    created_at: datetime
    finished_at: datetime | None


class RefreshOut(ReplyModel):
    """What is wished of a dataset, how many images are new, and its last runs, newest first."""

    is_on: bool
    hour: int
    least_new_count: int
    new_count: int
    runs: list[RefreshRunOut]

    @classmethod
    def of(cls, view: RefreshView) -> RefreshOut:
        """Return it as the API shows it."""
        return cls(
            is_on=view.wish.is_on,
            hour=view.wish.hour,
            least_new_count=view.wish.least_new_count,
            new_count=view.new_count,
            runs=[RefreshRunOut.model_validate(run) for run in view.runs],
        )

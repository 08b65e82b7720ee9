"""Datasets and labels."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, model_validator

from server.api.schemas.base import Id, LabelName, Name, ReplyModel, RequestModel
from server.services.datasets import DatasetView, LabelView


class DatasetIn(RequestModel):
    """A dataset to make."""

    name: Name
    description: str = Field("", max_length=4000)


class DatasetPatch(RequestModel):
    """What to change on a dataset."""

    name: Name | None = None
    description: str | None = Field(None, max_length=4000)


class LabelCountsOut(ReplyModel):
    """Images under a label."""

    total: int
    ready: int


class DatasetCountsOut(ReplyModel):
    """Images of a dataset, by status and by label."""

    total: int
    excluded: int
    status: dict[str, int]
    labels: dict[str, LabelCountsOut]


class DatasetOut(ReplyModel):
    """A dataset. While it is ``paused``, its queued images stay queued."""

    id: str
    name: str
    description: str
    paused: bool
    created_at: datetime
    counts: DatasetCountsOut
    live_model_id: str | None

    @classmethod
    def of(cls, view: DatasetView) -> DatasetOut:
        """Return the dataset as the API shows it."""
        record = view.record
        return cls(
            id=record.id,
            name=record.name,
            description=record.description,
            paused=record.paused,
            created_at=record.created_at,
            counts=DatasetCountsOut.model_validate(view.counts),
            live_model_id=view.live_model_id,
        )


class LabelIn(RequestModel):
    """A label to make."""

    name: LabelName


class LabelPatch(RequestModel):
    """A new name, or another label that takes this one's images."""

    name: LabelName | None = None
    merge_into: Id | None = None

    @model_validator(mode="after")
    def _one_of(self) -> LabelPatch:
        if (self.name is None) == (self.merge_into is None):
            raise ValueError("give either name or merge_into")
        return self


class LabelOut(ReplyModel):
    """A label."""

    id: str
    name: str
    dataset_id: str
    total: int
    ready: int

    @classmethod
    def of(cls, view: LabelView) -> LabelOut:
        """Return the label as the API shows it."""
        record = view.record
        return cls(
            id=record.id,
            name=record.name,
            dataset_id=record.dataset_id,
            total=view.counts.total,
            ready=view.counts.ready,
        )

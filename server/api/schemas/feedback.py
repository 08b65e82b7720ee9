"""Feedback on answers, and what becomes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field

from server.api.schemas.base import MAX_URL_CHARS, Id, LabelName, ReplyModel, RequestModel
from server.db.feedback_models import FeedbackRecord, FeedbackState

MAX_NOTE_CHARS = 500


class FeedbackIn(BaseModel):
    """What somebody says of an answer, as a form.

    ``predicted``: the answer's label; left out where the model abstained. ``label``: what the
    picture shows, where the answer is wrong; left out when it is none of the classes, or not said.
    The picture is sent as ``file`` or named by ``url``; by ``sha256`` alone it is only counted.
    """

    model_config = ConfigDict(extra="forbid")

    model_id: Id
    is_right: bool
    predicted: LabelName | None = None
    label: LabelName | None = None
    note: Annotated[str | None, Field(max_length=MAX_NOTE_CHARS)] = None
    url: Annotated[str | None, Field(max_length=MAX_URL_CHARS, pattern="^https?://")] = None
    sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None
    file: UploadFile | None = None


class AcceptIn(RequestModel):
    """Under which label to take a picture over; as it was said, when left out."""

    label: LabelName | None = None


class FeedbackOut(ReplyModel):
    """What somebody said of an answer. ``image_id``: what it became in the dataset."""

    id: str
    dataset_id: str
    model_id: str
    sha256: str
    has_picture: bool
    is_right: bool
    predicted: str | None
    label: str | None
    note: str | None
    source_url: str | None
    state: FeedbackState
    image_id: str | None
    created_at: datetime
    decided_at: datetime | None

    @classmethod
    def of(cls, record: FeedbackRecord) -> FeedbackOut:
        """Return the feedback as the API shows it."""
        values = {name: getattr(record, name, None) for name in cls.model_fields}
        return cls.model_validate(values | {"has_picture": record.bytes is not None})

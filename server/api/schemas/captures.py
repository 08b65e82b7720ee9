"""Captures and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import Field

from server.api.schemas.base import (
    HintShort,
    HintSize,
    HintText,
    HintUrl,
    LabelName,
    ReplyModel,
    RequestModel,
    cut,
)
from server.contract.schema import UtcDatetime
from server.db.models import CaptureRecord, ImageStatus
from server.repositories.held import Held
from server.services.captures import Candidate, Capture

MAX_CANDIDATES = 1000  # no results page shows more; larger collections come in several captures


class CandidateIn(RequestModel):
    """An image address seen on a page. Only the address must be right."""

    url: str  # of any length and form: an odd one is refused alone, not the capture
    source_url: HintUrl = None
    thumbnail_url: HintUrl = None
    title: HintText = None
    width: HintSize = None
    height: HintSize = None
    rank: Annotated[int | None, Field(ge=0, le=1_000_000)] = None
    license: HintShort = None


class CaptureIn(RequestModel):
    """One act of collecting."""

    capture_key: str = Field(min_length=1, max_length=100)
    label: LabelName | None = None
    page_url: HintUrl = None
    page_title: HintText = None
    engine: Annotated[str | None, cut(50)] = None
    query: HintText = None
    captured_at: UtcDatetime
    client: HintShort = None
    candidates: list[CandidateIn] = Field(max_length=MAX_CANDIDATES)

    def to_capture(self) -> Capture:
        """Return the capture as the service takes it."""
        values = self.model_dump(exclude={"candidates"})
        candidates = [Candidate(**c.model_dump()) for c in self.candidates]
        return Capture(candidates=candidates, **values)


class RefusalOut(ReplyModel):
    """A candidate that cannot be an image's address."""

    index: int
    reason: str
    detail: str


class CaptureResult(ReplyModel):
    """What became of a capture's candidates."""

    capture_id: str
    added: int
    known: int
    refused: list[RefusalOut]

    @classmethod
    def of(cls, record: CaptureRecord) -> CaptureResult:
        """Return what became of the capture."""
        return cls(
            capture_id=record.id,
            added=record.added_count,
            known=record.known_count,
            refused=[RefusalOut.model_validate(refusal) for refusal in record.refused],
        )


class CaptureOut(ReplyModel):
    """A capture."""

    id: str
    capture_key: str
    label: str | None
    page_url: str | None
    page_title: str | None
    engine: str | None
    query: str | None
    captured_at: datetime
    received_at: datetime
    client: str | None
    added: int
    known: int
    refused_count: int

    @classmethod
    def of(cls, labelled: tuple[CaptureRecord, str | None]) -> CaptureOut:
        """Return a capture, with its label's name, as the API shows it."""
        record, label = labelled
        values = {name: getattr(record, name, None) for name in cls.model_fields}
        values |= {
            "label": label,
            "added": record.added_count,
            "known": record.known_count,
            "refused_count": len(record.refused),
        }
        return cls.model_validate(values)


class KnownIn(RequestModel):
    """Addresses to ask for."""

    urls: list[str] = Field(max_length=500)


class HeldOut(ReplyModel):
    """An image that the dataset has under an address; ``index`` is the address's place."""

    index: int
    id: str
    label: str | None
    status: ImageStatus
    excluded: bool


class KnownOut(ReplyModel):
    """The places of those that the dataset has, and what it has there, both in order."""

    known: list[int]
    images: list[HeldOut]

    @classmethod
    def of(cls, found: Mapping[int, Held]) -> KnownOut:
        """Return what was found as the API shows it."""
        images = [HeldOut(index=index, **asdict(held)) for index, held in found.items()]
        return cls(known=list(found), images=images)

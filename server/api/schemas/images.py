"""Images and changes to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field

from server.api.schemas.base import Id, LabelName, ReplyModel, RequestModel
from server.db.models import (
    AttemptRecord,
    CaptureRecord,
    ImageRecord,
    ObtainedBy,
    SightingRecord,
)
from server.media.hints import HintName, find_hints
from server.media.quality import Quality
from server.reasons import Reason
from server.services.actions import ImageChange
from server.services.images import ImageView


class QualityOut(ReplyModel):
    """Measures of a picture at thumbnail size: luma in 0..1, sharpness in 0..1020, 0..8 bits."""

    luma_p99: float
    luma_p05: float
    sharpness: float
    entropy_bits: float


class HintOut(ReplyModel):
    """What may be wrong with a picture: its ``score`` is beyond the ``threshold``."""

    name: HintName
    score: float
    threshold: float


class ImageOut(ReplyModel):
    """An image.

    Sizes are in pixels; ``width`` and ``height`` are the real ones, upright. ``http_status`` is
    that of the last answer the server itself got; ``obtained_by`` says how its bytes came, null
    without any. ``version`` goes up with every change of the label, of ``excluded`` or of the
    review. Images that look alike share a ``near_group``; ``near_count`` is how many ready ones of
    the dataset do, itself included.
    """

    id: str
    dataset_id: str
    label: str | None
    status: str
    reason: str | None
    detail: str | None
    http_status: int | None
    obtained_by: ObtainedBy | None
    excluded: bool
    reviewed_at: datetime | None
    url: str | None
    final_url: str | None
    source_url: str | None
    thumbnail_url: str | None
    title: str | None
    declared_width: int | None
    declared_height: int | None
    license: str | None
    sha256: str | None
    bytes: int | None
    width: int | None
    height: int | None
    format: str | None
    near_group: str | None
    near_count: int | None
    quality: QualityOut | None
    hints: list[HintOut]
    duplicate_of: str | None
    attempts: int
    version: int
    created_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, view: ImageView) -> ImageOut:
        """Return the image as the API shows it."""
        return cls.model_validate(_image_values(view))

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> ImageOut:
        """Return an image of a list as the API shows it."""
        return cls.model_validate(dict(row) | _looks(row))


class SightingOut(ReplyModel):
    """Where an image was seen."""

    capture_id: str
    engine: str | None
    query: str | None
    page_url: str | None
    page_title: str | None
    rank: int | None
    captured_at: datetime
    source_url: str | None
    title: str | None


class AttemptOut(ReplyModel):
    """One try of the server to get an image's bytes.

    ``bytes`` is how much came, ``declared_bytes`` what the answer claimed; ``downgraded`` that a
    redirect led from https to http. The reason is null when the bytes were had. ``etag`` and
    ``last_modified`` name bytes that were refused; a status of 304 says that the server has no
    others, and that they were not sent again.
    """

    number: int
    started_at: datetime
    seconds: float
    reason: Reason | None
    http_status: int | None
    bytes: int
    declared_bytes: int | None
    final_url: str | None
    downgraded: bool
    detail: str | None
    etag: str | None
    last_modified: str | None


class ImageDetailOut(ImageOut):
    """An image with where it was seen and the last tries to get it, each oldest first.

    ``train_only``: it came by feedback, so that no snapshot has it on the validation side.
    """

    train_only: bool
    sightings: list[SightingOut]
    attempts_log: list[AttemptOut]

    @classmethod
    def with_story(
        cls,
        view: ImageView,
        sightings: Sequence[tuple[SightingRecord, CaptureRecord]],
        attempts: Sequence[AttemptRecord],
    ) -> ImageDetailOut:
        """Return the image, its sightings and its attempts as the API shows them."""
        seen = [
            SightingOut(
                capture_id=capture.id,
                engine=capture.engine,
                query=capture.query,
                page_url=capture.page_url,
                page_title=capture.page_title,
                rank=sighting.rank,
                captured_at=capture.captured_at,
                source_url=sighting.source_url,
                title=sighting.title,
            )
            for sighting, capture in sightings
        ]
        log = [AttemptOut.model_validate(attempt) for attempt in attempts]
        more = {"sightings": seen, "attempts_log": log, "train_only": view.record.train_only}
        return cls.model_validate(_image_values(view) | more)


# Asked once of the class: a page asks it of 500 records.
_OF_RECORD: Final = [name for name in ImageOut.model_fields if hasattr(ImageRecord, name)]
_MEASURED: Final = ("bytes", "width", "height", "format", "near_group")


def _image_values(view: ImageView) -> dict[str, object]:
    record, blob = view.record, view.blob
    values: dict[str, object] = {name: getattr(record, name) for name in _OF_RECORD}
    measures = _MEASURED + tuple(QualityOut.model_fields)
    values |= {name: getattr(blob, name) if blob else None for name in measures}
    return values | _looks(values) | {"label": view.label, "near_count": view.near_count}


def _looks(row: Mapping[str, Any]) -> dict[str, object]:
    """Return the quality of an image and the hints on it, from the columns of its blob."""
    if row["width"] is None:
        return {"quality": None, "hints": []}
    measures = [row[name] for name in QualityOut.model_fields]
    quality = None if None in measures else Quality(*measures)
    return {"quality": quality, "hints": find_hints(quality, row["width"], row["height"])}


MAX_BULK: Final = 1000


class ImagePatch(RequestModel):
    """What to change on an image; a label by the name of one that the dataset has."""

    label: LabelName | None = None
    excluded: bool | None = None
    reviewed: bool | None = None

    def to_change(self) -> ImageChange:
        """Return the change as the service takes it."""
        return ImageChange(self.label, self.excluded, self.reviewed)


class BulkIn(RequestModel):
    """A change to several images.

    With ``versions``, images that have another version by now are left.
    """

    ids: list[Id] = Field(min_length=1, max_length=MAX_BULK)
    set: ImagePatch
    versions: dict[Id, int] | None = Field(None, max_length=MAX_BULK)


class RetryIn(RequestModel):
    """Which rejected images to queue again: what is not given narrows nothing.

    ``host`` is that of the image's address, whole and in lower case.
    """

    reason: Reason | None = None
    host: Annotated[str | None, Field(min_length=1, max_length=253)] = None


class RetryOut(ReplyModel):
    """How many images were queued again."""

    queued: int

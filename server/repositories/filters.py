"""Which images of a dataset a list holds, and in which order: conditions, each along an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Float, cast, func, or_, select, text
from sqlalchemy.orm import aliased
from ulid import ULID

from server.db.joins import OrderedJoin
from server.db.models import (
    BlobRecord,
    CaptureRecord,
    ImageRecord,
    LabelRecord,
    SightingRecord,
)
from server.media.hints import LIMITS, HintName, Measure
from server.repositories.obtainable import ObtainableBy, obtainable

_ULID_TIME_CHARS: Final = 10  # of 26; the rest is random


class ImageSort(StrEnum):
    """Which of a dataset's images comes first.

    By a measure, only images that have been measured are listed, the lowest first; each has its
    exact reverse.
    """

    OLDEST = "oldest"
    NEWEST = "newest"
    LUMA_P99 = "luma_p99"
    LUMA_P99_DOWN = "-luma_p99"
    LUMA_P05 = "luma_p05"
    LUMA_P05_DOWN = "-luma_p05"
    SHARPNESS = "sharpness"
    SHARPNESS_DOWN = "-sharpness"
    ENTROPY_BITS = "entropy_bits"
    ENTROPY_BITS_DOWN = "-entropy_bits"
    ASPECT = "aspect"
    ASPECT_DOWN = "-aspect"
    SIZE = "size"
    SIZE_DOWN = "-size"

    @property
    def is_down(self) -> bool:
        """Whether the newest, or the highest, comes first."""
        return self is ImageSort.NEWEST or self.value.startswith("-")

    @property
    def measure(self) -> ColumnElement[float] | None:
        """What of the blob it goes by; None by age."""
        return _SORT_KEYS.get(self.value.removeprefix("-"))


def _measures(blob: Any) -> dict[Measure, Any]:
    """Return the measures of ``BlobRecord`` or an alias of it, as columns."""
    # SQLite's max and min of several values are functions of a row.
    short, long = func.min(blob.width, blob.height), func.max(blob.width, blob.height)
    return {
        Measure.LUMA_P99: blob.luma_p99,
        Measure.LUMA_P05: blob.luma_p05,
        Measure.SHARPNESS: blob.sharpness,
        Measure.ENTROPY_BITS: blob.entropy_bits,
        Measure.ASPECT: cast(long, Float) / short,
        Measure.SHORT_SIDE_PX: short,
    }


_SORT_KEYS: Final[dict[str, Any]] = {
    measure.value: column
    for measure, column in _measures(BlobRecord).items()
    if measure is not Measure.SHORT_SIDE_PX
} | {"size": BlobRecord.width * BlobRecord.height}
# Of its own, beside the one that lists join for what they show.
_HELD: Final = aliased(BlobRecord)


@dataclass(frozen=True)
class ImageFilter:
    """Which images of a dataset to list, and how; None means any.

    Attributes:
        obtainable: Only rejected ones that could still be had in this way.
        q: Text that the title, an address or the sha256 holds.
        engine: Of a capture in which they were seen; so is ``query``.
        site: The host of their address or of their page.
        min_px: The least that their shorter side has, in pixels.
        max_px: The most.
        captured_from: When the server first heard of them, at the earliest.
        captured_before: And before when.
        members: Only ready images with these bytes: a JSON list of sha256.
        near_group: Those that look like each other.
        hint: What may be wrong with them.
        sort: In which order.
    """

    label: str | None = None
    status: str | None = None
    reason: str | None = None
    excluded: bool | None = None
    sha256: str | None = None
    obtainable: ObtainableBy | None = None
    q: str | None = None
    engine: str | None = None
    query: str | None = None
    site: str | None = None
    min_px: int | None = None
    max_px: int | None = None
    captured_from: datetime | None = None
    captured_before: datetime | None = None
    reviewed: bool | None = None
    members: str | None = None
    near_group: str | None = None
    hint: HintName | None = None
    sort: ImageSort = ImageSort.OLDEST

    @property
    def is_counted(self) -> bool:
        """Whether how many these are is kept: only by label, status and exclusion it is."""
        kept = {"label": None, "status": None, "excluded": None}
        return vars(self) | kept == vars(ImageFilter(sort=self.sort)) and self.sort.measure is None


# Images with their bytes, read along two indexes that are in the same order. All blobs are passed,
# also those of other datasets: that still is a third of the time of looking each image's up.
BY_BLOBS: Final = OrderedJoin(
    BlobRecord.__table__,
    ImageRecord.__table__,
    ImageRecord.__table__.c.sha256 == BlobRecord.__table__.c.sha256,
)


def conditions(dataset_id: str, wanted: ImageFilter) -> list[ColumnElement[bool]]:
    """Return what holds of the images that are wanted, as conditions on ``ImageRecord``."""
    found = [*_of_record(dataset_id, wanted), *_of_time(wanted), *_of_blob(wanted)]
    if wanted.engine is not None or wanted.query is not None:
        found.append(ImageRecord.id.in_(_seen(dataset_id, wanted)))
    if wanted.site is not None:
        found.append(ImageRecord.id.in_(_of_site(dataset_id, wanted.site)))
    if wanted.obtainable is not None:
        found.append(obtainable())
    if wanted.members is not None:
        listed = func.json_each(wanted.members).table_valued("value")
        found.append(ImageRecord.sha256.in_(select(listed.c.value)))
        found.append(ImageRecord.status == text("'ready'"))
    if wanted.q:
        held = (ImageRecord.title, ImageRecord.url, ImageRecord.source_url, ImageRecord.sha256)
        found.append(or_(*(column.contains(wanted.q, autoescape=True) for column in held)))
    return found


def _of_record(dataset_id: str, wanted: ImageFilter) -> list[ColumnElement[bool]]:
    equal = {
        ImageRecord.status: wanted.status,
        ImageRecord.reason: wanted.reason,
        ImageRecord.excluded: wanted.excluded,
        ImageRecord.sha256: wanted.sha256,
    }
    found: list[ColumnElement[bool]] = [
        column == value for column, value in equal.items() if value is not None
    ]
    if wanted.label is None:
        found.append(ImageRecord.dataset_id == dataset_id)
    else:
        # A label is of one dataset, so the label's index alone says which images: the planner,
        # which knows no numbers, would as soon walk the whole dataset.
        label = select(LabelRecord.id).where(
            LabelRecord.dataset_id == dataset_id, LabelRecord.name == wanted.label
        )
        found.append(ImageRecord.label_id == label.scalar_subquery())
    if wanted.reviewed is not None:
        is_null = ImageRecord.reviewed_at.is_(None)
        found.append(~is_null if wanted.reviewed else is_null)
    return found


def _of_time(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    # An id begins with the moment it was made: a range of time is a range of the list itself.
    found: list[ColumnElement[bool]] = []
    if wanted.captured_from is not None:
        found.append(ImageRecord.id >= _first_id(wanted.captured_from))
    if wanted.captured_before is not None:
        found.append(ImageRecord.id < _first_id(wanted.captured_before))
    return found


def _first_id(moment: datetime) -> str:
    begun = str(ULID.from_datetime(moment))
    return begun[:_ULID_TIME_CHARS].ljust(len(begun), "0")


def _of_blob(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    holds: list[ColumnElement[bool]] = []
    short_side = _measures(_HELD)[Measure.SHORT_SIDE_PX]
    if wanted.min_px is not None:
        holds.append(short_side >= wanted.min_px)
    if wanted.max_px is not None:
        holds.append(short_side <= wanted.max_px)
    if wanted.hint is not None:
        holds.append(hint_condition(wanted.hint, _HELD))
    found: list[ColumnElement[bool]] = []
    if wanted.near_group is not None:
        alike = select(_HELD.sha256).where(_HELD.near_group == wanted.near_group)
        found.append(ImageRecord.sha256.in_(alike))
    if holds:
        # All blobs are read in one go along an index; asking for each image's takes far longer.
        found.append(ImageRecord.sha256.in_(select(_HELD.sha256).where(*holds)))
    return found


def hint_condition(name: HintName, blob: Any = BlobRecord) -> ColumnElement[bool]:
    """Return the condition under which a picture gets the hint.

    Args:
        name: Which hint.
        blob: ``BlobRecord``, or an alias of it.
    """
    limit = LIMITS[name]
    column = _measures(blob)[limit.measure]
    holds: ColumnElement[bool] = (
        column < limit.threshold if limit.is_lowest else column > limit.threshold
    )
    return holds


def _of_site(dataset_id: str, site: str) -> Any:
    # Two indexes, asked one after the other: for an "or" the planner would walk the dataset.
    ids = select(ImageRecord.id).where(ImageRecord.dataset_id == dataset_id)
    return ids.where(ImageRecord.host == site).union(ids.where(ImageRecord.page_host == site))


def _seen(dataset_id: str, wanted: ImageFilter) -> Any:
    query = select(SightingRecord.image_id).join(
        CaptureRecord, CaptureRecord.id == SightingRecord.capture_id
    )
    query = query.where(CaptureRecord.dataset_id == dataset_id)
    if wanted.engine is not None:
        query = query.where(CaptureRecord.engine == wanted.engine)
    if wanted.query is not None:
        query = query.where(CaptureRecord.query == wanted.query)
    return query

"""What can be asked of a list of images: what it is narrowed by, and in which order it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Float, cast, func

from server.db.models import (
    BlobRecord,
)
from server.media.hints import LIMITS, HintName, Measure
from server.repositories.obtainable import ObtainableBy

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


def measures(blob: Any) -> dict[Measure, Any]:
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
    for measure, column in measures(BlobRecord).items()
    if measure is not Measure.SHORT_SIDE_PX
} | {"size": BlobRecord.width * BlobRecord.height}


@dataclass(frozen=True)
class ImageFilter:
    """Which images of a dataset to list, and how; None means any.

    Attributes:
        obtainable: Only rejected ones that could still be had in this way.
        q: Text that the title or an address holds; from four digits on, also the sha256.
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

    @property
    def is_of_bytes(self) -> bool:
        """Whether it is about what the images' bytes are: their name, size or looks."""
        asked = (self.sha256, self.near_group, self.hint, self.min_px, self.max_px)
        return self.sort.measure is not None or any(each is not None for each in asked)

    @property
    def is_of_origin(self) -> bool:
        """Whether it is about where images were found, or why they were not to be had."""
        asked = (self.reason, self.obtainable, self.engine, self.query, self.site, self.q)
        return any(each is not None for each in asked)


def hint_condition(name: HintName, blob: Any = BlobRecord) -> ColumnElement[bool]:
    """Return the condition under which a picture gets the hint.

    Args:
        name: Which hint.
        blob: ``BlobRecord``, or an alias of it.
    """
    limit = LIMITS[name]
    column = measures(blob)[limit.measure]
    holds: ColumnElement[bool] = (
        column < limit.threshold if limit.is_lowest else column > limit.threshold
    )
    return holds

"""Suspicious labels, and two models compared."""

from __future__ import annotations

from datetime import datetime

from server.api.schemas.base import ReplyModel
from server.contract.snapshot import Split
from server.services.comparison import Comparison
from server.services.suspicions import SuspicionPage


class SuspicionOut(ReplyModel):
    """An image and what heads that never saw it say of its label."""

    image_id: str
    sha256: str
    label: str
    split: Split
    predicted: str
    probability: float
    label_probability: float
    loss: float
    reviewed_at: datetime | None


class SuspicionsOut(ReplyModel):
    """A part of the list, most suspicious first."""

    model_id: str
    items: list[SuspicionOut]
    next_cursor: str | None
    total: int
    judged_count: int

    @classmethod
    def of(cls, page: SuspicionPage) -> SuspicionsOut:
        """Return the page as the API shows it."""
        return cls.model_validate(page)


class ComparisonOut(ReplyModel):
    """Two models on the same validation images, by the labels of the later one."""

    before_id: str
    after_id: str
    image_count: int
    corrected_count: int
    before_error_rate: float | None
    after_error_rate: float | None
    as_labelled_error_rate: float | None
    fixed_count: int
    broken_count: int
    changed_answer_count: int
    unknown_label_count: int
    difference: float
    interval: tuple[float, float]
    p_value: float
    could_be_chance: bool
    sentence: str

    @classmethod
    def of(cls, before_id: str, after_id: str, found: Comparison) -> ComparisonOut:
        """Return the comparison as the API shows it; rates of no images are null."""

        def rate(count: int) -> float | None:
            return count / found.image_count if found.image_count else None

        return cls(
            before_id=before_id,
            after_id=after_id,
            image_count=found.image_count,
            corrected_count=found.corrected_count,
            before_error_rate=rate(found.before_error_count),
            after_error_rate=rate(found.after_error_count),
            as_labelled_error_rate=rate(found.as_labelled_error_count),
            fixed_count=found.fixed_count,
            broken_count=found.broken_count,
            changed_answer_count=found.changed_answer_count,
            unknown_label_count=found.unknown_label_count,
            difference=found.difference,
            interval=found.interval,
            p_value=found.p_value,
            could_be_chance=found.could_be_chance,
            sentence=found.sentence,
        )

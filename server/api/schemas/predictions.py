"""What is kept of what models were asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from server.api.schemas.base import ReplyModel
from server.repositories.predictions import Kind
from server.services.drift import Drift
from server.services.drift_tests import ALPHA, MIN_WINDOW, Shift
from server.services.drift_words import notes, sentence, summary
from server.services.prediction_log import EDGES


class LabelCountOut(ReplyModel):
    """How often a label was given; of these, how often the model abstained."""

    label: str
    count: int
    abstained: int


class DayCountOut(ReplyModel):
    """How often a model was asked on a day (UTC), and how often it abstained."""

    day: str
    count: int
    abstained: int


class BinCountOut(ReplyModel):
    """How many answers had a probability of at least ``low`` and below ``high``."""

    low: float
    high: float
    count: int


class PredictionCountsOut(ReplyModel):
    """What a model was asked in some days. ``mode``: what is kept of answers now."""

    mode: Literal["off", "counts", "images"]
    days: int
    count: int
    abstained: int
    labels: list[LabelCountOut]
    by_day: list[DayCountOut]
    confidence: list[BinCountOut]

    @classmethod
    def of(
        cls, mode: Literal["off", "counts", "images"], days: int, counts: Sequence[tuple[Kind, int]]
    ) -> PredictionCountsOut:
        """Return the counts as the API shows them: the most frequent label first."""
        labels, by_day, bins = Counter[str](), Counter[str](), Counter[int]()
        held_back, quiet = Counter[str](), Counter[str]()
        for kind, number in counts:
            labels[kind.label] += number
            by_day[kind.day] += number
            bins[kind.bin] += number
            held_back[kind.label] += number * kind.abstained
            quiet[kind.day] += number * kind.abstained
        bounds = pairwise((0.0, *EDGES, 1.0))
        return cls(
            mode=mode,
            days=days,
            count=labels.total(),
            abstained=held_back.total(),
            labels=[
                LabelCountOut(label=label, count=count, abstained=held_back[label])
                for label, count in labels.most_common()
            ],
            by_day=[
                DayCountOut(day=day, count=count, abstained=quiet[day])
                for day, count in sorted(by_day.items())
            ],
            confidence=[
                BinCountOut(low=low, high=high, count=bins[place])
                for place, (low, high) in enumerate(bounds)
            ],
        )


class PredictionRecordOut(ReplyModel):
    """One answer that is kept; ``bytes`` is 0 when its image is not, since a dataset has it."""

    id: str
    model_id: str
    sha256: str
    bytes: int
    label: str
    probability: float
    abstained: bool
    created_at: datetime


class DriftTestOut(ReplyModel):
    """One test. ``effect``: its statistic, 0 to 1, which matters from ``least`` on.

    ``p_value`` is corrected for the number of tests. ``is_alert``: it is below ``alpha``, and the
    effect is large enough.
    """

    kind: Shift
    effect: float
    least: float
    p_value: float
    is_alert: bool
    sentence: str


class DriftOut(ReplyModel):
    """Whether what a model is asked is still what it was validated on.

    ``tests`` is empty when there are too few answers: ``count`` of at least ``min_count``.
    ``notes`` say what is not tested.
    """

    mode: Literal["off", "counts", "images"]
    days: int
    count: int
    min_count: int
    validation_count: int
    alpha: float
    is_alert: bool
    sentence: str
    tests: list[DriftTestOut]
    notes: list[str]

    @classmethod
    def of(cls, mode: Literal["off", "counts", "images"], drift: Drift) -> DriftOut:
        """Return what was found as the API shows it."""
        return cls(
            mode=mode,
            days=drift.days,
            count=drift.window.count,
            min_count=MIN_WINDOW,
            validation_count=drift.reference.count,
            alpha=ALPHA,
            is_alert=drift.is_alert,
            sentence=summary(drift),
            tests=[
                DriftTestOut(
                    kind=test.shift,
                    effect=test.effect,
                    least=test.least,
                    p_value=test.p_value,
                    is_alert=test.is_alert,
                    sentence=sentence(drift, test),
                )
                for test in drift.tests
            ],
            notes=notes(drift),
        )

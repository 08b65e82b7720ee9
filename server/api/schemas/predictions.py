"""What is kept of what models were asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from server.api.schemas.base import ReplyModel
from server.repositories.predictions import Kind
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

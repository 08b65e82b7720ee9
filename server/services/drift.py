"""Use case: tell when what a model is asked is no longer what it learned.

The answers of some days are held against those on the validation split: which labels it gives, how
sure it is of them, how often it abstains, and how near the images are to those it learned from.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

import numpy as np

from server.contract.bundle import BundleManifest, read_evaluation
from server.contract.errors import FormatError
from server.contract.evaluation import EvaluatedImage
from server.contract.snapshot import Split
from server.db.models import ModelRecord
from server.db.session import Database
from server.inference.pool import CpuPool
from server.repositories import models
from server.repositories.predictions import Kind
from server.services.drift_tests import (
    MIN_REFERENCE,
    MIN_WINDOW,
    Counts,
    Shift,
    Tested,
    compare,
)
from server.services.models import BundleStore, damaged
from server.services.nearness import BIN_COUNT, NearnessService
from server.services.prediction_log import EDGES, PredictionLog, bin_of

_MOST_KEPT: Final = 16  # counts of so many models' validation splits: some kB each


@dataclass(frozen=True)
class Tallies:
    """Answers, counted in three ways.

    Attributes:
        labels: ``[C]``, in the order of the model's classes.
        bins: ``[len(EDGES) + 1]`` by probability.
        abstained: ``[2]``: answered, abstained.
    """

    labels: Counts
    bins: Counts
    abstained: Counts

    @property
    def count(self) -> int:
        """How many answers there are."""
        return int(self.labels.sum())


class NearnessState(Enum):
    """Whether images can be held against those that the model learned from."""

    UNTOLD = auto()
    BEING_MADE = auto()
    TOO_FEW = auto()
    TESTED = auto()


_NO_COUNTS: Final[Counts] = np.zeros(BIN_COUNT, dtype=np.int64)


@dataclass(frozen=True)
class Nearness:
    """How near images are to those that the model learned from: ``[BIN_COUNT]`` each.

    Attributes:
        window: What the model was asked.
        reference: The validation split.
    """

    state: NearnessState
    window: Counts = field(default_factory=_NO_COUNTS.copy)
    reference: Counts = field(default_factory=_NO_COUNTS.copy)


@dataclass(frozen=True)
class Drift:
    """What was found.

    Attributes:
        classes: Of the model, in the order of the labels' counts.
        days: Of the window, today included.
        window: What the model was asked in it.
        reference: Its answers on the validation split.
        nearness: Of the images, apart from what is said of them.
        tests: None when there are too few answers for any.
    """

    classes: Sequence[str]
    days: int
    window: Tallies
    reference: Tallies
    nearness: Nearness
    tests: Sequence[Tested]

    @property
    def is_alert(self) -> bool:
        """Whether a shift is sure and large enough."""
        return any(test.is_alert for test in self.tests)


class DriftService:
    """Hold what a model is asked against what it was validated on."""

    def __init__(
        self,
        database: Database,
        bundles: BundleStore,
        pool: CpuPool,
        log: PredictionLog,
        nearness: NearnessService,
    ) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._bundles = bundles
        self._pool = pool
        self._log = log
        self._nearness = nearness
        self._kept: OrderedDict[str, tuple[tuple[str, ...], Tallies]] = OrderedDict()

    async def check(self, model_id: str, days: int) -> Drift:
        """Return whether the answers of the last days have drifted.

        Raises:
            ModelNotFoundError: No model has this id.
            ModelDamagedError: Its bundle is damaged or gone.
        """
        counts = await self._log.list_counts(model_id, days)
        async with self._database.read() as session:
            model = await models.get(session, model_id)
        classes, reference = await self._read(model)
        window = tally_window(classes, counts)
        if window.count < MIN_WINDOW or reference.count < MIN_REFERENCE:
            too_few = Nearness(NearnessState.TOO_FEW)
            return Drift(classes, days, window, reference, too_few, [])
        near = await self._hold(model, days)
        tables = [
            (Shift.LABELS, reference.labels, window.labels),
            (Shift.CONFIDENCE, reference.bins, window.bins),
            (Shift.ABSTENTION, reference.abstained, window.abstained),
        ]
        if near.state is NearnessState.TESTED:
            tables.append((Shift.EMBEDDING, near.reference, near.window))
        tests = await asyncio.to_thread(compare, tables)
        return Drift(classes, days, window, reference, near, tests)

    async def _hold(self, model: ModelRecord, days: int) -> Nearness:
        """Return how near the images of the window are to those that the model learned from."""
        yardstick = self._nearness.find(model)
        if yardstick is None:
            is_coming = self._nearness.is_wanted(model)
            return Nearness(NearnessState.BEING_MADE if is_coming else NearnessState.UNTOLD)
        if not yardstick.is_enough:
            return Nearness(NearnessState.UNTOLD)
        window = await self._log.count_nearness(model.id, days)
        is_enough = int(window.sum()) >= MIN_WINDOW
        state = NearnessState.TESTED if is_enough else NearnessState.TOO_FEW
        return Nearness(state, window, yardstick.reference)

    async def _read(self, model: ModelRecord) -> tuple[tuple[str, ...], Tallies]:
        """Return the model's classes, and its answers on the validation split."""
        key = model.bundle_sha256
        if key not in self._kept:
            try:
                manifest, evaluation = await self._pool.run(
                    read_evaluation, self._bundles.path(key)
                )
            except (FormatError, FileNotFoundError) as error:
                raise damaged(model) from error
            items = [item for item in evaluation.items if item.split is Split.VALID]
            self._kept[key] = manifest.classes, tally_validation(manifest, items)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def tally_validation(manifest: BundleManifest, items: Sequence[EvaluatedImage]) -> Tallies:
    """Count a model's answers on its validation images.

    Which of them it would abstain from is known by its score where that is the probability; of
    other scores, the share is what the training measured on images that it had not seen.
    """
    place = {label: number for number, label in enumerate(manifest.classes)}
    rule = manifest.abstention
    if rule.score == "max_probability":
        quiet = sum(
            item.predicted == rule.background or item.probability < rule.threshold for item in items
        )
    else:
        quiet = round((1 - rule.coverage) * len(items))
    return Tallies(
        np.bincount([place[item.predicted] for item in items], minlength=len(place)),
        np.bincount([bin_of(item.probability) for item in items], minlength=len(EDGES) + 1),
        np.array([len(items) - quiet, quiet], dtype=np.int64),
    )


def tally_window(classes: Sequence[str], counts: Sequence[tuple[Kind, int]]) -> Tallies:
    """Count a model's answers of some days."""
    place = {label: number for number, label in enumerate(classes)}
    labels = np.zeros(len(place), dtype=np.int64)
    bins = np.zeros(len(EDGES) + 1, dtype=np.int64)
    abstained = np.zeros(2, dtype=np.int64)
    for kind, number in counts:
        labels[place[kind.label]] += number
        bins[kind.bin] += number
        abstained[int(kind.abstained)] += number
    return Tallies(labels, bins, abstained)

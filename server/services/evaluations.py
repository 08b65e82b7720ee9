"""Evaluations of models as columns of numbers: parsed once, kept while there is room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.contract.bundle import read_evaluation
from server.contract.errors import FormatError
from server.contract.evaluation import EvaluatedImage
from server.contract.snapshot import Split
from server.db.models import ModelRecord
from server.inference.pool import CpuPool
from server.services.models import BundleStore, damaged

# Rows kept over all models: some 110 bytes each, so 55 MB. The one asked for last always stays.
MAX_ROWS = 500_000


@dataclass(frozen=True)
class EvaluationColumns:
    """What a model's evaluation says, one row an image, sorted by sha256.

    Attributes:
        classes: Names, by the numbers below.
        sha256: ``[N]`` bytes of 64 hexadecimal digits.
        is_valid: ``[N]``: of the validation split.
        label: ``[N]``: the label at the time of the training.
        answer: ``[N]``: what the model itself predicts; of a training image, out-of-fold.
        predicted: ``[N]``: the most probable class out-of-fold.
        probability: ``[N]``: of ``predicted``.
        label_probability: ``[N]``: of ``label``.
        loss: ``[N]``: -ln of ``label_probability``.
        order: ``[N]`` rows by falling loss; equals by sha256.
    """

    classes: tuple[str, ...]
    sha256: NDArray[np.bytes_]
    is_valid: NDArray[np.bool_]
    label: NDArray[np.int16]
    answer: NDArray[np.int16]
    predicted: NDArray[np.int16]
    probability: NDArray[np.float64]
    label_probability: NDArray[np.float64]
    loss: NDArray[np.float64]
    order: NDArray[np.int64]

    def find(self, digests: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """Return the row of each digest; -1 where there is none."""
        if not len(self.sha256):
            return np.full(len(digests), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.sha256, digests), len(self.sha256) - 1)
        return np.where(self.sha256[places] == digests, places, -1)


class EvaluationShelf:
    """Evaluations by the sha256 of their bundle."""

    def __init__(self, bundles: BundleStore, pool: CpuPool, max_rows: int = MAX_ROWS) -> None:
        """Make an empty shelf.

        Args:
            bundles: Where bundles lie.
            pool: Where they are read.
            max_rows: Rows kept; bounds the memory.
        """
        self._bundles = bundles
        self._pool = pool
        self._max_rows = max_rows
        self._kept: OrderedDict[str, EvaluationColumns] = OrderedDict()
        # One at a time: reading 100,000 rows took 1.5 s of processor time, and 110 MB more stayed.
        self._reading = asyncio.Lock()

    async def get(self, model: ModelRecord) -> EvaluationColumns:
        """Return the model's evaluation, read if it is not here yet.

        Raises:
            ModelDamagedError: Its bundle is damaged or gone.
        """
        key = model.bundle_sha256
        if key not in self._kept:
            async with self._reading:
                if key not in self._kept:
                    self._kept[key] = await self._read(model)
                    self._make_room()
        self._kept.move_to_end(key)
        return self._kept[key]

    async def _read(self, model: ModelRecord) -> EvaluationColumns:
        path = self._bundles.path(model.bundle_sha256)
        try:
            manifest, evaluation = await self._pool.run(read_evaluation, path)
        except (FormatError, FileNotFoundError) as error:
            raise damaged(model) from error
        return await self._pool.run(to_columns, manifest.classes, evaluation.items)

    def _make_room(self) -> None:
        rows = sum(len(columns.sha256) for columns in self._kept.values())
        while rows > self._max_rows and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            rows -= len(gone.sha256)


def to_columns(classes: tuple[str, ...], items: tuple[EvaluatedImage, ...]) -> EvaluationColumns:
    """Return the evaluation as columns.

    Where a bundle says nothing out-of-fold over both splits, as older ones do, what it says of the
    image stands in: training images are judged out-of-fold there too, and the model has not seen
    those of the validation split.
    """
    number = {name: place for place, name in enumerate(classes)}
    items = tuple(sorted(items, key=lambda item: item.sha256))
    judged = [item.out_of_fold or item for item in items]
    loss = np.array([each.loss for each in judged], dtype=np.float64)
    return EvaluationColumns(
        classes=classes,
        sha256=np.array([item.sha256 for item in items], dtype="S64"),
        is_valid=np.array([item.split is Split.VALID for item in items], dtype=np.bool_),
        label=np.array([number[item.label] for item in items], dtype=np.int16),
        answer=np.array([number[item.predicted] for item in items], dtype=np.int16),
        predicted=np.array([number[each.predicted] for each in judged], dtype=np.int16),
        probability=np.array([each.probability for each in judged], dtype=np.float64),
        label_probability=np.exp(-loss),
        loss=loss,
        order=np.argsort(-loss, kind="stable"),
    )

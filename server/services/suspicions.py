"""Use cases of cleaning: which labels a model doubts most, and what cleaning did for the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from server.contract.snapshot import Split
from server.db.models import ModelRecord
from server.db.session import Database, Session
from server.errors import InvalidCursorError, ModelNotFoundError, NoModelError
from server.inference.pool import CpuPool
from server.repositories import datasets, models, suspects
from server.repositories.paging import ULID_LENGTH, PageRequest
from server.repositories.suspects import LabelledBytes, Suspect
from server.services.comparison import Comparison, compare
from server.services.evaluations import EvaluationColumns, EvaluationShelf
from server.services.models import BundleStore

_MAX_CURSOR_DIGITS = 9  # a place in a list of half a million


@dataclass(frozen=True)
class SuspicionFilter:
    """Which images to list; None means any.

    Attributes:
        model_id: Whose doubts; None for the dataset's newest model.
        label: Only images of this label.
        split: Only images of this side.
        reviewed: Only images that a person has looked at, or only others.
    """

    model_id: str | None = None
    label: str | None = None
    split: Split | None = None
    reviewed: bool | None = None


@dataclass(frozen=True)
class Suspicion:
    """An image and what heads that never saw it say of its label.

    Attributes:
        predicted: Their most probable class.
        probability: Of ``predicted``.
        label_probability: Of ``label``.
        loss: -ln of ``label_probability``.
        reviewed_at: When a person last said that the image is right.
    """

    image_id: str
    sha256: str
    label: str
    split: Split
    predicted: str
    probability: float
    label_probability: float
    loss: float
    reviewed_at: datetime | None


@dataclass(frozen=True)
class SuspicionPage:
    """A part of the list, most suspicious first.

    Attributes:
        total: Images in the whole list.
        judged_count: Images of this label then, and of this side, that the model judged at all.
            Those that are not in the list were relabelled, excluded or deleted since, or do not
            match ``reviewed``: beside a list of what nobody has looked at yet, it says how far
            one has come.
    """

    model_id: str
    items: Sequence[Suspicion]
    next_cursor: str | None
    total: int
    judged_count: int


class SuspicionService:
    """List suspicions; compare models."""

    def __init__(self, database: Database, bundles: BundleStore, pool: CpuPool) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._shelf = EvaluationShelf(bundles, pool)
        self._pool = pool

    async def list_page(
        self, dataset_id: str, wanted: SuspicionFilter, request: PageRequest
    ) -> SuspicionPage:
        """Return a page of the dataset's images by falling out-of-fold loss.

        What the model says holds for the label that it was told. So an image that was relabelled
        since is not in the list until a next training; nor is one that was excluded or deleted.
        The cursor is a place in the model's own order, which never changes: images that leave the
        list while it is read make no page skip or repeat another.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            ModelNotFoundError: The dataset has no model of this id.
            NoModelError: No model has been trained on the dataset.
            ModelDamagedError: The model's bundle is damaged or gone.
            InvalidCursorError: The cursor is none of this list.
        """
        start = _read_cursor(request.cursor)
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            model = await _choose(session, dataset_id, wanted.model_id)
        columns = await self._shelf.get(model)
        async with self._database.read() as session:
            now = await suspects.read_labels(session, dataset_id, wanted.label, wanted.reviewed)
        places = await self._pool.run(_places, columns, now, wanted.split)
        chosen = places[places >= start][: request.limit + 1]
        page = columns.order[chosen[: request.limit]]
        shown = [columns.sha256[row].decode() for row in page]
        async with self._database.read() as session:
            found = await suspects.find(session, dataset_id, shown)
        is_more = len(chosen) > request.limit
        return SuspicionPage(
            model_id=model.id,
            items=_suspicions(columns, page, found),
            next_cursor=str(chosen[request.limit]) if is_more else None,
            total=len(places),
            judged_count=_count_judged(columns, wanted),
        )

    async def compare(self, before_id: str, after_id: str) -> Comparison:
        """Compare two models on the images in both validation splits.

        Both are judged by the labels that the later one was given: the corrected ones.

        Raises:
            ModelNotFoundError: No model has one of the ids.
            ModelDamagedError: A bundle is damaged or gone.
        """
        async with self._database.read() as session:
            before = await models.get(session, before_id)
            after = await models.get(session, after_id)
        former, later = await self._shelf.get(before), await self._shelf.get(after)
        return await self._pool.run(compare_columns, former, later)


def compare_columns(before: EvaluationColumns, after: EvaluationColumns) -> Comparison:
    """Compare two evaluations on the images that are of the validation split in both."""
    rows_after = np.flatnonzero(after.is_valid)
    rows_before = before.find(after.sha256[rows_after])
    is_common = (rows_before >= 0) & before.is_valid[rows_before]
    rows_before, rows_after = rows_before[is_common], rows_after[is_common]
    names_before = np.array(before.classes, dtype=object)
    names_after = np.array(after.classes, dtype=object)
    return compare(
        names_before[before.answer[rows_before]],
        names_after[after.answer[rows_after]],
        names_before[before.label[rows_before]],
        names_after[after.label[rows_after]],
        before.classes,
    )


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MAX_CURSOR_DIGITS):
        raise InvalidCursorError(f"{cursor[:40]!r} is not a cursor of this list")
    return int(cursor)


async def _choose(session: Session, dataset_id: str, model_id: str | None) -> ModelRecord:
    if model_id is not None:
        model = await models.get(session, model_id)
        if model.dataset_id != dataset_id:
            raise ModelNotFoundError(model_id)
        return model
    newest = await models.list_page(session, dataset_id, None, PageRequest(limit=1))
    if not newest.items:
        raise NoModelError("no model has been trained on this dataset yet: train one first")
    return newest.items[0]


def _places(
    columns: EvaluationColumns, now: LabelledBytes, split: Split | None
) -> NDArray[np.int64]:
    """Return the places in the model's order, rising, of the images that still have their label."""
    number = {name: place for place, name in enumerate(columns.classes)}
    ids = sorted(now.names)
    numbers = np.array([number.get(now.names[each], -1) for each in ids], dtype=np.int16)
    label_ids = np.frombuffer(now.label_ids.encode(), dtype=f"S{ULID_LENGTH}")
    labels = numbers[np.searchsorted(np.array(ids, dtype=label_ids.dtype), label_ids)]
    rows = columns.find(np.frombuffer(now.digests.encode(), dtype=columns.sha256.dtype))
    labels, rows = labels[rows >= 0], rows[rows >= 0]
    rows = rows[columns.label[rows] == labels]
    is_listed = np.zeros(len(columns.sha256), dtype=np.bool_)
    is_listed[rows] = True
    if split is not None:
        is_listed &= columns.is_valid == (split is Split.VALID)
    return np.flatnonzero(is_listed[columns.order])


def _count_judged(columns: EvaluationColumns, wanted: SuspicionFilter) -> int:
    is_meant = np.ones(len(columns.sha256), dtype=np.bool_)
    if wanted.split is not None:
        is_meant &= columns.is_valid == (wanted.split is Split.VALID)
    if wanted.label is not None:
        names = np.array(columns.classes, dtype=object)
        is_meant &= names[columns.label] == wanted.label
    return int(np.count_nonzero(is_meant))


def _suspicions(
    columns: EvaluationColumns, rows: NDArray[np.int64], found: Mapping[str, Suspect]
) -> list[Suspicion]:
    return [
        Suspicion(
            image_id=found[sha256].image_id,
            sha256=sha256,
            label=columns.classes[columns.label[row]],
            split=Split.VALID if columns.is_valid[row] else Split.TRAIN,
            predicted=columns.classes[columns.predicted[row]],
            probability=float(columns.probability[row]),
            label_probability=round(float(columns.label_probability[row]), 6),
            loss=float(columns.loss[row]),
            reviewed_at=found[sha256].reviewed_at,
        )
        for row, sha256 in ((row, columns.sha256[row].decode()) for row in rows)
        if sha256 in found  # else it was deleted just now
    ]

"""Queries on datasets and their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from server import labels
from server.db.ids import new_id
from server.db.models import DatasetRecord, ImageCountRecord, ImageStatus, LabelRecord
from server.db.session import Session
from server.errors import (
    DatasetExistsError,
    DatasetNotFoundError,
    LabelExistsError,
    LabelNotFoundError,
    LabelRefusedError,
    UnknownLabelError,
)
from server.repositories.paging import Page, PageRequest, read_page


@dataclass(frozen=True)
class LabelCounts:
    """Images under one label: all, and those that are ready."""

    total: int = 0
    ready: int = 0


@dataclass(frozen=True)
class DatasetCounts:
    """How many images a dataset has, by status and by label."""

    total: int = 0
    excluded: int = 0
    status: dict[str, int] = field(default_factory=dict)
    labels: dict[str, LabelCounts] = field(default_factory=dict)


async def get(session: Session, dataset_id: str) -> DatasetRecord:
    """Return the dataset.

    Raises:
        DatasetNotFoundError: No dataset has this id.
    """
    record = await session.get(DatasetRecord, dataset_id)
    if record is None:
        raise DatasetNotFoundError(dataset_id)
    return record


async def list_page(session: Session, request: PageRequest) -> Page[DatasetRecord]:
    """Return a page of datasets, newest first."""
    return await read_page(
        session, select(DatasetRecord), DatasetRecord.id, request, newest_first=True
    )


async def add(session: Session, name: str, description: str) -> DatasetRecord:
    """Add a dataset.

    Raises:
        DatasetExistsError: The name is taken.
    """
    record = DatasetRecord(
        id=new_id(), name=name, description=description, created_at=datetime.now(UTC)
    )
    session.add(record)
    await flush_unique(session, DatasetExistsError(f"a dataset named {name!r} exists already"))
    return record


async def flush_unique(session: Session, error: DatasetExistsError | LabelExistsError) -> None:
    """Flush, and turn a broken uniqueness into ``error``."""
    try:
        await session.flush()
    except IntegrityError as cause:
        raise error from cause


async def count(session: Session, dataset_id: str) -> DatasetCounts:
    """Return the dataset's counts. They are kept, not counted: the cost is by labels alone."""
    rows = await session.execute(
        select(
            ImageCountRecord.label_id,
            ImageCountRecord.status,
            ImageCountRecord.number,
            ImageCountRecord.excluded_number,
        ).where(ImageCountRecord.dataset_id == dataset_id)
    )
    names = {label.id: label.name for label in await list_labels(session, dataset_id)}
    statuses = dict.fromkeys((s.value for s in ImageStatus), 0)
    labels = dict.fromkeys(names.values(), LabelCounts())
    total = excluded_total = 0
    for label_id, status, number, excluded_number in rows:
        total += number
        excluded_total += excluded_number
        statuses[status] += number
        if label_id:
            ready = number if status == ImageStatus.READY else 0
            had = labels[names[label_id]]
            labels[names[label_id]] = LabelCounts(had.total + number, had.ready + ready)
    return DatasetCounts(total, excluded_total, statuses, labels)


async def list_labels(session: Session, dataset_id: str) -> Sequence[LabelRecord]:
    """Return the dataset's labels by name."""
    query = select(LabelRecord).where(LabelRecord.dataset_id == dataset_id)
    return (await session.scalars(query.order_by(LabelRecord.name))).all()


async def get_label(session: Session, label_id: str) -> LabelRecord:
    """Return the label.

    Raises:
        LabelNotFoundError: No label has this id.
    """
    record = await session.get(LabelRecord, label_id)
    if record is None:
        raise LabelNotFoundError(label_id)
    return record


async def get_label_by_name(session: Session, dataset_id: str, name: str) -> LabelRecord:
    """Return the dataset's label of this name.

    Raises:
        UnknownLabelError: The dataset has no such label.
    """
    record = await _find_label(session, dataset_id, name)
    if record is None:
        raise UnknownLabelError(f"the dataset has no label {name!r}; make it first")
    return record


async def get_or_add_label(session: Session, dataset_id: str, name: str) -> LabelRecord:
    """Return the dataset's label of this name, made if new.

    Raises:
        LabelRefusedError: There is none, and none can be called so.
    """
    found = await _find_label(session, dataset_id, name)
    return found or await add_label(session, dataset_id, name)


async def add_label(session: Session, dataset_id: str, name: str) -> LabelRecord:
    """Add a label, composed.

    Raises:
        LabelExistsError: The dataset has one of this name.
        LabelRefusedError: None can be called so.
    """
    taken = LabelExistsError(f"the dataset has a label {name!r} already")
    if await _find_label(session, dataset_id, name) is not None:
        raise taken
    record = LabelRecord(
        id=new_id(), dataset_id=dataset_id, name=_new_name(name), created_at=datetime.now(UTC)
    )
    session.add(record)
    await flush_unique(session, taken)
    return record


async def rename_label(session: Session, record: LabelRecord, name: str) -> None:
    """Give a label another name, composed; its own, as it is stored, is left.

    Raises:
        LabelExistsError: The dataset has another of this name.
        LabelRefusedError: None can be called so.
    """
    if name == record.name:
        return
    taken = LabelExistsError(f"the dataset has a label {name!r}; merge into it instead")
    other = await _find_label(session, record.dataset_id, name)
    if other is not None and other.id != record.id:
        raise taken
    record.name = _new_name(name)
    await flush_unique(session, taken)


def find_label_id(dataset_id: str, name: str) -> Select[str]:
    """Return the query of the label of this name: as it is written, else as it would be stored."""
    written_first = (LabelRecord.name != name, LabelRecord.id)
    return (
        select(LabelRecord.id)
        .where(
            LabelRecord.dataset_id == dataset_id,
            LabelRecord.name.in_({name, labels.compose(name)}),
        )
        .order_by(*written_first)
        .limit(1)
    )


async def _find_label(session: Session, dataset_id: str, name: str) -> LabelRecord | None:
    found = find_label_id(dataset_id, name).scalar_subquery()
    return await session.scalar(select(LabelRecord).where(LabelRecord.id == found))


def _new_name(name: str) -> str:
    composed = labels.compose(name)
    if flaw := labels.find_flaw(composed):
        raise LabelRefusedError(flaw)
    return composed

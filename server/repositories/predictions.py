"""Queries on what models were asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert

from server.db.models import ModelRecord
from server.db.prediction_models import (
    NearnessCountRecord,
    PredictionCountRecord,
    PredictionRecord,
)
from server.db.removal_models import RemovedBlobRecord
from server.db.session import Session
from server.errors import PredictionNotFoundError
from server.repositories.chunks import chunks, list_missing
from server.repositories.paging import Page, PageRequest, read_page

_BATCH = 500  # rows of one statement


class Kind(NamedTuple):
    """Answers that are counted together; see `PredictionCountRecord`."""

    model_id: str
    day: str
    label: str
    abstained: bool
    bin: int


class NearKind(NamedTuple):
    """Answers about images as near as each other; see `NearnessCountRecord`."""

    model_id: str
    day: str
    bin: int


@dataclass(frozen=True)
class Room:
    """What a log may hold: rows, and bytes of files."""

    rows: int
    bytes: int


async def list_gone_models(session: Session, model_ids: Collection[str]) -> set[str]:
    """Return those of these ids that are no model's."""
    return set(await list_missing(session, ModelRecord.id, model_ids))


async def add_counts(session: Session, counts: Mapping[Kind, int]) -> None:
    """Add to the counts of a few hundred kinds at most."""
    rows = [{**kind._asdict(), "number": number} for kind, number in counts.items()]
    if not rows:
        return
    add = insert(PredictionCountRecord)
    more = PredictionCountRecord.number + add.excluded.number
    await session.execute(
        add.on_conflict_do_update(index_elements=list(Kind._fields), set_={"number": more}), rows
    )


async def add_nearness(session: Session, counts: Mapping[NearKind, int]) -> None:
    """Add to the counts of a few hundred kinds at most."""
    rows = [{**kind._asdict(), "number": number} for kind, number in counts.items()]
    if not rows:
        return
    add = insert(NearnessCountRecord)
    more = NearnessCountRecord.number + add.excluded.number
    await session.execute(
        add.on_conflict_do_update(index_elements=list(NearKind._fields), set_={"number": more}),
        rows,
    )


async def sum_nearness(session: Session, model_id: str, first_day: str) -> dict[int, int]:
    """Return how many images were in each bin from a day on."""
    rows = await session.execute(
        select(NearnessCountRecord.bin, func.sum(NearnessCountRecord.number))
        .where(NearnessCountRecord.model_id == model_id, NearnessCountRecord.day >= first_day)
        .group_by(NearnessCountRecord.bin)
    )
    return {place: int(number) for place, number in rows}


async def list_counts(
    session: Session, model_id: str, first_day: str
) -> Sequence[tuple[Kind, int]]:
    """Return the counts of a model from a day on, oldest day first."""
    rows = await session.scalars(
        select(PredictionCountRecord)
        .where(PredictionCountRecord.model_id == model_id, PredictionCountRecord.day >= first_day)
        .order_by(PredictionCountRecord.day)
    )
    return [
        (Kind(row.model_id, row.day, row.label, row.abstained, row.bin), row.number) for row in rows
    ]


async def get(session: Session, prediction_id: str) -> PredictionRecord:
    """Return the prediction.

    Raises:
        PredictionNotFoundError: None has this id.
    """
    record = await session.get(PredictionRecord, prediction_id)
    if record is None:
        raise PredictionNotFoundError(prediction_id)
    return record


async def list_page(
    session: Session, model_id: str, request: PageRequest
) -> Page[PredictionRecord]:
    """Return a page of a model's predictions, newest first."""
    query = select(PredictionRecord).where(PredictionRecord.model_id == model_id)
    return await read_page(session, query, PredictionRecord.id, request, newest_first=True)


async def delete_old_counts(session: Session, first_day: str) -> None:
    """Delete the counts of the days before this one."""
    for record in (PredictionCountRecord, NearnessCountRecord):
        await session.execute(delete(record).where(record.day < first_day))


async def delete_all(session: Session, model_id: str) -> list[str]:
    """Delete all that is kept of a model; return the hashes of files that nothing names now."""
    for record in (PredictionCountRecord, NearnessCountRecord):
        await session.execute(delete(record).where(record.model_id == model_id))
    gone = await session.scalars(
        delete(PredictionRecord)
        .where(PredictionRecord.model_id == model_id)
        .returning(PredictionRecord.sha256)
    )
    return await list_unnamed(session, set(gone))


async def delete_surplus(session: Session, first_id: str, room: Room) -> tuple[int, list[str]]:
    """Delete some of the rows that are too old, too many, or of bytes that a removal took.

    Args:
        session: Where to delete.
        first_id: Older ids go.
        room: What may stay.

    Returns:
        How many went, at most a batch of each kind: to be called until none does. And the hashes of
        files that nothing names now.
    """
    removed = select(PredictionRecord.id).join(
        RemovedBlobRecord, RemovedBlobRecord.sha256 == PredictionRecord.sha256
    )
    doomed = set(await session.scalars(removed.limit(_BATCH)))
    totals = select(func.count(), func.coalesce(func.sum(PredictionRecord.bytes), 0))
    count, size_bytes = (await session.execute(totals.select_from(PredictionRecord))).one()
    oldest = await session.execute(
        select(PredictionRecord.id, PredictionRecord.bytes)
        .order_by(PredictionRecord.id)
        .limit(_BATCH)
    )
    for row_id, row_bytes in oldest:
        if row_id >= first_id and count <= room.rows and size_bytes <= room.bytes:
            break
        doomed.add(row_id)
        count, size_bytes = count - 1, size_bytes - row_bytes
    hashes: set[str] = set()
    for chunk in chunks(sorted(doomed)):
        hashes |= set(
            await session.scalars(
                delete(PredictionRecord)
                .where(PredictionRecord.id.in_(chunk))
                .returning(PredictionRecord.sha256)
            )
        )
    return len(doomed), await list_unnamed(session, hashes)


async def list_unnamed(session: Session, hashes: Collection[str]) -> list[str]:
    """Return those of these hashes that no prediction is of."""
    return await list_missing(session, PredictionRecord.sha256, hashes)

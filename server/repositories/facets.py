"""How many images each value of a filter would give, over a whole dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Integer, cast, func, select, union_all

from server.db.models import (
    CaptureRecord,
    ImageCountRecord,
    ImageRecord,
    LabelRecord,
    SightingRecord,
)
from server.db.session import Session
from server.media.hints import HintName
from server.repositories.filters import hint_condition
from server.repositories.picking import by_bytes

MOST_VALUES: Final = 50  # of a facet that the web fills: what a person still reads

Facet = Sequence[tuple[str | bool | None, int]]


async def count_state(session: Session, dataset_id: str) -> dict[str, Facet]:
    """Return what images are: by the name of each facet its values and their images, most first."""
    kept = await _count_kept(session, dataset_id)
    total = sum(number for _value, number in kept["status"])
    return {
        **kept,
        "reason": await _count_reasons(session, dataset_id),
        "hint": await _count_hints(session, dataset_id),
        "reviewed": await _count_reviewed(session, dataset_id, total),
    }


async def count_origins(session: Session, dataset_id: str) -> dict[str, Facet]:
    """Return where images were found, likewise."""
    return {
        "engine": await _count_seen(session, dataset_id, CaptureRecord.engine),
        "query": await _count_seen(session, dataset_id, CaptureRecord.query),
        "site": await _count_sites(session, dataset_id),
    }


async def _count_kept(session: Session, dataset_id: str) -> dict[str, Facet]:
    kept = ImageCountRecord
    number = func.sum(kept.number)
    facets: dict[str, Facet] = {}
    for name, column in (("label", LabelRecord.name), ("status", kept.status)):
        query: Any = (
            select(column, number)
            .select_from(kept)
            .outerjoin(LabelRecord, LabelRecord.id == kept.label_id)
            .where(kept.dataset_id == dataset_id)
            .group_by(column)
            .having(number > 0)
        )
        facets[name] = await _read(session, query, number)
    return facets


async def _read(session: Session, query: Any, number: Any) -> Facet:
    rows = await session.execute(query.order_by(number.desc(), query.selected_columns[0]))
    return [(value, how_many) for value, how_many in rows]


async def _count_reasons(session: Session, dataset_id: str) -> Facet:
    number = func.count()
    query = select(ImageRecord.reason, number).where(
        ImageRecord.dataset_id == dataset_id, ImageRecord.reason.is_not(None)
    )
    return await _read(session, query.group_by(ImageRecord.reason), number)


async def _count_seen(session: Session, dataset_id: str, column: Any) -> Facet:
    number = func.count(SightingRecord.image_id.distinct())
    query = (
        select(column, number)
        .select_from(CaptureRecord)
        .join(SightingRecord, SightingRecord.capture_id == CaptureRecord.id)
        .where(CaptureRecord.dataset_id == dataset_id, column.is_not(None))
        .group_by(column)
        .limit(MOST_VALUES)
    )
    return await _read(session, query, number)


async def _count_sites(session: Session, dataset_id: str) -> Facet:
    of_dataset = ImageRecord.dataset_id == dataset_id
    # An image whose page is on its own host is one image of that site, not two.
    elsewhere = ImageRecord.page_host.is_distinct_from(ImageRecord.host)
    number = func.count().label("number")
    # Each along an index in the order of its hosts, so that few rows are left to be added up.
    sites = union_all(
        select(ImageRecord.host.label("site"), number)
        .where(of_dataset, ImageRecord.host.is_not(None))
        .group_by(ImageRecord.host),
        select(ImageRecord.page_host, number)
        .where(of_dataset, ImageRecord.page_host.is_not(None), elsewhere)
        .group_by(ImageRecord.page_host),
    ).subquery()
    total = func.sum(sites.c.number)
    query = select(sites.c.site, total).group_by(sites.c.site).limit(MOST_VALUES)
    return await _read(session, query, total)


async def _count_hints(session: Session, dataset_id: str) -> Facet:
    numbers = [func.sum(cast(hint_condition(name), Integer)) for name in HintName]
    query = by_bytes(select(*numbers)).where(ImageRecord.dataset_id == dataset_id)
    row = (await session.execute(query)).one()
    found = [(name.value, number or 0) for name, number in zip(HintName, row, strict=True)]
    return sorted(found, key=lambda pair: -pair[1])


async def _count_reviewed(session: Session, dataset_id: str, total: int) -> Facet:
    query = select(func.count()).where(
        ImageRecord.dataset_id == dataset_id, ImageRecord.reviewed_at.is_not(None)
    )
    reviewed = await session.scalar(query) or 0
    return [(True, reviewed), (False, total - reviewed)]

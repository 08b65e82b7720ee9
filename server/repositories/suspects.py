"""Queries on images whose labels a model may doubt: those that a snapshot would hold now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from server.db.models import ImageRecord, ImageStatus, LabelRecord
from server.db.session import Session


@dataclass(frozen=True)
class Suspect:
    """An image as far as the list shows it."""

    image_id: str
    reviewed_at: datetime | None


async def read_labels(
    session: Session, dataset_id: str, label: str | None, reviewed: bool | None
) -> tuple[list[str], list[str]]:
    """Return the digests of the dataset's ready, included images, and the label's name of each.

    Args:
        session: Where to read.
        dataset_id: The dataset.
        label: Only images of the label with this name; None for all labelled ones.
        reviewed: Only images that a person has looked at, or only others; None for both.
    """
    named = select(LabelRecord.id, LabelRecord.name).where(LabelRecord.dataset_id == dataset_id)
    if label is not None:
        named = named.where(LabelRecord.name == label)
    names = dict((await session.execute(named)).all())
    query = select(ImageRecord.sha256, ImageRecord.label_id).where(
        ImageRecord.dataset_id == dataset_id,
        ImageRecord.status == ImageStatus.READY,
        ImageRecord.excluded.is_(False),
        # One label narrows the search; of all, only those without any are left out.
        ImageRecord.label_id.is_not(None) if label is None else ImageRecord.label_id.in_(names),
    )
    if reviewed is not None:
        seen = ImageRecord.reviewed_at
        query = query.where(seen.is_not(None) if reviewed else seen.is_(None))
    rows: Any = (await session.execute(query)).all()  # neither is null, by the conditions
    return [row[0] for row in rows], [names[row[1]] for row in rows]


async def find(
    session: Session, dataset_id: str, digests: Collection[str]
) -> Mapping[str, Suspect]:
    """Return the ready images with these bytes, by digest.

    Args:
        session: Where to read.
        dataset_id: The dataset.
        digests: Of one page: some hundreds.
    """
    rows: Any = await session.execute(
        select(ImageRecord.sha256, ImageRecord.id, ImageRecord.reviewed_at).where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.status == ImageStatus.READY,
            ImageRecord.sha256.in_(digests),
        )
    )
    return {sha256: Suspect(image_id, reviewed_at) for sha256, image_id, reviewed_at in rows}

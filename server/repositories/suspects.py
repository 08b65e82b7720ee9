"""Queries on images whose labels a model may doubt: those that a snapshot would hold now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from server.db.models import ImageRecord, ImageStatus, LabelRecord
from server.db.session import Session


@dataclass(frozen=True)
class Suspect:
    """An image as far as the list shows it."""

    image_id: str
    reviewed_at: datetime | None


@dataclass(frozen=True)
class LabelledBytes:
    """Images and their labels, as two texts: a list of 100,000 rows takes ten times as long.

    Attributes:
        digests: 64 characters an image, rising.
        label_ids: 26 characters an image, in the same order.
        names: Of the labels, by their ids.
    """

    digests: str
    label_ids: str
    names: Mapping[str, str]


async def read_labels(
    session: Session, dataset_id: str, label: str | None, reviewed: bool | None
) -> LabelledBytes:
    """Return the dataset's ready, included images with their labels.

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
    query = (
        select(
            func.group_concat(ImageRecord.sha256, ""), func.group_concat(ImageRecord.label_id, "")
        )
        .with_hint(ImageRecord, "INDEXED BY ix_images_bytes", "sqlite")
        .where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.sha256.is_not(None),
            ImageRecord.status == ImageStatus.READY,
            ImageRecord.excluded.is_(False),
            # One label narrows the search; of all, only those without any are left out.
            ImageRecord.label_id.is_not(None) if label is None else ImageRecord.label_id.in_(names),
        )
    )
    if reviewed is not None:
        seen = ImageRecord.reviewed_at
        query = query.where(seen.is_not(None) if reviewed else seen.is_(None))
    digests, label_ids = (await session.execute(query)).one()  # null where there is no image
    return LabelledBytes(digests or "", label_ids or "", names)


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

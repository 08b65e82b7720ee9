"""Query for what a dataset holds under the addresses that a page shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from server.db.models import ImageRecord, LabelRecord
from server.db.session import Session


@dataclass(frozen=True)
class Held:
    """What a mark on a page has to say of an image, and the id by which to change it."""

    id: str
    label: str | None
    status: str
    excluded: bool


async def find_held(
    session: Session, dataset_id: str, url_keys: Collection[str]
) -> dict[str, Held]:
    """Return what the dataset holds under these keys, by key.

    Args:
        session: To read with.
        dataset_id: Of the dataset.
        url_keys: As many as one question may have: they go into one statement.
    """
    rows = await session.execute(
        select(
            ImageRecord.url_key,
            ImageRecord.id,
            LabelRecord.name,
            ImageRecord.status,
            ImageRecord.excluded,
        )
        .outerjoin(LabelRecord, LabelRecord.id == ImageRecord.label_id)
        .where(ImageRecord.dataset_id == dataset_id, ImageRecord.url_key.in_(url_keys))
    )
    return {
        key: Held(image_id, label, status, excluded)
        for key, image_id, label, status, excluded in rows
    }

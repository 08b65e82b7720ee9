"""Queries of imports: many images with bytes, recorded at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from server.db.ids import new_ids
from server.db.models import BlobRecord, ImageRecord, ImageStatus, LabelRecord, ObtainedBy
from server.db.session import Session
from server.repositories import datasets, images


@dataclass(frozen=True)
class NewImage:
    """An image whose bytes are verified and on disk.

    Attributes:
        blob: The columns of its blob's row.
        label: By name, made if new; None for none.
        title: What it was called.
        source_url: The page that it was seen on, where that is known.
        final_url: The address that its bytes came from, likewise.
        page_host: Of ``source_url``, by which images of one site are found.
        license: As the page named it, likewise.
    """

    sha256: str
    blob: dict[str, Any]
    label: str | None
    title: str
    source_url: str | None = None
    page_host: str | None = None
    final_url: str | None = None
    license: str | None = None


async def find_held(
    session: Session, dataset_id: str, digests: Collection[str]
) -> dict[str, str | None]:
    """Return the labels of the dataset's images that hold these bytes, by sha256.

    Args:
        session: Of the database.
        dataset_id: The dataset.
        digests: At most some hundreds.
    """
    rows = await session.execute(
        select(ImageRecord.sha256, LabelRecord.name)
        .outerjoin(LabelRecord, LabelRecord.id == ImageRecord.label_id)
        .where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.sha256.in_(digests),
            ImageRecord.status == ImageStatus.READY,
        )
    )
    return {str(digest): name for digest, name in rows}


async def add_images(session: Session, dataset_id: str, new: Sequence[NewImage]) -> None:
    """Record images, their blobs and their labels; the dataset must hold none of their bytes."""
    unrecorded = set(await images.list_unrecorded(session, [image.sha256 for image in new]))
    rows = [image.blob for image in new if image.sha256 in unrecorded]
    if rows:
        await session.execute(insert(BlobRecord), rows)
    names = sorted({image.label for image in new if image.label is not None})
    labels = {
        name: (await datasets.get_or_add_label(session, dataset_id, name)).id for name in names
    }
    now = datetime.now(UTC)
    await images.insert_images(
        session,
        [
            {
                "id": image_id,
                "dataset_id": dataset_id,
                "label_id": labels.get(image.label or ""),
                "url_key": f"upload:{image.sha256}",
                "title": image.title,
                "source_url": image.source_url,
                "page_host": image.page_host,
                "final_url": image.final_url,
                "license": image.license,
                "status": ImageStatus.READY,
                "sha256": image.sha256,
                "obtained_by": ObtainedBy.UPLOAD,
                "attempts": 0,
                "excluded": False,
                "created_at": now,
                "settled_at": now,
            }
            for image_id, image in zip(new_ids(len(new)), new, strict=True)
        ],
    )

"""Queries on where a dataset's images come from, and on what of it was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import case, func, select

from server.db.models import (
    CaptureRecord,
    ImageRecord,
    ImageStatus,
    LabelRecord,
    SightingRecord,
)
from server.db.session import Session

# Of the image, and of the first capture that saw it; in the order of the tables that are exported.
IMAGE_COLUMNS: Final = (
    "url",
    "final_url",
    "source_url",
    "title",
    "license",
    "obtained_by",
    "reviewed_at",
)
CAPTURE_COLUMNS: Final = ("engine", "query", "page_url", "captured_at")


async def read_origins(
    session: Session, dataset_id: str, sha256s: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return where blobs of a dataset come from, by sha256.

    Args:
        session: To read with.
        dataset_id: The dataset.
        sha256s: Some hundreds; one that the dataset no longer has is left out.
    """
    images = await session.execute(
        select(
            ImageRecord.sha256,
            ImageRecord.id,
            *(getattr(ImageRecord, name) for name in IMAGE_COLUMNS),
        ).where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.status == ImageStatus.READY,
            ImageRecord.sha256.in_(sha256s),
        )
    )
    found = {row.sha256: row._asdict() for row in images}
    by_image = {row["id"]: row for row in found.values()}
    sightings = await session.execute(
        select(
            SightingRecord.image_id,
            *(getattr(CaptureRecord, name) for name in CAPTURE_COLUMNS),
        )
        .join(CaptureRecord, CaptureRecord.id == SightingRecord.capture_id)
        .where(SightingRecord.image_id.in_(by_image))
        .order_by(SightingRecord.id)
    )
    for seen in sightings:
        origin = by_image[seen.image_id]
        if "sightings" not in origin:
            origin.update({name: getattr(seen, name) for name in CAPTURE_COLUMNS})
        origin["sightings"] = origin.get("sightings", 0) + 1
    return found


async def count_left_out(session: Session, dataset_id: str) -> dict[str, dict[str, int]]:
    """Return how many images of a dataset are in no snapshot of it now, and why.

    Returns:
        ``rejected`` by reason, ``excluded`` by label, and ``others`` by what they are.
    """
    excluded = select(func.coalesce(LabelRecord.name, ""), func.count()).select_from(ImageRecord)
    queries = {
        "rejected": select(ImageRecord.reason, func.count())
        .where(ImageRecord.status == ImageStatus.REJECTED)
        .group_by(ImageRecord.reason),
        "excluded": excluded.outerjoin(LabelRecord, LabelRecord.id == ImageRecord.label_id)
        .where(ImageRecord.status == ImageStatus.READY, ImageRecord.excluded)
        .group_by(LabelRecord.name),
        "others": _others(),
    }
    found = {}
    for name, query in queries.items():
        rows = await session.execute(query.where(ImageRecord.dataset_id == dataset_id))
        found[name] = dict(Counter({str(key): count for key, count in rows}))
    return found


def _others() -> Any:  # a Select, whose type no reader is helped by
    kind = case(
        (ImageRecord.status == ImageStatus.READY, "without a label"), else_=ImageRecord.status
    )
    is_unlabelled = (ImageRecord.status == ImageStatus.READY) & (
        ImageRecord.label_id.is_(None) & ~ImageRecord.excluded
    )
    waits = ImageRecord.status.in_(
        [ImageStatus.QUEUED, ImageStatus.DOWNLOADING, ImageStatus.DUPLICATE]
    )
    return select(kind, func.count()).where(is_unlabelled | waits).group_by(kind)

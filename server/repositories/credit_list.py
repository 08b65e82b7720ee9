"""Queries on whom images are of: where each was found, and under which licence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from server.db.models import ImageCountRecord, ImageRecord, ImageStatus, LabelRecord
from server.db.session import Session
from server.repositories.paging import Page, PageRequest, read_page
from server.repositories.provenance import read_origins


@dataclass(frozen=True)
class Credit:
    """What is known of an image's origin, as its page said.

    Attributes:
        url: Of the image itself.
        source_url: The page that shows it.
        page_url: The page of the first capture that saw it.
        site: The host of its source page, or else of its address.
        license: Words of strangers, unchecked.
    """

    image_id: str
    sha256: str
    label: str | None
    title: str | None
    url: str | None
    source_url: str | None
    page_url: str | None
    site: str | None
    license: str | None


async def list_page(session: Session, dataset_id: str, request: PageRequest) -> Page[Credit]:
    """Return a page of the credits of a dataset's ready images that are not excluded."""
    columns = (
        ImageRecord.id,
        ImageRecord.sha256,
        LabelRecord.name,
        func.coalesce(ImageRecord.page_host, ImageRecord.host),
    )
    query: Any = (
        select(*columns)
        .outerjoin(LabelRecord, LabelRecord.id == ImageRecord.label_id)
        .where(
            ImageRecord.dataset_id == dataset_id,
            ImageRecord.status == ImageStatus.READY,
            ImageRecord.excluded.is_(False),
        )
    )
    total = await _count(session, dataset_id)
    page: Page[Any] = await read_page(session, query, ImageRecord.id, request, total=total)
    origins = await read_origins(session, dataset_id, [row[1] for row in page.items])
    items = [
        Credit(
            image_id=image_id,
            sha256=sha256,
            label=label,
            title=origins[sha256]["title"],
            url=origins[sha256]["url"],
            source_url=origins[sha256]["source_url"],
            page_url=origins[sha256].get("page_url"),
            site=site,
            license=origins[sha256]["license"],
        )
        for image_id, sha256, label, site in page.items
    ]
    return Page(items, page.next_cursor, page.total)


async def _count(session: Session, dataset_id: str) -> int:
    kept = ImageCountRecord
    query = select(func.sum(kept.number - kept.excluded_number)).where(
        kept.dataset_id == dataset_id, kept.status == ImageStatus.READY
    )
    return await session.scalar(query) or 0

"""Queries on sites: what a dataset has of one, and which are kept out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, false, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from server.db.models import CaptureRecord, ImageRecord, ImageStatus, SightingRecord
from server.db.removal_models import BlockedSiteRecord
from server.db.session import Session
from server.net.sites import ANY_PAGE, Sites, is_of
from server.net.urls import host_of
from server.reasons import Reason
from server.repositories.chunks import chunks

_WAITING: Final = (ImageStatus.QUEUED, ImageStatus.DOWNLOADING)


@dataclass(frozen=True)
class OfSite:
    """What there is of a site.

    Attributes:
        image_ids: What is not here yet first, lest it be fetched meanwhile; then duplicates, so
            that none is made ready in the moment before it goes.
        hashes: Of the images' bytes, by dataset.
        image_counts: By dataset.
        page_capture_ids: Captures that were taken on the site's own pages.
    """

    image_ids: Sequence[str]
    hashes: dict[str, set[str]]
    image_counts: dict[str, int]
    page_capture_ids: Collection[str]


async def find_of_site(session: Session, site: str, dataset_id: str | None) -> OfSite:
    """Return what there is of a site, in one dataset or in all.

    An image is of the site by its address, by where a redirect led from there, or by a page that
    shows it: its own source, that of a sighting, or the page of a capture that is no search. Pages
    of results are no such page: what a search engine found is not the search engine's.
    """
    captures = await _find_page_captures(session, site, dataset_id)
    found = await _find_by_hosts(session, site, dataset_id)
    found |= await _find_by_addresses(session, site, dataset_id)
    found |= await _find_seen_in(session, captures)
    ordered: list[tuple[bool, bool, str]] = []
    hashes: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    columns = (
        ImageRecord.id,
        ImageRecord.dataset_id,
        ImageRecord.sha256,
        ImageRecord.status,
    )
    for chunk in chunks(sorted(found)):
        rows = await session.execute(select(*columns).where(ImageRecord.id.in_(chunk)))
        for image_id, owner_id, sha256, status in rows:
            is_duplicate = status == ImageStatus.DUPLICATE
            ordered.append((status not in _WAITING, not is_duplicate, image_id))
            counts[owner_id] = counts.get(owner_id, 0) + 1
            if sha256 is not None:
                hashes.setdefault(owner_id, set()).add(sha256)
    return OfSite([key for _, _, key in sorted(ordered)], hashes, counts, captures)


def _in_dataset(query: Any, column: Any, dataset_id: str | None) -> Any:
    return query if dataset_id is None else query.where(column == dataset_id)


async def _find_by_hosts(session: Session, site: str, dataset_id: str | None) -> set[str]:
    query = select(ImageRecord.id).where(is_hosted_by(site))
    return set(await session.scalars(_in_dataset(query, ImageRecord.dataset_id, dataset_id)))


def is_hosted_by(site: str) -> ColumnElement[bool]:
    """Return the condition that an image, or the page that it was seen on, lies on a site."""
    columns = (ImageRecord.host, ImageRecord.page_host)
    is_same = [column == site for column in columns]
    if "." in site:
        is_same += [column.endswith(f".{site}", autoescape=True) for column in columns]
    # Neither host need be known, and what is unknown is on no site.
    return func.coalesce(or_(*is_same), false())


async def _find_by_addresses(session: Session, site: str, dataset_id: str | None) -> set[str]:
    """Return the images by addresses whose hosts are not kept: few differ from those that are."""
    redirected = select(ImageRecord.id, ImageRecord.final_url).where(
        ImageRecord.final_url.is_not(None), ImageRecord.final_url.is_distinct_from(ImageRecord.url)
    )
    seen = (
        select(ImageRecord.id, SightingRecord.source_url)
        .join(SightingRecord, SightingRecord.image_id == ImageRecord.id)
        .where(
            SightingRecord.source_url.is_not(None),
            SightingRecord.source_url.is_distinct_from(ImageRecord.source_url),
        )
    )
    found: set[str] = set()
    for query in (redirected, seen):
        rows = await session.execute(_in_dataset(query, ImageRecord.dataset_id, dataset_id))
        found |= set(_of_site(rows, site))
    return found


async def _find_page_captures(session: Session, site: str, dataset_id: str | None) -> set[str]:
    query = select(CaptureRecord.id, CaptureRecord.page_url).where(
        CaptureRecord.page_url.is_not(None),
        or_(CaptureRecord.engine.is_(None), CaptureRecord.engine == ANY_PAGE),
    )
    rows = await session.execute(_in_dataset(query, CaptureRecord.dataset_id, dataset_id))
    return set(_of_site(rows, site))


async def _find_seen_in(session: Session, capture_ids: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for chunk in chunks(sorted(capture_ids)):
        query = select(SightingRecord.image_id).where(SightingRecord.capture_id.in_(chunk))
        found |= set(await session.scalars(query))
    return found


def _of_site(rows: Iterable[Any], site: str) -> Iterator[str]:
    for key, address in rows:
        # Reading an address strictly takes 10 µs, looking for a text in it a tenth of one.
        if (site in address.lower() or not address.isascii()) and is_of(host_of(address), site):
            yield key


async def count_emptied(
    session: Session, image_ids: Sequence[str], page_capture_ids: Collection[str]
) -> int:
    """Return how many captures have no sighting left without these images.

    Args:
        session: To read with.
        image_ids: The images.
        page_capture_ids: Counted too where they have none as it is.
    """
    number = func.count()
    lost: dict[str, int] = dict.fromkeys(page_capture_ids, 0)
    for chunk in chunks(image_ids):
        query = select(SightingRecord.capture_id, number).where(SightingRecord.image_id.in_(chunk))
        for capture_id, count in await session.execute(query.group_by(SightingRecord.capture_id)):
            lost[capture_id] = lost.get(capture_id, 0) + count
    kept: dict[str, int] = {}
    for chunk in chunks(list(lost)):
        query = select(SightingRecord.capture_id, number).where(
            SightingRecord.capture_id.in_(chunk)
        )
        rows = await session.execute(query.group_by(SightingRecord.capture_id))
        kept |= dict(rows.all())
    return sum(kept.get(capture_id, 0) == count for capture_id, count in lost.items())


# --- what is kept out -----------------------------------------------------------------------------


async def read_blocked(session: Session) -> Sites:
    """Return the sites of which nothing is collected; few, since a person named each."""
    return Sites(list(await session.scalars(select(BlockedSiteRecord.site))))


async def list_blocked(session: Session) -> Sequence[BlockedSiteRecord]:
    """Return the sites of which nothing is collected, by name."""
    rows = await session.scalars(select(BlockedSiteRecord).order_by(BlockedSiteRecord.site))
    return rows.all()


async def block(session: Session, site: str, now: datetime) -> None:
    """Keep a site out; nothing happens when it is."""
    row = {"site": site, "blocked_at": now}
    await session.execute(insert(BlockedSiteRecord).values(row).on_conflict_do_nothing())


async def reject_queued(
    session: Session, site: str, now: datetime, detail: str, most: int
) -> dict[str, int]:
    """Reject images of a site that wait for their download, in whatever dataset.

    Args:
        session: To write with.
        site: That is kept out.
        now: The time.
        detail: The sentence that says why.
        most: How many at once.

    Returns:
        How many, by dataset; nothing when none is left.
    """
    waiting = select(ImageRecord.id).where(
        ImageRecord.status == ImageStatus.QUEUED, is_hosted_by(site)
    )
    values = {
        "status": ImageStatus.REJECTED,
        "reason": Reason.OPT_OUT,
        "detail": detail,
        "not_before_at": None,
        "settled_at": now,
    }
    query = update(ImageRecord).where(ImageRecord.id.in_(waiting.limit(most))).values(values)
    query = query.execution_options(synchronize_session=False)
    rejected = await session.scalars(query.returning(ImageRecord.dataset_id))
    return Counter(rejected)


async def unblock(session: Session, site: str) -> bool:
    """Let a site in again; tell whether it was kept out."""
    query = delete(BlockedSiteRecord).where(BlockedSiteRecord.site == site)
    return bool((await session.scalars(query.returning(BlockedSiteRecord.site))).all())

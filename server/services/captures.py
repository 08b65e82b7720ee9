"""Use cases on captures: take one in, list them, undo one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from server.db.ids import new_id, new_ids
from server.db.models import CaptureRecord, ImageStatus
from server.db.session import Database, Session
from server.net import urls
from server.net.sites import ANY_PAGE, Sites, kept_out
from server.reasons import Reason
from server.repositories import captures, datasets, held, images, sites
from server.repositories.held import Held
from server.repositories.paging import Page, PageRequest
from server.services.feed import Feed


@dataclass(frozen=True)
class Candidate:
    """An image address seen on a page, with what the page says of it."""

    url: str
    source_url: str | None = None
    thumbnail_url: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    rank: int | None = None
    license: str | None = None


@dataclass(frozen=True)
class Capture:
    """One act of collecting, as the client tells it."""

    capture_key: str
    label: str | None
    candidates: Sequence[Candidate]
    captured_at: datetime
    page_url: str | None = None
    page_title: str | None = None
    engine: str | None = None
    query: str | None = None
    client: str | None = None


@dataclass(frozen=True)
class Refusal:
    """A candidate that cannot be an image's address.

    Attributes:
        index: Its place in the capture's list.
    """

    index: int
    reason: Reason
    detail: str


@dataclass
class _Sorted:
    """The candidates of a capture, their hosts and their pages' by key, and those without one.

    All that reads addresses is done before the transaction, for which every writer waits.
    """

    by_key: dict[str, Candidate] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    page_hosts: dict[str, str | None] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    repeated_count: int = 0


class CaptureService:
    """Take captures in, show and undo them."""

    def __init__(self, database: Database, feed: Feed) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._feed = feed

    async def take(self, dataset_id: str, capture: Capture) -> CaptureRecord:
        """Store a capture, once per ``capture_key``: sent again, the first answer is given again.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        sorted_candidates = _sort(capture.candidates)
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            before = await captures.find_by_key(session, dataset_id, capture.capture_key)
            if before is not None:
                return before
            blocked = await sites.read_blocked(session)
            _refuse_kept_out(capture, sorted_candidates, blocked)
            record = await _store(session, dataset_id, capture, sorted_candidates)
        self._feed.images_queued.send()
        self._feed.dataset(dataset_id).send()
        return record

    async def list_page(
        self, dataset_id: str, request: PageRequest
    ) -> Page[tuple[CaptureRecord, str | None]]:
        """Return a page of captures with their label's name, newest first.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            page = await captures.list_page(session, dataset_id, request)
            names = await images.get_label_names(session, [c.label_id for c in page.items])
        items = [(record, names.get(record.label_id or "")) for record in page.items]
        return Page(items, page.next_cursor, page.total)

    async def undo(self, capture_id: str) -> None:
        """Delete the capture, and the images that nothing else has seen.

        Raises:
            CaptureNotFoundError: No capture has this id.
        """
        async with self._database.write() as session:
            record = await captures.get(session, capture_id)
            doomed = await captures.list_images_only_seen_in(session, capture_id)
            await session.delete(record)
            await session.flush()
            await images.delete_images(session, doomed)
        self._feed.images_deleted.send()
        self._feed.dataset(record.dataset_id).send_many()

    async def find_known(self, dataset_id: str, addresses: Sequence[str]) -> dict[int, Held]:
        """Return what the dataset has of these addresses, by their places in the list.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        keys = [_key(address) for address in addresses]
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            found = await held.find_held(
                session, dataset_id, {key for key in keys if key is not None}
            )
        return {index: found[key] for index, key in enumerate(keys) if key in found}


def _key(address: str) -> str | None:
    try:
        return urls.normalise(address)
    except urls.BadUrlError:
        return None


def _sort(candidates: Sequence[Candidate]) -> _Sorted:
    result = _Sorted()
    for index, candidate in enumerate(candidates):
        try:
            key = urls.normalise(candidate.url)
        except urls.BadUrlError as error:
            result.refused.append(Refusal(index, Reason.BAD_URL, str(error)))
            continue
        if key in result.by_key:
            result.repeated_count += 1
        else:
            result.by_key[key] = candidate
            result.hosts[key] = urls.parse(key).host
            result.page_hosts[key] = urls.host_of(candidate.source_url)
    return result


def _refuse_kept_out(capture: Capture, candidates: _Sorted, blocked: Sites) -> None:
    """Refuse the candidates of sites that are kept out, or all where the page itself is."""
    if not blocked:
        return
    is_search = capture.engine is not None and capture.engine != ANY_PAGE
    page_host = None if is_search else urls.host_of(capture.page_url)
    doomed: dict[str, str] = {}
    for key in candidates.by_key:
        hosts = (candidates.hosts[key], candidates.page_hosts[key], page_host)
        if (site := blocked.find(hosts)) is not None:
            doomed[key] = site
    kept = len(candidates.refused)
    for index, candidate in enumerate(capture.candidates):
        if (key := _key(candidate.url) or "") in doomed:
            detail = kept_out(doomed[key])
            candidates.refused.append(Refusal(index, Reason.OPT_OUT, detail))
    # Those that came twice are refused twice.
    candidates.repeated_count -= len(candidates.refused) - kept - len(doomed)
    candidates.refused.sort(key=lambda refusal: refusal.index)
    for key in doomed:
        del candidates.by_key[key]


async def _store(
    session: Session, dataset_id: str, capture: Capture, candidates: _Sorted
) -> CaptureRecord:
    known = await images.find_by_keys(session, dataset_id, candidates.by_key.keys())
    label = (
        await datasets.get_or_add_label(session, dataset_id, capture.label)
        if capture.label is not None
        else None
    )
    record = CaptureRecord(
        id=new_id(),
        dataset_id=dataset_id,
        capture_key=capture.capture_key,
        label_id=None if label is None else label.id,
        page_url=capture.page_url,
        page_title=capture.page_title,
        engine=capture.engine,
        query=capture.query,
        client=capture.client,
        captured_at=capture.captured_at,
        received_at=datetime.now(UTC),
        added_count=len(candidates.by_key) - len(known),
        known_count=len(known) + candidates.repeated_count,
        refused=[vars(refusal) for refusal in candidates.refused],
    )
    session.add(record)
    await session.flush()
    new = [key for key in candidates.by_key if key not in known]
    ids = dict(zip(new, new_ids(len(new)), strict=True)) | known
    await images.insert_images(
        session, [_image_row(record, ids[key], key, candidates) for key in new]
    )
    sighting_ids = new_ids(len(candidates.by_key))
    await captures.insert_sightings(
        session,
        [
            {
                "id": sighting_id,
                "image_id": ids[key],
                "capture_id": record.id,
                "rank": candidate.rank,
                "source_url": candidate.source_url,
                "title": candidate.title,
            }
            for sighting_id, (key, candidate) in zip(
                sighting_ids, candidates.by_key.items(), strict=True
            )
        ],
    )
    return record


def _image_row(
    capture: CaptureRecord, image_id: str, key: str, candidates: _Sorted
) -> dict[str, object]:
    candidate = candidates.by_key[key]
    return {
        "id": image_id,
        "dataset_id": capture.dataset_id,
        "label_id": capture.label_id,
        "url": candidate.url,
        "url_key": key,
        "host": candidates.hosts[key],
        "page_host": candidates.page_hosts[key],
        "source_url": candidate.source_url,
        "thumbnail_url": candidate.thumbnail_url,
        "title": candidate.title,
        "declared_width": candidate.width,
        "declared_height": candidate.height,
        "license": candidate.license,
        "status": ImageStatus.QUEUED,
        "attempts": 0,
        "excluded": False,
        "created_at": capture.received_at,
    }

"""Use case: remove everything of a site, and keep it out.

In this order, so that a crash at any point leaves a removal that is finished at the next start:
the site is kept out, the removal is recorded as begun with all that had used the site, images and
rows of bytes go in short transactions with the files of each right after, and last what was derived
of snapshots. Rows go before files, so no row is ever without its bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from server.db.ids import new_id
from server.db.models import SnapshotRecord
from server.db.removal_models import BlockedSiteRecord, RemovalRecord, RemovedBlobRecord
from server.db.session import Database
from server.errors import SiteNotBlockedError
from server.exports.leftovers import SnapshotLeftovers
from server.exports.listing import Shelves, SnapshotFiles
from server.exports.provenance import find_of_site
from server.inference.pool import CpuPool
from server.net.sites import kept_out
from server.repositories import blobs, datasets, removals, sites, snapshots
from server.repositories.paging import Page, PageRequest
from server.repositories.removals import Use
from server.repositories.sites import OfSite
from server.services.custody import Custody
from server.services.feed import Feed

log = logging.getLogger(__name__)

# Images of one transaction: some 50 ms, for which other writers wait.
_BATCH: Final = 200
# Rows of one update: about as long.
_MOST_REJECTED: Final = 1000


@dataclass(frozen=True)
class SiteRequest:
    """What to remove.

    Attributes:
        site: As `server.net.sites.parse_site` returns it.
        dataset_id: Of one dataset; None for all.
        is_blocking: Keep it out from now on.
    """

    site: str
    dataset_id: str | None = None
    is_blocking: bool = False


@dataclass(frozen=True)
class RemovalView:
    """What a removal took, or would take.

    Attributes:
        found: ``datasets``, ``snapshots`` and ``models`` that have images of the site.
        removal_id: None of what was only looked at.
    """

    request: SiteRequest
    images: int
    captures: int
    blobs: int
    bytes: int
    found: dict[str, Any]
    removal_id: str | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class _Plan:
    """What there is to remove.

    Attributes:
        of_site: Images and captures.
        hashes: Of all bytes of the site, of which some may be held by others too.
        last: Of those, the ones that nothing else holds.
        uses: Of snapshots.
        unreadable: Snapshots of which it is not known where their images come from.
    """

    of_site: OfSite
    hashes: Collection[str]
    last: Collection[str]
    uses: Sequence[Use]
    unreadable: Collection[str]


class RemovalService:
    """Looks for what there is of a site, takes it away, and remembers that it did."""

    def __init__(
        self, database: Database, feed: Feed, shelves: Shelves, custody: Custody, pool: CpuPool
    ) -> None:
        """Keep what the use cases need.

        Args:
            database: Rows.
            feed: Is told what changed.
            shelves: Where snapshots lie, and what is derived of them.
            custody: Of the bytes.
            pool: Where manifests are read.
        """
        self._database = database
        self._feed = feed
        self._files = SnapshotFiles(shelves.snapshots)
        self._leftovers = SnapshotLeftovers(shelves)
        self._writing = shelves.writing
        self._custody = custody
        self._pool = pool
        # Two removals at once would count the same images twice.
        self._turn = asyncio.Lock()
        self._latest = datetime.min.replace(tzinfo=UTC)

    async def preview(self, request: SiteRequest) -> RemovalView:
        """Return what a removal would take; nothing is changed.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        await self._check(request)
        plan = await self._plan(request)
        of_site = plan.of_site
        async with self._database.read() as session:
            blob_count, size_bytes = await removals.measure(session, plan.last)
            captures = await sites.count_emptied(
                session, of_site.image_ids, of_site.page_capture_ids
            )
            found = await removals.describe(session, of_site.image_counts, plan.uses)
        return RemovalView(request, len(of_site.image_ids), captures, blob_count, size_bytes, found)

    async def remove(self, request: SiteRequest) -> RemovalView:
        """Remove everything of a site for good; return what went.

        One that was cut short is continued: its counts are of all that it took.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            DatabaseFailedError: The database cannot be written; asked again, it goes on.
            OSError: A file cannot be deleted; likewise.
        """
        await self._check(request)
        async with self._turn:
            if request.is_blocking:
                # With nobody in the middle of keeping bytes: whoever comes later sees it.
                async with self._custody.taking(), self._database.write() as session:
                    await sites.block(session, request.site, datetime.now(UTC))
            return await self._remove(request)

    async def finish_interrupted(self) -> int:
        """Finish the removals that a crash cut short; return how many.

        Raises:
            DatabaseFailedError: The database cannot be written.
            OSError: A file cannot be deleted.
        """
        async with self._turn:
            async with self._database.read() as session:
                cut_short = await removals.list_unfinished(session)
            for record in cut_short:
                await self._remove(_request_of(record))
        return len(cut_short)

    async def list_page(self, request: PageRequest) -> Page[RemovalView]:
        """Return a page of what was removed, newest first.

        Raises:
            InvalidCursorError: The cursor is none of this list.
        """
        async with self._database.read() as session:
            page = await removals.list_page(session, request)
        return Page([_view_of(record) for record in page.items], page.next_cursor, page.total)

    async def list_blobs(
        self, cursor: str | None, limit: int
    ) -> tuple[Sequence[RemovedBlobRecord], str | None]:
        """Return bytes that were taken, in the order in which they went, and where to go on later.

        Raises:
            InvalidCursorError: The cursor is none of this list.
        """
        async with self._database.read() as session:
            return await removals.list_blobs(session, cursor, limit)

    async def list_blocked(self) -> Sequence[BlockedSiteRecord]:
        """Return the sites that are kept out, by name."""
        async with self._database.read() as session:
            return await sites.list_blocked(session)

    async def unblock(self, site: str) -> None:
        """Let a site in again.

        Raises:
            SiteNotBlockedError: It is not kept out.
        """
        async with self._database.write() as session:
            if not await sites.unblock(session, site):
                raise SiteNotBlockedError(site)

    # --- what there is

    async def _check(self, request: SiteRequest) -> None:
        if request.dataset_id is not None:
            async with self._database.read() as session:
                await datasets.get(session, request.dataset_id)

    async def _plan(self, request: SiteRequest) -> _Plan:
        async with self._database.read() as session:
            of_site = await sites.find_of_site(session, request.site, request.dataset_id)
            taken = await snapshots.list_all(session)
        unreadable: list[str] = []
        by_dataset = {key: set(hashes) for key, hashes in of_site.hashes.items()}
        for snapshot in taken:
            if request.dataset_id in {None, snapshot.dataset_id}:
                # Images that are no longer in the dataset: their bytes are here for this alone.
                path = self._files.provenance(snapshot.id)
                frozen = await self._pool.run(find_of_site, path, request.site)
                by_dataset.setdefault(snapshot.dataset_id, set()).update(frozen.hashes)
                if frozen.is_damaged:
                    unreadable.append(snapshot.id)
        hashes = set().union(*by_dataset.values())
        async with self._database.read() as session:
            last = await blobs.find_last_held(session, hashes, set(of_site.image_ids))
        uses = [
            use
            for snapshot in taken
            if (use := await self._use(snapshot, by_dataset.get(snapshot.dataset_id, set()), last))
        ]
        return _Plan(of_site, hashes, last, uses, unreadable)

    async def _use(
        self, snapshot: SnapshotRecord, hashes: Collection[str], last: Collection[str]
    ) -> Use | None:
        if not hashes and not last:
            return None
        held = await self._pool.run(self._files.read_hashes, snapshot.id)
        gone = held.intersection(last)
        used = len(held.intersection(hashes) | gone)
        return Use(snapshot, used, len(gone)) if used else None

    # --- taking it away

    def _moment(self) -> datetime:
        """Return the time, and always a later one, also when the clock was set back.

        Who asks what has gone since the last time would else never hear of some.
        """
        self._latest = max(datetime.now(UTC), self._latest + timedelta(microseconds=1))
        return self._latest

    async def _remove(self, request: SiteRequest) -> RemovalView:
        async with self._database.read() as session:
            self._latest = await removals.find_latest(session) or self._latest
        plan = await self._plan(request)
        record = await self._begin(request, plan)
        if request.is_blocking:
            await self._reject_queued(request.site)
        owners = plan.of_site.image_counts
        for dataset_id in owners:
            # What waits for its turn is not asked of the site any more.
            self._feed.pause(dataset_id)
        # Files that a crash left when their rows had gone.
        async with self._custody.taking():
            async with self._database.read() as session:
                left = await removals.list_gone(session, record.id)
            await self._custody.delete_files(left)
        waiting = iter(plan.of_site.image_ids)
        while batch := list(islice(waiting, _BATCH)):
            await self._take(record.id, batch)
            for dataset_id in owners:
                self._feed.dataset(dataset_id).send_many()
        await self._take_bytes(record.id, plan.last)
        view = await self._finish(record.id, plan)
        for dataset_id in owners:
            self._feed.dataset(dataset_id).send_many()
        self._feed.images_queued.send()
        counts = {"images": view.images, "blobs": view.blobs, "bytes": view.bytes}
        log.info("site.removed", extra={"removal_id": record.id, **counts})
        return view

    async def _begin(self, request: SiteRequest, plan: _Plan) -> RemovalRecord:
        async with self._database.write() as session:
            record = await removals.find_unfinished(session, request.site, request.dataset_id)
            if record is None:
                record = RemovalRecord(
                    id=new_id(),
                    site=request.site,
                    dataset_id=request.dataset_id,
                    is_blocking=request.is_blocking,
                    image_count=0,
                    capture_count=0,
                    blob_count=0,
                    removed_bytes=0,
                    found=await removals.describe(session, plan.of_site.image_counts, plan.uses),
                    created_at=datetime.now(UTC),
                )
                session.add(record)
                await session.flush()
            await removals.keep_uses(session, record.id, plan.uses)
        return record

    async def _reject_queued(self, site: str) -> None:
        """Have nobody ask a site that is kept out, for other datasets neither."""
        rejected = {"": 0}
        while rejected:  # each round rejects some, and none is queued of it any more
            async with self._database.write() as session:
                now, detail = datetime.now(UTC), kept_out(site)
                rejected = await sites.reject_queued(session, site, now, detail, _MOST_REJECTED)
            for dataset_id in rejected:
                self._feed.dataset(dataset_id).send_many()

    async def _take(self, removal_id: str, image_ids: Sequence[str]) -> None:
        async with self._custody.taking():
            async with self._database.write() as session:
                record = await removals.get(session, removal_id)
                gone = await removals.take_images(session, record, image_ids, self._moment())
            await self._custody.delete_files(gone)

    async def _take_bytes(self, removal_id: str, hashes: Collection[str]) -> None:
        """Take the bytes that snapshots alone still held."""
        waiting = iter(sorted(hashes))
        while batch := list(islice(waiting, _BATCH)):
            async with self._custody.taking():
                async with self._database.write() as session:
                    record = await removals.get(session, removal_id)
                    gone = await removals.take_blobs(session, record, batch, self._moment())
                await self._custody.delete_files(gone)

    async def _finish(self, removal_id: str, plan: _Plan) -> RemovalView:
        async with self._database.read() as session:
            gone = set(await removals.list_gone(session, removal_id))
            taken = await snapshots.list_all(session)
        # Anew: one may have been taken meanwhile, or an image kept by another that came.
        uses = [use for one in taken if (use := await self._use(one, (), gone))]
        stale = {use.snapshot.id for use in (*uses, *plan.uses)}.union(plan.unreadable)
        async with self._writing:  # what is half written would be there after all
            for snapshot_id in stale:
                await self._pool.run(self._leftovers.delete_derived, snapshot_id)
        now = datetime.now(UTC)
        async with self._database.write() as session:
            record = await removals.get(session, removal_id)
            await removals.take_empty_captures(session, record, plan.of_site.page_capture_ids)
            await removals.settle_uses(session, removal_id, uses)
            await removals.fail_jobs(session, [use.snapshot.id for use in uses], now)
            await removals.forget_empty_actions(session, plan.of_site.image_counts)
            record.finished_at = now
        return _view_of(record)


def _request_of(record: RemovalRecord) -> SiteRequest:
    return SiteRequest(record.site, record.dataset_id, record.is_blocking)


def _view_of(record: RemovalRecord) -> RemovalView:
    return RemovalView(
        request=_request_of(record),
        images=record.image_count,
        captures=record.capture_count,
        blobs=record.blob_count,
        bytes=record.removed_bytes,
        found=record.found,
        removal_id=record.id,
        created_at=record.created_at,
        finished_at=record.finished_at,
    )

"""The two ends of the pipeline over the database: what is to be downloaded, and what became of it.

Datasets share the room evenly, so a small one is through soon, however long the queue of another
is; within a dataset, hosts do. Both are found in time that does not depend on how much is queued.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import ceil
from typing import Final

from server.db.models import AttemptRecord
from server.db.session import Database, Session
from server.net.sites import Sites, kept_out
from server.pipeline.work import Allowance, Claim, End, Result, Work
from server.reasons import Reason
from server.repositories import datasets, queue, sites
from server.repositories.queue import Attempt, QueuedImage, Settlement
from server.services.custody import Custody
from server.services.feed import Feed
from server.services.intake import blob_row

log = logging.getLogger(__name__)

# Hosts looked at in one claim beside those that are wanted: paused ones are passed over.
_LEAST_HOSTS: Final = 64
# Images whose time has come, made due at once: some milliseconds.
_MOST_WOKEN: Final = 1000
SHOWN_ATTEMPTS: Final = 20  # what a person reads; more are kept


@dataclass
class _Share:
    """What one dataset gives to one claim.

    Attributes:
        is_whole: Every host of which something is due was looked at.
    """

    images: list[QueuedImage] = field(default_factory=list)
    more_hosts: set[str] = field(default_factory=set)
    is_whole: bool = True


class DownloadService:
    """Moves images from ``queued`` to ``ready``, ``rejected`` or ``duplicate``."""

    def __init__(self, database: Database, feed: Feed, custody: Custody) -> None:
        """Keep what the use case needs."""
        self._custody = custody
        self._database = database
        self._feed = feed
        # Where the last claim of a dataset ended in the order of its hosts. Some bytes a dataset.
        self._last_hosts: dict[str, str] = {}

    async def recover(self) -> int:
        """Queue again what a killed process left as ``downloading``; return how many."""
        async with self._database.write() as session:
            return await queue.requeue_downloading(session)

    async def claim(self, room: int, allowance: Allowance) -> Claim:
        """Take queued images, evenly from datasets and hosts, the oldest of each host first.

        Raises:
            DatabaseFailedError: The database cannot be written just now.
        """
        now = datetime.now(UTC)
        async with self._database.read() as session:
            next_at = await queue.next_due_at(session)
            is_idle = not await queue.list_queued_datasets(session)
        if is_idle:  # a transaction less, and nothing that waits is due in a paused dataset
            return Claim(next_at=None)
        async with self._database.write() as session:
            if next_at is not None and next_at <= now:
                await queue.wake_due(session, now, _MOST_WOKEN)
                next_at = await queue.next_due_at(session)
            share = await self._take_shares(session, room, allowance)
            tried_before = [image.id for image in share.images if image.attempts]
            refusals = await queue.read_refusals(session, tried_before)
            await queue.claim(session, [image.id for image in share.images])
        for dataset_id in {image.dataset_id for image in share.images}:
            self._feed.dataset(dataset_id).send()
        return Claim(
            [
                Work(i.id, i.dataset_id, i.url, i.host, i.retries, refusals.get(i.id))
                for i in share.images
            ],
            more_hosts=share.more_hosts,
            next_at=next_at,
            is_partial=not share.is_whole and len(share.images) < room,
        )

    async def settle(self, results: Sequence[Result]) -> None:
        """Keep the results in one transaction; images that were undone meanwhile are passed over.

        Raises:
            DatabaseFailedError: The database cannot be written just now.
        """
        hashes = [result.verified.sha256 for result in results if result.verified is not None]
        async with self._custody.keeping():
            missing = await self._custody.find_missing(hashes)
            settlements = [_settlement(_without_file(result, missing)) for result in results]
            async with self._database.write() as session:
                blocked = await sites.read_blocked(session)
                settlements = [
                    _kept_out(one, result.work.host, blocked)
                    for one, result in zip(settlements, results, strict=True)
                ]
                touched = await queue.settle(session, settlements)
        if blocked or self._custody.has_taken:
            # Of images that were removed meanwhile, or are refused, the files are here already.
            await self._custody.drop_unclaimed(hashes)
        if missing:  # which the pipeline does not know of
            self._feed.images_queued.send()
        self._feed.blobs_stored.send()
        log.info("download.settled", extra={"count": len(results)})
        for result in results:
            if log.isEnabledFor(logging.DEBUG):
                values = {"image_id": result.work.id, "end": result.end, "reason": result.reason}
                log.debug("download.finished", extra=values)
        for dataset_id in touched:
            ids = [result.work.id for result in results if result.work.group == dataset_id]
            self._feed.dataset(dataset_id).send(ids)

    async def list_attempts(self, image_id: str) -> Sequence[AttemptRecord]:
        """Return the last tries to get an image's bytes, oldest first; none for an unknown one."""
        async with self._database.read() as session:
            return await queue.list_attempts(session, image_id, SHOWN_ATTEMPTS)

    async def count_queued(self) -> int:
        """Return how many images are queued in datasets that are not paused."""
        async with self._database.read() as session:
            return sum(count for _, count in await queue.list_queued_datasets(session))

    async def pause(self, dataset_id: str, *, paused: bool) -> None:
        """Stop downloading for a dataset, or go on; what is under way is finished.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.write() as session:
            record = await datasets.get(session, dataset_id)
            record.paused = paused
        if paused:
            self._feed.pause(dataset_id)
        self._feed.images_queued.send()
        self._feed.dataset(dataset_id).send()

    async def _take_shares(self, session: Session, room: int, allowance: Allowance) -> _Share:
        whole = _Share()
        # Least first: what a small dataset does not take of its share goes to the larger ones.
        waiting = await queue.list_queued_datasets(session)
        for number, (dataset_id, _) in enumerate(waiting):
            left = room - len(whole.images)
            if left <= 0:
                whole.is_whole = False
                break
            share = await self._take_share(
                session, dataset_id, ceil(left / (len(waiting) - number)), allowance
            )
            whole.images += share.images
            whole.more_hosts |= share.more_hosts
            whole.is_whole &= share.is_whole
        return whole

    async def _take_share(
        self, session: Session, dataset_id: str, room: int, allowance: Allowance
    ) -> _Share:
        hosts, is_whole = await self._look_for_hosts(session, dataset_id, room)
        allowed = {host: allowance(host) for host in hosts}
        open_hosts = [host for host in hosts if allowed[host] > 0]
        found = await _read_evenly(session, dataset_id, open_hosts, allowed, room)
        taken = _by_turns(found, allowed, room)
        counts = dict.fromkeys(hosts, 0)
        for image in taken:
            counts[image.host] += 1
        more = {h for h in hosts if allowed[h] <= 0 or len(found.get(h, ())) > counts[h]}
        # The next claim begins behind the last host that had its turn in this one.
        served = [host for host in hosts if counts[host]]
        is_short = len(served) < len(open_hosts)
        last = served[-1] if is_short and served else (hosts[-1] if hosts else "")
        self._last_hosts[dataset_id] = "" if is_whole and not is_short else last
        return _Share(taken, more, is_whole)

    async def _look_for_hosts(
        self, session: Session, dataset_id: str, room: int
    ) -> tuple[list[str], bool]:
        """Return hosts in order from where the last claim ended, and whether these are all."""
        most = max(_LEAST_HOSTS, 2 * room)
        start = self._last_hosts.get(dataset_id, "")
        hosts = await queue.list_due_hosts(session, dataset_id, start, most)
        if len(hosts) == most:
            return hosts, False
        if not start:
            return hosts, True
        before = await queue.list_due_hosts(session, dataset_id, "", most)
        is_whole = len(before) < most or before[-1] >= start
        return hosts + [host for host in before if host <= start], is_whole


async def _read_evenly(
    session: Session, dataset_id: str, hosts: Sequence[str], allowed: dict[str, int], room: int
) -> dict[str, list[QueuedImage]]:
    """Return about as many due images as there is room for, by host, and one more of each host.

    Twice at most: what hosts with few leave of the room is asked of those with more.
    """
    found: dict[str, list[QueuedImage]] = {}
    ask, each = list(hosts), 0
    for _ in range(2):
        left = room - sum(map(len, found.values()))
        if not ask or left <= 0:
            break
        each += ceil(left / len(ask))
        most = min(each, max(allowed[host] for host in ask))
        for host in ask:
            found[host] = []
        for image in await queue.list_due(session, dataset_id, ask, most + 1):
            found[image.host].append(image)
        ask = [host for host in ask if len(found[host]) > most < allowed[host]]
    return found


def _by_turns(
    found: dict[str, list[QueuedImage]], allowed: dict[str, int], room: int
) -> list[QueuedImage]:
    """Return the first image of each host, then the second of each, as far as there is room."""
    queues = [images[: allowed[host]] for host, images in found.items()]
    longest = max(map(len, queues), default=0)
    turns = (queue[turn] for turn in range(longest) for queue in queues if turn < len(queue))
    return [image for _, image in zip(range(room), turns, strict=False)]


def _without_file(result: Result, missing: Collection[str]) -> Result:
    """Have an image fetched once more whose file was taken away as another image's."""
    if result.verified is None or result.verified.sha256 not in missing:
        return result
    return Result(result.work, End.RELEASED)


def _kept_out(one: Settlement, host: str, blocked: Sites) -> Settlement:
    """Reject what lies on a site that is kept out, or what a redirect led to there.

    Also what was to be tried once more: it was under way when the site was named.
    """
    landed = None if one.attempt is None else one.attempt.final_url
    is_open = one.blob is not None or one.is_queued
    site = (blocked.find([host]) or blocked.find_by_address(landed)) if is_open else None
    if site is None:
        return one
    detail = kept_out(site)
    return replace(
        one, blob=None, is_queued=False, again_at=None, reason=Reason.OPT_OUT, detail=detail
    )


def _settlement(result: Result) -> Settlement:
    outcome = result.outcome
    attempt = None
    if outcome is not None and outcome.started_at is not None:
        attempt = Attempt(
            started_at=outcome.started_at,
            seconds=round(outcome.seconds, 4),
            reason=result.reason,
            http_status=outcome.http_status,
            bytes=outcome.received_bytes,
            declared_bytes=outcome.declared_bytes,
            final_url=outcome.final_url,
            is_downgraded=outcome.is_downgraded,
            detail=result.detail,
            refusal=result.refusal,
        )
    return Settlement(
        image_id=result.work.id,
        blob=None if result.verified is None else blob_row(result.verified),
        reason=result.reason if result.end is End.REJECTED else None,
        detail=result.detail,
        attempt=attempt,
        again_at=result.again_at,
        is_queued=result.end in {End.RETRY, End.RELEASED},
    )

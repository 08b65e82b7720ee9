"""Use case of the downloader: claim addresses, get and verify each, settle its image."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from server.db.models import ObtainedBy
from server.db.session import Database
from server.errors import ImageNotFoundError
from server.media.verify import NotUsableError, Verified
from server.net.fetch import Fetcher, Outcome
from server.reasons import Reason
from server.repositories import images
from server.repositories.images import ClaimedImage
from server.services.feed import Feed
from server.services.intake import Intake, blob_record

log = logging.getLogger(__name__)


class DownloadService:
    """Moves images from ``queued`` to ``ready``, ``rejected`` or ``duplicate``."""

    def __init__(self, database: Database, feed: Feed, fetcher: Fetcher, intake: Intake) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._feed = feed
        self._fetcher = fetcher
        self._intake = intake

    async def recover(self) -> int:
        """Queue again what a killed process left as ``downloading``; return how many.

        What it left half-written on disk is removed.
        """
        try:
            if swept := await self._intake.sweep():
                log.info("download.swept", extra={"count": swept})
        except OSError:  # room that is not won back is no reason not to start
            log.exception("download.sweep_failed")
        async with self._database.write() as session:
            return await images.requeue_downloading(session)

    async def claim(self, limit: int) -> Sequence[ClaimedImage]:
        """Take up to ``limit`` queued images, oldest first."""
        async with self._database.write() as session:
            return await images.claim_queued(session, limit)

    async def release(self, image_id: str) -> None:
        """Queue a claimed image again, if it is still there: this machine could not take it now."""
        async with self._database.write() as session:
            await images.requeue_downloading(session, image_id)

    async def give_up(self, claimed: ClaimedImage) -> None:
        """Reject an image on which our own code failed, if it is there; the log has the story."""
        with suppress(ImageNotFoundError):
            async with self._database.write() as session:
                image = await images.get(session, claimed.id)
                detail = "Bowerbird failed on it: see the server's log"
                images.settle_rejected(image, Reason.NOT_AN_IMAGE, detail)
        self._feed.dataset(claimed.dataset_id).send()

    async def download(self, claimed: ClaimedImage) -> None:
        """Fetch, verify, store and settle one image."""
        outcome = await self._fetcher.fetch(claimed.url)
        verified: Verified | None = None
        reason, detail = outcome.reason, outcome.detail
        if outcome.body is not None:
            try:
                verified = await self._intake.store(outcome.body)
            except NotUsableError as error:
                reason, detail = error.reason, error.detail
        try:
            await self._settle(claimed, outcome, verified, (reason, detail))
        except ImageNotFoundError:
            # Undone or deleted while it was fetched. The blob is an orphan now, nothing else.
            log.info("download.image_gone", extra={"image_id": claimed.id})
        self._feed.dataset(claimed.dataset_id).send()

    async def _settle(
        self,
        claimed: ClaimedImage,
        outcome: Outcome,
        verified: Verified | None,
        failure: tuple[Reason | None, str | None],
    ) -> None:
        async with self._database.write() as session:
            image = await images.get(session, claimed.id)
            image.final_url = outcome.final_url
            image.http_status = outcome.http_status
            if verified is not None:
                await images.add_blob(session, blob_record(verified))
                await images.settle_verified(session, image, verified.sha256, ObtainedBy.SERVER)
            else:
                # A body that is neither there nor refused cannot be; say so rather than break the
                # row's rule.
                images.settle_rejected(image, failure[0] or Reason.EMPTY, failure[1])
            status = image.status
        log.info(
            "download.finished",
            extra={
                "image_id": claimed.id,
                "status": status,
                "reason": failure[0],
                "seconds": round(outcome.seconds, 3),
            },
        )

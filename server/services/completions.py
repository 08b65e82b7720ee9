"""Use case: complete an image that the server could not get, with bytes that a browser got."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

from server.db.models import ImageRecord, ImageStatus, ObtainedBy
from server.db.session import Database, Session
from server.errors import ImageNotObtainableError
from server.media.verify import NotUsableError, Verified
from server.net.sites import kept_out
from server.reasons import Reason
from server.repositories import images, sites
from server.repositories.obtainable import is_obtainable
from server.services.custody import Custody
from server.services.feed import Feed
from server.services.images import ImageView, image_views
from server.services.intake import Intake, blob_record


@dataclass(frozen=True)
class Completion:
    """The bytes of an image that the dataset has by its address alone.

    Attributes:
        via: How the sender came by them.
        final_url: Where they came from in the end, after redirects; None when not known.
    """

    data: bytes
    via: ObtainedBy
    final_url: str | None = None


class CompletionService:
    """Takes bytes for images that were rejected because of who asked for them."""

    def __init__(self, database: Database, feed: Feed, intake: Intake, custody: Custody) -> None:
        """Keep what the use case needs."""
        self._custody = custody
        self._database = database
        self._feed = feed
        self._intake = intake

    async def complete(self, image_id: str, sent: Completion) -> ImageView:
        """Verify, store and settle; the bytes pass the same gate as those of a download.

        Sent again, they change nothing and the image is returned as it is: an answer may have been
        lost on its way. Bytes that are no usable image settle it as rejected, with their reason.

        Raises:
            ImageNotFoundError: No image has this id.
            ImageNotObtainableError: The image does not lack bytes, or would not be helped by these.
        """
        async with self._custody.keeping():
            view = await self._complete(image_id, sent)
        self._feed.blobs_stored.send()
        self._feed.dataset(view.record.dataset_id).send([image_id])
        return view

    async def _complete(self, image_id: str, sent: Completion) -> ImageView:
        digest = await asyncio.to_thread(lambda: hashlib.sha256(sent.data).hexdigest())
        async with self._database.read() as session:
            image = await images.get(session, image_id)
            is_wanted = await is_obtainable(session, image_id)
            if not is_wanted and not _could_be_repeated(image, digest):
                raise _refusal(image)
            blocked = await sites.read_blocked(session)
        site = blocked.find([image.host, image.page_host]) or blocked.find_by_address(
            image.url, sent.final_url
        )
        result: Verified | NotUsableError
        if site is not None:
            result = NotUsableError(Reason.OPT_OUT, kept_out(site))
        else:
            result = await self._verify(sent.data, keep=is_wanted)
        async with self._database.write() as session:
            image = await images.get(session, image_id)
            if is_wanted and await is_obtainable(session, image_id):
                await _settle(session, image, sent, result)
            elif not _is_repeated(image, result):
                raise _refusal(image)
            return (await image_views(session, [image]))[0]

    async def _verify(self, data: bytes, *, keep: bool) -> Verified | NotUsableError:
        try:
            return await (self._intake.store(data) if keep else self._intake.check(data))
        except NotUsableError as error:
            return error


async def _settle(
    session: Session, image: ImageRecord, sent: Completion, result: Verified | NotUsableError
) -> None:
    image.final_url = sent.final_url
    if isinstance(result, Verified):
        await images.add_blob(session, blob_record(result))
        await images.settle_verified(session, image, result.sha256, sent.via)
    else:
        images.settle_rejected(image, result.reason, result.detail)


def _could_be_repeated(image: ImageRecord, digest: str) -> bool:
    return image.status == ImageStatus.REJECTED or image.sha256 == digest


def _is_repeated(image: ImageRecord, result: Verified | NotUsableError) -> bool:
    if isinstance(result, Verified):
        return image.sha256 == result.sha256
    return image.status == ImageStatus.REJECTED and image.reason == result.reason


def _refusal(image: ImageRecord) -> ImageNotObtainableError:
    return ImageNotObtainableError(image.id, image.status, image.reason)

"""Use cases on images: show, list, upload, retry, and their bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server.db.ids import new_id
from server.db.models import (
    BlobRecord,
    CaptureRecord,
    ImageRecord,
    ImageStatus,
    ObtainedBy,
    SightingRecord,
)
from server.db.session import Database, Session
from server.errors import (
    BlobDamagedError,
    BlobNotFoundError,
    ImageNotFoundError,
    ImageNotUsableError,
    ImagesRemovedError,
)
from server.media.blobs import FileStore
from server.media.verify import NotUsableError
from server.net import urls
from server.net.sites import kept_out
from server.reasons import Reason
from server.repositories import datasets, images, listing, removals, sites
from server.repositories.filters import ImageFilter
from server.repositories.paging import Page, PageRequest
from server.services.custody import Custody
from server.services.feed import Feed
from server.services.intake import Intake, Stores, blob_record
from server.services.wholeness import removal_notes


@dataclass(frozen=True)
class ImageView:
    """An image with its label's name and, when it has bytes, their facts.

    Attributes:
        near_count: Ready images of the dataset that look like it, itself included.
    """

    record: ImageRecord
    label: str | None
    blob: BlobRecord | None
    near_count: int | None = None


@dataclass(frozen=True)
class Upload:
    """Bytes sent by a browser or a person, with where they come from.

    Attributes:
        is_feedback: A person took it over from feedback: so it is reviewed, and only learned from.
    """

    data: bytes
    label: str | None = None
    source_url: str | None = None
    page_url: str | None = None
    title: str | None = None
    is_feedback: bool = False


class ImageService:
    """Show, list, upload and retry images."""

    def __init__(
        self, database: Database, feed: Feed, intake: Intake, stores: Stores, custody: Custody
    ) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._feed = feed
        self._intake = intake
        self._stores = stores
        self._custody = custody

    async def show(
        self, image_id: str
    ) -> tuple[ImageView, Sequence[tuple[SightingRecord, CaptureRecord]]]:
        """Return the image and where it was seen.

        Raises:
            ImageNotFoundError: No image has this id.
        """
        async with self._database.read() as session:
            record = await images.get(session, image_id)
            view = (await image_views(session, [record]))[0]
            return view, await images.list_sightings(session, image_id)

    async def list_page(
        self, dataset_id: str, wanted: ImageFilter, request: PageRequest
    ) -> Page[Mapping[str, Any]]:
        """Return a page of the dataset's images, each as what is shown of it.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await listing.list_page(session, dataset_id, wanted, request)

    async def retry(self, dataset_id: str, reason: Reason | None, host: str | None) -> int:
        """Queue rejected images again, all or those of one reason or host; return how many.

        What lies on a site that is kept out stays rejected.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            # Those of sites that are kept out would be refused again at once.
            blocked = await sites.list_blocked(session)
            but = [sites.is_hosted_by(record.site) for record in blocked]
            count = await images.requeue_rejected(session, dataset_id, reason, host, but)
        self._feed.images_queued.send()
        self._feed.dataset(dataset_id).send_many()
        return count

    async def upload(self, dataset_id: str, upload: Upload) -> tuple[ImageView, bool]:
        """Add an image from its bytes; return it, and whether it is new.

        The same bytes uploaded again are the same image: an import may be run twice.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            ImageNotUsableError: The bytes are no image that can be used, and why.
        """
        async with self._custody.keeping():
            async with self._database.read() as session:
                await datasets.get(session, dataset_id)
                await _check_site(session, upload)
            view, is_new = await self._keep(dataset_id, upload)
        self._feed.blobs_stored.send()
        self._feed.dataset(dataset_id).send([view.record.id])
        return view, is_new

    async def _keep(self, dataset_id: str, upload: Upload) -> tuple[ImageView, bool]:
        try:
            verified = await self._intake.store(upload.data)
        except NotUsableError as error:
            raise ImageNotUsableError(error.reason, error.detail) from error
        url_key = f"upload:{verified.sha256}"
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            known = await images.find_by_keys(session, dataset_id, [url_key])
            if known:
                record = await images.get(session, known[url_key])
            else:
                await images.add_blob(session, blob_record(verified))
                record = await _add_uploaded(session, dataset_id, url_key, upload)
                await images.settle_verified(session, record, verified.sha256, ObtainedBy.UPLOAD)
            view = (await image_views(session, [record]))[0]
        return view, not known

    async def get_file(self, image_id: str) -> tuple[Path, BlobRecord]:
        """Return where the image's bytes lie, and their facts.

        Raises:
            ImageNotFoundError: No image has this id, or it has no bytes.
            BlobDamagedError: It should have, but the file is gone.
        """
        view, _ = await self.show(image_id)
        if view.blob is None:
            raise ImageNotFoundError(image_id)
        return await _find_file(self._stores.blobs, view.blob), view.blob

    async def get_thumbnail(self, image_id: str) -> tuple[Path, BlobRecord]:
        """Return where the image's thumbnail lies, and the facts of the whole.

        Raises:
            ImageNotFoundError: No image has this id, or it has no bytes.
            BlobDamagedError: It should have one, but the file is gone.
        """
        view, _ = await self.show(image_id)
        if view.blob is None:
            raise ImageNotFoundError(image_id)
        return await _find_file(self._stores.thumbnails, view.blob), view.blob

    async def get_blob(self, sha256: str) -> tuple[Path, BlobRecord]:
        """Return where the bytes with this hash lie.

        Raises:
            BlobNotFoundError: No verified bytes have this hash.
            ImagesRemovedError: They were removed for good.
            BlobDamagedError: They should be there, but the file is gone.
        """
        async with self._database.read() as session:
            blob = (await images.get_blobs(session, [sha256])).get(sha256)
            took = None if blob else await removals.find_removal_of_blob(session, sha256)
        if took is not None:
            raise ImagesRemovedError(
                f"{sha256} was removed for good, with everything of {took.site}",
                removals=removal_notes([took]),
            )
        if blob is None:
            raise BlobNotFoundError(sha256)
        return await _find_file(self._stores.blobs, blob), blob


async def _find_file(store: FileStore, blob: BlobRecord) -> Path:
    if not await asyncio.to_thread(store.exists, blob.sha256):
        raise BlobDamagedError(f"the file of {blob.sha256} is gone from the data folder")
    return store.path(blob.sha256)


async def image_views(session: Session, records: Sequence[ImageRecord]) -> list[ImageView]:
    """Return images of one dataset as they are shown, in their order."""
    blobs = await images.get_blobs(session, [record.sha256 for record in records])
    names = await images.get_label_names(session, [record.label_id for record in records])
    groups = {blob.near_group for blob in blobs.values()}
    counts = await listing.count_near(session, records[0].dataset_id, groups) if records else {}

    def view(record: ImageRecord) -> ImageView:
        blob = blobs.get(record.sha256 or "")
        near_count = None if blob is None else counts.get(blob.near_group)
        return ImageView(record, names.get(record.label_id or ""), blob, near_count)

    return [view(record) for record in records]


async def _check_site(session: Session, upload: Upload) -> None:
    """Refuse what comes from a page of a site that is kept out.

    Raises:
        ImageNotUsableError: It does.
    """
    blocked = await sites.read_blocked(session)
    site = blocked.find_by_address(upload.source_url, upload.page_url)
    if site is not None:
        raise ImageNotUsableError(Reason.OPT_OUT, kept_out(site))


async def _add_uploaded(
    session: Session, dataset_id: str, url_key: str, upload: Upload
) -> ImageRecord:
    label = (
        await datasets.get_or_add_label(session, dataset_id, upload.label)
        if upload.label is not None
        else None
    )
    now = datetime.now(UTC)
    record = ImageRecord(
        id=new_id(),
        dataset_id=dataset_id,
        label_id=None if label is None else label.id,
        url_key=url_key,
        source_url=upload.source_url or upload.page_url,
        page_host=urls.host_of(upload.source_url or upload.page_url),
        title=upload.title,
        # Settled in this same transaction; a row that is seen always has its bytes.
        status=ImageStatus.DOWNLOADING,
        attempts=0,
        excluded=False,
        train_only=upload.is_feedback,
        reviewed_at=now if upload.is_feedback else None,
        created_at=now,
    )
    session.add(record)
    await session.flush()
    return record

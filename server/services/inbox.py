"""Use cases of the inbox: a person looks at feedback, takes it over or lets it go.

What is taken over becomes an image that is reviewed, and only ever learned from: feedback is given
where the model was noticed, and would bend what is measured towards that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from server.db.feedback_models import FeedbackRecord, FeedbackState
from server.db.session import Database, DatabaseFailedError
from server.errors import (
    FeedbackDecidedError,
    FeedbackNotFoundError,
    FeedbackWithoutPictureError,
    PictureKnownError,
    RefusedError,
)
from server.labels import compose
from server.repositories import datasets, feedback, images
from server.repositories.feedback import FeedbackFilter
from server.repositories.paging import Page, PageRequest
from server.services.feedback import Pictures
from server.services.images import ImageService, Upload

log = logging.getLogger(__name__)

KEEP_DECIDED: Final = timedelta(days=90)  # a season, in which a decision may be asked about
_PRUNE_GAP_S: Final = 600.0
_MOST_ROUNDS: Final = 100  # of a batch each: ten times what an inbox holds


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class InboxService:
    """Shows feedback, and does what a person decides."""

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        dataset_images: ImageService,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Keep what the use cases need.

        Args:
            database: Rows.
            pictures: Where pictures lie that no dataset has.
            dataset_images: Adds to datasets.
            clock: Says what is old.
        """
        self._database = database
        self._pictures = pictures
        self._images = dataset_images
        self._clock = clock

    async def list_page(
        self, dataset_id: str, wanted: FeedbackFilter, request: PageRequest
    ) -> Page[FeedbackRecord]:
        """Return a page of a dataset's feedback, newest first.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await feedback.list_page(session, dataset_id, wanted, request)

    async def get_file(self, feedback_id: str) -> tuple[Path, str]:
        """Return where a picture lies that waits or was let go, and its media type.

        Raises:
            FeedbackNotFoundError: No feedback has this id, or none of its picture is here.
        """
        async with self._database.read() as session:
            record = await feedback.get(session, feedback_id)
        path = self._pictures.files.path(record.sha256)
        if record.bytes is None or not await asyncio.to_thread(path.is_file):
            raise FeedbackNotFoundError(feedback_id)
        return path, f"image/{record.format}"

    async def accept(self, feedback_id: str, label: str | None = None) -> FeedbackRecord:
        """Take a picture over into the dataset: reviewed, and only ever learned from.

        Where the dataset has it under that label already, it stays as it is there.

        Args:
            feedback_id: Which.
            label: Instead of what was said that it is.

        Raises:
            FeedbackNotFoundError: No feedback has this id.
            FeedbackDecidedError: It was taken over, or let go.
            RefusedError: Neither is a label given, nor was one said.
            FeedbackWithoutPictureError: Its picture was not sent.
            PictureKnownError: The dataset has it under another label.
            ImageNotUsableError: It is from a site that is kept out.
        """
        async with self._pictures.turn:
            async with self._database.read() as session:
                record = await feedback.get(session, feedback_id)
                _check_new(record)
                name = label or record.label or (record.predicted if record.is_right else None)
                if name is None:
                    raise RefusedError("nobody said what it is: give a label")
                there = await images.find_ready(session, record.dataset_id, record.sha256)
                names = await images.get_label_names(session, [there.label_id] if there else [])
            if there is None:
                image_id = await self._add(record, name)
            else:
                image_id, known = there.id, names.get(there.label_id or "")
                if known != compose(name):
                    raise PictureKnownError(
                        f"the dataset has this picture as image {image_id}, "
                        + (f"under {known!r}" if known else "without a label")
                        + "; change its label there, and let this go",
                        image_id=image_id,
                        label=known,
                    )
            record = await self._decide(feedback_id, FeedbackState.ACCEPTED, image_id)
            await self._delete_unnamed([record.sha256])
        return record

    async def dismiss(self, feedback_id: str) -> FeedbackRecord:
        """Let feedback go; it may be taken up again while its picture is kept.

        Raises:
            FeedbackNotFoundError: No feedback has this id.
            FeedbackDecidedError: It was taken over, or let go.
        """
        async with self._database.read() as session:
            _check_new(await feedback.get(session, feedback_id))
        return await self._decide(feedback_id, FeedbackState.DISMISSED)

    async def reopen(self, feedback_id: str) -> FeedbackRecord:
        """Take up again what was let go.

        Raises:
            FeedbackNotFoundError: No feedback has this id.
            FeedbackDecidedError: It was taken over: its image is in the dataset.
        """
        async with self._database.write() as session:
            record = await feedback.get(session, feedback_id)
            if record.state == FeedbackState.ACCEPTED:
                raise FeedbackDecidedError(
                    f"feedback {feedback_id} became image {record.image_id}: exclude that instead"
                )
            record.state, record.decided_at = FeedbackState.NEW, None
        return record

    async def delete(self, feedback_id: str) -> None:
        """Delete feedback and its picture; an image that it became stays.

        Raises:
            FeedbackNotFoundError: No feedback has this id.
        """
        async with self._pictures.turn:
            async with self._database.write() as session:
                record = await feedback.get(session, feedback_id)
                await session.delete(record)
            await self._delete_unnamed([record.sha256])

    async def run(self) -> None:
        """Delete what was decided long ago, until cancelled."""
        while True:
            try:
                await self.prune()
            except (DatabaseFailedError, OSError):  # what is left is found the next time
                log.exception("inbox.prune_failed")
            await asyncio.sleep(_PRUNE_GAP_S)

    async def prune(self) -> None:
        """Delete what was decided long ago or removed for good, and files that nothing names.

        Raises:
            DatabaseFailedError: The database cannot be written.
            OSError: A file cannot be deleted.
        """
        before = self._clock() - KEEP_DECIDED
        for _ in range(_MOST_ROUNDS):
            async with self._database.write() as session:
                if not await feedback.delete_surplus(session, before):
                    break
        files = self._pictures.files
        await asyncio.to_thread(files.sweep_temporary_files)
        for folder in await asyncio.to_thread(files.list_folders):
            found = await asyncio.to_thread(files.list_abandoned, folder, 0)
            async with self._pictures.turn:
                await self._delete_unnamed(found)

    async def _add(self, record: FeedbackRecord, label: str) -> str:
        if record.bytes is None:
            raise FeedbackWithoutPictureError(
                f"feedback {record.id} came without its picture: it can only be counted"
            )
        try:
            data = await asyncio.to_thread(self._pictures.files.read, record.sha256)
        except FileNotFoundError as error:
            raise FeedbackWithoutPictureError("its file is gone from the data folder") from error
        upload = Upload(data, label, source_url=record.source_url, is_feedback=True)
        view, _ = await self._images.upload(record.dataset_id, upload)
        return view.record.id

    async def _decide(
        self, feedback_id: str, state: FeedbackState, image_id: str | None = None
    ) -> FeedbackRecord:
        async with self._database.write() as session:
            record = await feedback.get(session, feedback_id)
            _check_new(record)
            record.state, record.decided_at = state, self._clock()
            if state is FeedbackState.ACCEPTED:
                record.image_id, record.bytes, record.format = image_id, None, None
        return record

    async def _delete_unnamed(self, hashes: Collection[str]) -> None:
        async with self._database.read() as session:
            unnamed = await feedback.list_unnamed(session, hashes)

        def delete() -> None:
            for sha256 in unnamed:
                self._pictures.files.delete(sha256)

        await asyncio.to_thread(delete)


def _check_new(record: FeedbackRecord) -> None:
    if record.state != FeedbackState.NEW:
        raise FeedbackDecidedError(f"feedback {record.id} was {record.state} before")

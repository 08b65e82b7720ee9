"""Use case of feedback: what people say of answers goes to an inbox, and nowhere else.

It is counted for rollouts as it comes. A picture gets into the dataset only when a person takes it
from the inbox: see `server.services.inbox`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from server.db.feedback_models import FeedbackRecord, FeedbackState
from server.db.ids import new_id
from server.db.models import ModelRecord
from server.db.session import Database, Session
from server.errors import (
    ImageNotUsableError,
    ImagesRemovedError,
    InboxFullError,
    RefusedError,
    TooMuchFeedbackError,
)
from server.media.blobs import FileStore
from server.media.verify import NotUsableError, Verified
from server.net.fetch import Fetcher
from server.net.sites import kept_out
from server.reasons import Reason
from server.repositories import feedback, models, removals, sites
from server.services.buckets import HOUR_S, Buckets
from server.services.intake import Intake

# Of one token: every 30 seconds for an hour is more than a person looks at with care, and who
# filled the inbox by a program needs two days for it.
PER_HOUR: Final = 120
MAX_WAITING: Final = 5_000  # in all inboxes: some five hours of a person's work
MAX_BYTES: Final = 1 << 30  # of pictures in all inboxes


@dataclass(frozen=True)
class Said:
    """What somebody says of an answer. Of the picture, exactly one member is not None.

    Attributes:
        predicted: The class that the model gave; None when it abstained.
        label: What the picture shows; None when that is not said, or is none of the classes.
        data: The picture's bytes.
        url: Its address, fetched as downloads are: guarded and capped.
        sha256: Its hash alone: then nothing of it is kept, and it can become no image.
    """

    model_id: str
    is_right: bool
    predicted: str | None = None
    label: str | None = None
    note: str | None = None
    data: bytes | None = None
    url: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Pictures:
    """Where pictures of feedback lie, and how they get there.

    Attributes:
        turn: Held by whoever relies on a file until its row is written, or deletes files.
    """

    files: FileStore
    intake: Intake
    fetcher: Fetcher
    turn: asyncio.Lock


@dataclass(frozen=True)
class _Picture:
    sha256: str
    data: bytes | None = None
    verified: Verified | None = None


class FeedbackService:
    """Takes feedback in."""

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what the use case needs.

        Args:
            database: Rows.
            pictures: Where they lie.
            clock: Seconds, of a clock that never goes back.
        """
        self._database = database
        self._pictures = pictures
        self._allowances = Buckets(clock)

    async def say(self, said: Said, client: str) -> tuple[FeedbackRecord, bool]:
        """Keep what somebody says of an answer; return it, and whether it is the first of it.

        Said again by the same client of the same model and picture, it replaces what was said.

        Args:
            said: What.
            client: Who: the id of their token.

        Raises:
            ModelNotFoundError: No model has the id.
            RefusedError: What is said contradicts itself, or names a class that the model lacks.
            TooMuchFeedbackError: The client has said enough for now.
            InboxFullError: As much waits as may.
            ImageNotUsableError: The picture cannot be had or read, and why.
            ImagesRemovedError: It was removed for good.
        """
        async with self._database.read() as session:
            model = await models.get(session, said.model_id)
        _check_sense(said, model)
        self._take_allowance(client)
        picture = await self._see(said)
        async with self._pictures.turn:
            async with self._database.read() as session:
                await _check_site(session, said.url)
                await _check_room(session, picture)
            if picture.data is not None:
                await asyncio.to_thread(self._pictures.files.write, picture.data, picture.sha256)
            return await self._keep(said, client, model, picture)

    async def counts(self, model_id: str, since: datetime) -> tuple[int, int]:
        """Return how many of a model's answers since then were called right, and wrong."""
        async with self._database.read() as session:
            return await feedback.count_by_verdict(session, model_id, since)

    def _take_allowance(self, client: str) -> None:
        lacking_s = self._allowances.wait_s(client, PER_HOUR, HOUR_S)
        if lacking_s > 0:
            raise TooMuchFeedbackError(
                f"{PER_HOUR} answers an hour are taken feedback on", math.ceil(lacking_s)
            )
        self._allowances.take(client)

    async def _see(self, said: Said) -> _Picture:
        """Return the picture, verified as what gets into a dataset is."""
        data = said.data
        if said.url is not None:
            outcome = await self._pictures.fetcher.fetch(said.url)
            if outcome.body is None:
                reason = outcome.reason or Reason.EMPTY
                raise ImageNotUsableError(reason, outcome.detail or reason.value)
            data = outcome.body
        if data is None:
            return _Picture(str(said.sha256))
        try:
            verified = await self._pictures.intake.check(data)
        except NotUsableError as error:
            raise ImageNotUsableError(error.reason, error.detail) from error
        return _Picture(verified.sha256, data, verified)

    async def _keep(
        self, said: Said, client: str, model: ModelRecord, picture: _Picture
    ) -> tuple[FeedbackRecord, bool]:
        async with self._database.write() as session:
            await models.get(session, model.id)  # it may have gone meanwhile
            record = await feedback.find(session, client, model.id, picture.sha256)
            is_new = record is None
            if record is None:
                record = FeedbackRecord(
                    id=new_id(),
                    dataset_id=model.dataset_id,
                    model_id=model.id,
                    client=client,
                    sha256=picture.sha256,
                )
                session.add(record)
            record.is_right = said.is_right
            record.predicted = said.predicted
            record.label = said.label
            record.note = said.note
            record.source_url = said.url or record.source_url
            record.state = FeedbackState.NEW
            record.image_id = record.decided_at = None
            record.created_at = datetime.now(UTC)
            if picture.verified is not None:
                record.bytes, record.format = picture.verified.bytes, picture.verified.format
            await session.flush()
        return record, is_new


def _check_sense(said: Said, model: ModelRecord) -> None:
    classes = model.manifest["classes"]
    if said.predicted is not None and said.predicted not in classes:
        raise RefusedError(
            f"{said.predicted!r} is no class of model {model.id}; it has {', '.join(classes)}"
        )
    if said.is_right and said.label not in {None, said.predicted}:
        raise RefusedError("an answer that is right needs no other label")
    if not said.is_right and said.label is not None and said.label == said.predicted:
        raise RefusedError(f"the answer was {said.label!r}: call it right, or name another label")
    if sum(part is not None for part in (said.data, said.url, said.sha256)) != 1:
        raise RefusedError("send the picture as `file`, or name it by `url` or `sha256`")


async def _check_site(session: Session, url: str | None) -> None:
    site = (await sites.read_blocked(session)).find_by_address(url)
    if site is not None:
        raise ImageNotUsableError(Reason.OPT_OUT, kept_out(site))


async def _check_room(session: Session, picture: _Picture) -> None:
    took = await removals.find_removal_of_blob(session, picture.sha256)
    if took is not None:
        raise ImagesRemovedError(f"{picture.sha256} was removed for good, with all of {took.site}")
    held = await feedback.measure(session)
    if held.waiting_count >= MAX_WAITING or held.bytes + len(picture.data or b"") > MAX_BYTES:
        raise InboxFullError(
            f"{held.waiting_count:,} answers wait for a look; go through some of them first"
        )

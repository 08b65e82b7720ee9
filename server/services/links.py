"""Use cases of links for others: make, list, revoke, and what a visitor is shown."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from server.db.ids import new_id
from server.db.link_models import PublicLinkRecord
from server.db.session import Database, DatabaseFailedError
from server.errors import LinkNotValidError, NoModelError, TooManyLinksError
from server.repositories import datasets, links
from server.repositories import models as model_rows
from server.services.models import ModelService, ModelView, view_of
from server.services.visitors import Allowance, Visitors

log = logging.getLogger(__name__)

MAX_LINKS: Final = 20  # of a dataset: what a person can still tell apart
DEFAULT_LIFE: Final = timedelta(days=30)
_GATHER_S: Final = 2.0  # uses are counted in one transaction for so long
_MOST_CARDS: Final = 16  # of 1 MiB at most, each of a live model that is asked about


@dataclass(frozen=True)
class LinkWish:
    """What a person wants of a link.

    Attributes:
        expires_at: None for `DEFAULT_LIFE` from now.
        per_hour: Answers to one address.
        per_day: Answers to all.
        does_keep: Whether answers go to the prediction log.
    """

    name: str
    expires_at: datetime | None
    per_hour: int
    per_day: int
    does_keep: bool


@dataclass(frozen=True)
class Shown:
    """What a visitor is shown: a live model and its card, and of whose dataset."""

    dataset_name: str
    model: ModelView
    card: str


def _now() -> datetime:
    return datetime.now(UTC)


class LinkService:
    """Links for others.

    Attributes:
        visitors: Lets those in who come by one.
    """

    def __init__(
        self,
        database: Database,
        models: ModelService,
        visitors: Visitors,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._models = models
        self.visitors = visitors
        self._clock = clock
        self._uses: Counter[str] = Counter()
        self._some = asyncio.Event()
        self._cards: dict[str, str] = {}
        # A bundle is read once, whoever comes meanwhile.
        self._reading = asyncio.Lock()

    async def create(self, dataset_id: str, wish: LinkWish) -> tuple[str, PublicLinkRecord]:
        """Make a link; return its secret, which is kept nowhere, and its row.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            TooManyLinksError: The dataset has `MAX_LINKS`.
        """
        secret, now = secrets.token_urlsafe(32), self._clock()
        record = PublicLinkRecord(
            id=new_id(),
            dataset_id=dataset_id,
            name=wish.name,
            sha256=_digest(secret),
            answers_per_hour=wish.per_hour,
            answers_per_day=wish.per_day,
            does_keep=wish.does_keep,
            answer_count=0,
            created_at=now,
            expires_at=wish.expires_at or now + DEFAULT_LIFE,
            last_used_at=None,
        )
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            if await links.count(session, dataset_id) >= MAX_LINKS:
                raise TooManyLinksError(
                    f"the dataset has {MAX_LINKS} links; revoke one that nobody needs any more"
                )
            session.add(record)
        log.info("link.made", extra={"link_id": record.id, "dataset_id": dataset_id})
        return secret, record

    async def list_all(self, dataset_id: str) -> Sequence[PublicLinkRecord]:
        """Return a dataset's links, newest first, with all their uses.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        await self.flush()
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await links.list_all(session, dataset_id)

    async def revoke(self, dataset_id: str, link_id: str) -> None:
        """Delete a link: from now on it is not known.

        Raises:
            LinkNotFoundError: The dataset has no link with this id.
        """
        async with self._database.write() as session:
            await links.delete_one(session, dataset_id, link_id)
        log.info("link.revoked", extra={"link_id": link_id, "dataset_id": dataset_id})

    def is_expired(self, record: PublicLinkRecord) -> bool:
        """Return whether a link's time is over."""
        return record.expires_at <= self._clock()

    async def open(self, secret: str) -> PublicLinkRecord:
        """Return the link that a visitor comes by.

        The database looks for the hash, so the time it takes says nothing of any secret.

        Raises:
            LinkNotValidError: It was revoked, has expired, or never was.
        """
        digest = _digest(secret)
        async with self._database.read() as session:
            record = await links.find_by_digest(session, digest)
        found = "" if record is None else record.sha256
        if record is None or not hmac.compare_digest(found, digest) or self.is_expired(record):
            raise LinkNotValidError
        return record

    async def show(self, link: PublicLinkRecord) -> Shown:
        """Return what a visitor is shown.

        Raises:
            DatasetNotFoundError: The dataset was deleted in this moment.
            NoModelError: No model of the dataset is live.
            ModelDamagedError: Its bundle is damaged or gone.
        """
        async with self._database.read() as session:
            dataset = await datasets.get(session, link.dataset_id)
            live = await model_rows.find_live(session, link.dataset_id)
        if live is None:
            raise NoModelError("there is no model to try at the moment; come back later")
        async with self._reading:
            card = self._cards.get(live.bundle_sha256)
            if card is None:
                _, bundle = await self._models.show(live.id)
                card = bundle.card
                while len(self._cards) >= _MOST_CARDS:
                    self._cards.pop(next(iter(self._cards)))
                self._cards[live.bundle_sha256] = card
        return Shown(dataset.name, view_of(live), card)

    def count_answer(self, link: PublicLinkRecord) -> None:
        """Note that a link gave an answer; it is written a moment later."""
        self._uses[link.id] += 1
        self._some.set()

    async def run(self) -> None:
        """Write what is counted, until cancelled; then the rest."""
        try:
            while True:
                await self._some.wait()
                await asyncio.sleep(_GATHER_S)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        """Write what is counted. What cannot be written is tried again."""
        uses, self._uses = self._uses, Counter()
        self._some.clear()
        if not uses:
            return
        try:
            async with self._database.write() as session:
                for link_id, number in uses.items():
                    await links.add_uses(session, link_id, number, self._clock())
        except DatabaseFailedError:
            self._uses.update(uses)
            log.exception("links.write_failed", extra={"count": uses.total()})


def allowance_of(link: PublicLinkRecord) -> Allowance:
    """Return what a link grants."""
    return Allowance(link.id, link.answers_per_hour, link.answers_per_day)


def _digest(secret: str) -> str:
    # A fast hash is right here: the secret has 256 random bits, there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()

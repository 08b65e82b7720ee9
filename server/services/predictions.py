"""Use case of classification: an address or bytes in, a model's answer out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.contract.errors import FormatError
from server.db.models import ModelRecord
from server.db.session import Database
from server.errors import (
    BlobDamagedError,
    ImageNotFoundError,
    ImageNotUsableError,
    ModelDamagedError,
    ServerError,
)
from server.inference.pool import CpuPool
from server.inference.registry import Registry
from server.inference.session import NetworkError, Prediction
from server.inference.turns import Turns
from server.media.verify import NotUsableError, VerifyLimits
from server.net.fetch import Fetcher
from server.reasons import Reason
from server.services.beside import Beside, Given, Route
from server.services.choosing import Choice, Chooser
from server.services.images import ImageService
from server.services.models import BundleStore, damaged
from server.services.seeing import see

_AT_ONCE: Final = 4  # of a batch: enough for both cores, and bounds what is held decoded
# Addresses fetched, or fetched and not yet answered: 320 MB of the largest images.
FETCHES_AT_ONCE: Final = 16


@dataclass(frozen=True)
class Asked:
    """One image to classify: exactly one member is not None.

    Attributes:
        data: Bytes of a stranger's.
        url: An address, fetched as downloads are: guarded and capped.
        image_id: An image of a dataset.
    """

    data: bytes | None = None
    url: str | None = None
    image_id: str | None = None


@dataclass(frozen=True)
class Asker:
    """Who asks.

    Attributes:
        client: Clients take turns when there is more to do than can be done.
        site: Host of the page that the image is on, in lower case, where it is told.
        is_visitor: Whether they came by a link for others, who are answered by what is live alone.
        is_noted: Whether the log of answers hears of it.
    """

    client: str = ""
    site: str | None = None
    is_visitor: bool = False
    is_noted: bool = True


@dataclass(frozen=True)
class Answer:
    """A prediction, by which model, on which bytes, and how long it took.

    Attributes:
        milliseconds: Decoding and inference, without fetching, loading or waiting for a turn.
        prediction_id: Under which it is kept; None when it is not.
    """

    model: ModelRecord
    prediction: Prediction
    sha256: str
    milliseconds: float
    prediction_id: str | None = None


Note = Callable[[Answer, bytes | Path], Answer]


def _keep_nothing(answer: Answer, _data: bytes | Path) -> Answer:
    return answer


@dataclass(frozen=True)
class Sources:
    """Where images to classify come from: the web, strangers, datasets.

    Attributes:
        limits: What is taken for an image.
    """

    fetcher: Fetcher
    limits: VerifyLimits
    images: ImageService


@dataclass(frozen=True)
class Engines:
    """What images are answered with.

    Attributes:
        pool: Has a thread for each turn, and does little else: who asks does not wait for uploads.
        turns: Of the pool.
    """

    bundles: BundleStore
    registry: Registry
    pool: CpuPool
    turns: Turns


class PredictionService:
    """Classifies."""

    def __init__(
        self, database: Database, sources: Sources, engines: Engines, beside: Beside
    ) -> None:
        """Keep what the use case needs."""
        self._beside = beside
        self._chooser = Chooser(database)
        self._sources = sources
        self._engines = engines
        self._fetches = Turns(FETCHES_AT_ONCE)
        # What is done with each answer while its bytes are at hand: they are not kept with it, or
        # a batch of addresses would hold 64 images.
        self.note: Note = _keep_nothing

    async def classify(
        self,
        asked: Asked,
        choice: Choice,
        *,
        is_mirrored: bool = False,
        asker: Asker | None = None,
    ) -> Answer:
        """Classify an image.

        Args:
            asked: The image.
            choice: Of the model.
            is_mirrored: Answer by the mean of the image and its mirror image, in twice the time.
            asker: Who asks.

        Raises:
            ModelNotFoundError: The choice names no model.
            DatasetNotFoundError: The choice names no dataset.
            NoModelError: Nothing is live.
            ImageNotFoundError: No image has the id, or it has no bytes.
            BlobDamagedError: Its file is gone.
            ImageNotUsableError: The image cannot be had or read, and why.
            ModelDamagedError: The model's bundle is damaged or gone, or its network fails.
        """
        ask = await self._ask(choice, asker or Asker(), is_mirrored=is_mirrored)
        return await self._answer(ask, asked)

    async def classify_all(
        self,
        asked: Sequence[Asked],
        choice: Choice,
        *,
        is_mirrored: bool = False,
        asker: Asker | None = None,
    ) -> list[Answer | ServerError]:
        """Classify several images by one model; what cannot be classified gets its error.

        Args:
            asked: The images.
            choice: Of the model.
            is_mirrored: As for one.
            asker: As for one.

        Returns:
            In the order asked.

        Raises:
            ModelNotFoundError: As for one, and so are the others that are of the model.
        """
        ask = await self._ask(choice, asker or Asker(), is_mirrored=is_mirrored)
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(each: Asked) -> Answer | ServerError:
            async with turn:
                try:
                    return await self._answer(ask, each)
                except (ImageNotUsableError, ImageNotFoundError, BlobDamagedError) as error:
                    return error

        return list(await asyncio.gather(*map(one, asked)))

    async def _answer(self, ask: _Ask, asked: Asked) -> Answer:
        if asked.url is not None:
            async with self._fetches.take(ask.client):
                return await self._look(ask, await self._fetch(asked.url))
        if asked.image_id is not None:
            path, _ = await self._sources.images.get_file(asked.image_id)
            return await self._look(ask, path)
        return await self._look(ask, asked.data or b"")

    async def _look(self, ask: _Ask, data: bytes | Path) -> Answer:
        engines, model = self._engines, ask.route.model
        path = engines.bundles.path(model.bundle_sha256)
        try:
            classifier = await engines.registry.get(model.bundle_sha256, path)
        except (FormatError, FileNotFoundError) as error:
            raise damaged(model) from error
        try:
            async with engines.turns.take(ask.client):
                seen = await engines.pool.run(
                    see, classifier, data, self._sources.limits, is_mirrored=ask.is_mirrored
                )
        except NotUsableError as error:
            raise ImageNotUsableError(error.reason, error.detail) from error
        except FormatError as error:
            raise ImageNotUsableError(Reason.NOT_AN_IMAGE, str(error)) from error
        except FileNotFoundError as error:
            raise BlobDamagedError("the image's file is gone from the data folder") from error
        except NetworkError as error:
            raise ModelDamagedError(f"the network of model {model.id} fails: {error}") from error
        answer = Answer(model, seen.prediction, seen.sha256, seen.milliseconds)
        if not ask.is_noted:
            return answer
        noted = self.note(answer, data)
        given = Given(seen.prediction, seen.sha256, noted.prediction_id, ask.is_mirrored)
        self._beside.offer(ask.route, given, data)
        return noted

    async def _ask(self, choice: Choice, asker: Asker, *, is_mirrored: bool) -> _Ask:
        """Return what is the same for all images: a model that is named is asked alone."""
        model = await self._chooser.choose(choice)
        route = Route(model)
        if choice.model_id is None and not asker.is_visitor:
            route = await self._beside.route(model, asker.client, asker.site)
        return _Ask(route, asker.client, is_mirrored, asker.is_noted)

    async def _fetch(self, url: str) -> bytes:
        outcome = await self._sources.fetcher.fetch(url)
        if outcome.body is None:
            reason = outcome.reason or Reason.EMPTY
            raise ImageNotUsableError(reason, outcome.detail or reason.value)
        return outcome.body


@dataclass(frozen=True)
class _Ask:
    """What is the same for all images of a request."""

    route: Route
    client: str
    is_mirrored: bool
    is_noted: bool

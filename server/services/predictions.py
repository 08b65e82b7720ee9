"""Use case of classification: an address or bytes in, a model's answer out."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.contract.errors import FormatError
from server.contract.preprocess import decode, upright
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
from server.inference.session import Classifier, NetworkError, Prediction
from server.inference.turns import Turns
from server.media.verify import NotUsableError, VerifyLimits, decoded
from server.net.fetch import Fetcher
from server.reasons import Reason
from server.services.choosing import Choice, Chooser
from server.services.images import ImageService
from server.services.models import BundleStore, damaged

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


@dataclass(frozen=True)
class _Seen:
    """What came of one image in the pool."""

    prediction: Prediction
    sha256: str
    milliseconds: float


class PredictionService:
    """Classifies."""

    def __init__(self, database: Database, sources: Sources, engines: Engines) -> None:
        """Keep what the use case needs."""
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
        client: str = "",
        is_noted: bool = True,
    ) -> Answer:
        """Classify an image.

        Args:
            asked: The image.
            choice: Of the model.
            is_mirrored: Answer by the mean of the image and its mirror image, in twice the time.
            client: Who asks: clients take turns when there is more to do than can be done.
            is_noted: Whether the log of answers hears of it.

        Raises:
            ModelNotFoundError: The choice names no model.
            DatasetNotFoundError: The choice names no dataset.
            NoModelError: Nothing is live.
            ImageNotFoundError: No image has the id, or it has no bytes.
            BlobDamagedError: Its file is gone.
            ImageNotUsableError: The image cannot be had or read, and why.
            ModelDamagedError: The model's bundle is damaged or gone, or its network fails.
        """
        ask = _Ask(await self._chooser.choose(choice), client, is_mirrored, is_noted)
        return await self._answer(ask, asked)

    async def classify_all(
        self,
        asked: Sequence[Asked],
        choice: Choice,
        *,
        is_mirrored: bool = False,
        client: str = "",
    ) -> list[Answer | ServerError]:
        """Classify several images by one model; what cannot be classified gets its error.

        Args:
            asked: The images.
            choice: Of the model.
            is_mirrored: As for one.
            client: As for one.

        Returns:
            In the order asked.

        Raises:
            ModelNotFoundError: As for one, and so are the others that are of the model.
        """
        ask = _Ask(await self._chooser.choose(choice), client, is_mirrored)
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
        engines, model = self._engines, ask.model
        path = engines.bundles.path(model.bundle_sha256)
        try:
            classifier = await engines.registry.get(model.bundle_sha256, path)
        except (FormatError, FileNotFoundError) as error:
            raise damaged(model) from error
        try:
            async with engines.turns.take(ask.client):
                seen = await engines.pool.run(
                    _see, classifier, data, self._sources.limits, is_mirrored=ask.is_mirrored
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
        return self.note(answer, data) if ask.is_noted else answer

    async def _fetch(self, url: str) -> bytes:
        outcome = await self._sources.fetcher.fetch(url)
        if outcome.body is None:
            reason = outcome.reason or Reason.EMPTY
            raise ImageNotUsableError(reason, outcome.detail or reason.value)
        return outcome.body


@dataclass(frozen=True)
class _Ask:
    """What is the same for all images of a request."""

    model: ModelRecord
    client: str
    is_mirrored: bool
    is_noted: bool = True


def _see(
    classifier: Classifier, data: bytes | Path, limits: VerifyLimits, *, is_mirrored: bool
) -> _Seen:
    """Decode once, and answer: in one go, since each turn between threads takes its time.

    Strangers' bytes pass what an upload passes. Files of ours have passed it.
    """
    started = time.perf_counter()
    if isinstance(data, Path):
        data = data.read_bytes()
        array = classifier.prepare(decode(data))
    else:
        with decoded(data, limits) as image:
            array = classifier.prepare(upright(image))
    prediction = classifier.answer(array, is_mirrored=is_mirrored)
    sha256 = hashlib.sha256(data).hexdigest()
    return _Seen(prediction, sha256, (time.perf_counter() - started) * 1000)

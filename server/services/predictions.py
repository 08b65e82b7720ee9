"""Use case of classification: an address or bytes in, a model's answer out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.contract.errors import FormatError
from server.contract.preprocess import decode
from server.db.models import ModelRecord
from server.db.session import Database
from server.errors import (
    BlobDamagedError,
    ImageNotFoundError,
    ImageNotUsableError,
    NoModelError,
    ServerError,
)
from server.inference.pool import CpuPool
from server.inference.registry import Registry
from server.inference.session import Classifier, Prediction
from server.media.verify import NotUsableError
from server.net.fetch import Fetcher
from server.reasons import Reason
from server.repositories import datasets, models
from server.services.images import ImageService
from server.services.intake import Intake
from server.services.models import BundleStore, damaged

_AT_ONCE: Final = 4  # of a batch: enough for both cores, and bounds what is held decoded


@dataclass(frozen=True)
class Choice:
    """Which model is to answer: one by id, else a dataset's live one, else the newest live one."""

    model_id: str | None = None
    dataset_id: str | None = None


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
        milliseconds: Decoding and inference, without fetching or loading.
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
    """Where images to classify come from: the web, strangers, datasets."""

    fetcher: Fetcher
    intake: Intake
    images: ImageService


class PredictionService:
    """Classifies."""

    def __init__(
        self,
        database: Database,
        sources: Sources,
        bundles: BundleStore,
        registry: Registry,
        pool: CpuPool,
    ) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._sources = sources
        self._bundles = bundles
        self._registry = registry
        self._pool = pool
        # What is done with each answer while its bytes are at hand: they are not kept with it, or
        # a batch of addresses would hold 64 images.
        self.note: Note = _keep_nothing

    async def classify(self, asked: Asked, choice: Choice, *, is_mirrored: bool = False) -> Answer:
        """Classify an image.

        Args:
            asked: The image.
            choice: Of the model.
            is_mirrored: Answer by the mean of the image and its mirror image, in twice the time.

        Raises:
            ModelNotFoundError: The choice names no model.
            DatasetNotFoundError: The choice names no dataset.
            NoModelError: Nothing is live.
            ImageNotFoundError: No image has the id, or it has no bytes.
            BlobDamagedError: Its file is gone.
            ImageNotUsableError: The image cannot be had or read, and why.
            ModelDamagedError: The model's bundle is damaged or gone.
        """
        return await self._answer(await self._choose(choice), asked, is_mirrored=is_mirrored)

    async def classify_all(
        self, asked: Sequence[Asked], choice: Choice, *, is_mirrored: bool = False
    ) -> list[Answer | ServerError]:
        """Classify several images by one model; what cannot be classified gets its error.

        Args:
            asked: The images.
            choice: Of the model.
            is_mirrored: As for one.

        Returns:
            In the order asked.

        Raises:
            ModelNotFoundError: As for one, and so are the others that are of the model.
        """
        model = await self._choose(choice)
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(each: Asked) -> Answer | ServerError:
            async with turn:
                try:
                    return await self._answer(model, each, is_mirrored=is_mirrored)
                except (ImageNotUsableError, ImageNotFoundError, BlobDamagedError) as error:
                    return error

        return list(await asyncio.gather(*map(one, asked)))

    async def _choose(self, choice: Choice) -> ModelRecord:
        async with self._database.read() as session:
            if choice.model_id is not None:
                return await models.get(session, choice.model_id)
            if choice.dataset_id is not None:
                await datasets.get(session, choice.dataset_id)
            live = await models.find_live(session, choice.dataset_id)
        if live is None:
            raise NoModelError("no model is live yet: train one on a dataset first")
        return live

    async def _answer(self, model: ModelRecord, asked: Asked, *, is_mirrored: bool) -> Answer:
        data, sha256 = await self._read(asked)
        path = self._bundles.path(model.bundle_sha256)
        try:
            classifier = await self._registry.get(model.bundle_sha256, path)
        except (FormatError, FileNotFoundError) as error:
            raise damaged(model) from error
        started = time.perf_counter()
        try:
            prediction = await self._pool.run(_predict, classifier, data, is_mirrored=is_mirrored)
        except FormatError as error:
            raise ImageNotUsableError(Reason.NOT_AN_IMAGE, str(error)) from error
        answer = Answer(model, prediction, sha256, (time.perf_counter() - started) * 1000)

        return self.note(answer, data)

    async def _read(self, asked: Asked) -> tuple[bytes | Path, str]:
        """Return verified bytes, or where they lie, and their sha256."""
        if asked.image_id is not None:
            path, blob = await self._sources.images.get_file(asked.image_id)
            return path, blob.sha256
        data = asked.data
        if asked.url is not None:
            outcome = await self._sources.fetcher.fetch(asked.url)
            if outcome.body is None:
                reason = outcome.reason or Reason.EMPTY
                raise ImageNotUsableError(reason, outcome.detail or reason.value)
            data = outcome.body
        try:
            verified = await self._sources.intake.check(data or b"")
        except NotUsableError as error:
            raise ImageNotUsableError(error.reason, error.detail) from error
        return data or b"", verified.sha256


def _predict(classifier: Classifier, data: bytes | Path, *, is_mirrored: bool) -> Prediction:
    return classifier.predict(decode(data), is_mirrored=is_mirrored)

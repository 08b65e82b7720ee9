"""Use case of classification: an address or bytes in, a model's answer out."""

from __future__ import annotations

import time
from dataclasses import dataclass

from server.contract.errors import FormatError
from server.contract.preprocess import decode
from server.db.models import ModelRecord
from server.db.session import Database
from server.errors import ImageNotUsableError, NoModelError
from server.inference.pool import CpuPool
from server.inference.registry import Registry
from server.inference.session import Classifier, Prediction
from server.media.verify import NotUsableError
from server.net.fetch import Fetcher
from server.reasons import Reason
from server.repositories import datasets, models
from server.services.intake import Intake
from server.services.models import BundleStore, damaged


@dataclass(frozen=True)
class Choice:
    """Which model is to answer: one by id, else a dataset's live one, else the newest live one."""

    model_id: str | None = None
    dataset_id: str | None = None


@dataclass(frozen=True)
class Answer:
    """A prediction, by which model, on which bytes, and how long it took.

    Attributes:
        milliseconds: Decoding and inference, without fetching or loading.
    """

    model: ModelRecord
    prediction: Prediction
    sha256: str
    milliseconds: float


class PredictionService:
    """Classifies."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        intake: Intake,
        bundles: BundleStore,
        registry: Registry,
        pool: CpuPool,
    ) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._fetcher = fetcher
        self._intake = intake
        self._bundles = bundles
        self._registry = registry
        self._pool = pool

    async def classify_url(self, url: str, choice: Choice) -> Answer:
        """Classify the image at an address, fetched as downloads are: guarded and capped.

        Raises:
            ModelNotFoundError: The choice names no model.
            DatasetNotFoundError: The choice names no dataset.
            NoModelError: Nothing is live.
            ImageNotUsableError: The image cannot be had or read, and why.
            ModelDamagedError: The model's bundle is damaged or gone.
        """
        model = await self._choose(choice)
        outcome = await self._fetcher.fetch(url)
        if outcome.body is None:
            reason = outcome.reason or Reason.EMPTY
            raise ImageNotUsableError(reason, outcome.detail or reason.value)
        return await self._answer(model, outcome.body)

    async def classify_bytes(self, data: bytes, choice: Choice) -> Answer:
        """Classify an image from its bytes.

        Raises:
            ModelNotFoundError: The choice names no model.
            DatasetNotFoundError: The choice names no dataset.
            NoModelError: Nothing is live.
            ImageNotUsableError: The bytes cannot be read as an image, and why.
            ModelDamagedError: The model's bundle is damaged or gone.
        """
        return await self._answer(await self._choose(choice), data)

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

    async def _answer(self, model: ModelRecord, data: bytes) -> Answer:
        try:
            verified = await self._intake.check(data)
        except NotUsableError as error:
            raise ImageNotUsableError(error.reason, error.detail) from error
        path = self._bundles.path(model.bundle_sha256)
        try:
            classifier = await self._registry.get(model.bundle_sha256, path)
        except (FormatError, FileNotFoundError) as error:
            raise damaged(model) from error
        started = time.perf_counter()
        try:
            prediction = await self._pool.run(_predict, classifier, data)
        except FormatError as error:
            raise ImageNotUsableError(Reason.NOT_AN_IMAGE, str(error)) from error
        return Answer(model, prediction, verified.sha256, (time.perf_counter() - started) * 1000)


def _predict(classifier: Classifier, data: bytes) -> Prediction:
    return classifier.predict(decode(data))

"""What answers for models, put together: what is loaded, whose turn it is, who is let in."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from server.config import InferenceSettings
from server.contract.errors import FormatError
from server.db.session import Database
from server.inference.pool import CpuPool
from server.inference.registry import Bounds, Registry
from server.inference.turns import Turns
from server.repositories import models
from server.services.admission import Admission, AdmissionLimits
from server.services.beside import Beside
from server.services.models import BundleStore
from server.services.predictions import Engines, PredictionService, Sources
from server.services.visitors import Visitors

_FOR_LOADING: Final = 1  # a thread: who is answered by one model does not wait for another

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answering:
    """The parts; `close` them at the end.

    Attributes:
        beside: What asks other models beside the live one.
        warm_count: Models that `warm_up` loads.
    """

    database: Database
    engines: Engines
    admission: Admission
    visitors: Visitors
    predictions: PredictionService
    beside: Beside
    warm_count: int

    @property
    def registry(self) -> Registry:
        """The models that are loaded."""
        return self.engines.registry

    async def warm_up(self) -> None:
        """Load the live models that went live last: the first who asks shall not wait for it.

        As many as are kept. What cannot be loaded is left to whoever asks for it.
        """
        async with self.database.read() as session:
            live = await models.list_live(session, self.warm_count)
        # The newest last, so that it is the last to make room again.
        for model in reversed(live):
            path = self.engines.bundles.path(model.bundle_sha256)
            try:
                await self.registry.get(model.bundle_sha256, path)
            except (FormatError, FileNotFoundError) as error:
                log.warning("model.damaged", extra={"model_id": model.id, "detail": str(error)})

    def close(self) -> None:
        """Wait for what is being answered."""
        self.engines.pool.close()
        self.beside.close()


def put_together(
    settings: InferenceSettings, database: Database, sources: Sources, bundles: BundleStore
) -> Answering:
    """Return what answers.

    Args:
        settings: How many at once, and all caps.
        database: Says which models are live.
        sources: Of images.
        bundles: Where models lie.
    """
    pool, turns = CpuPool(settings.at_once + _FOR_LOADING), Turns(settings.at_once)
    bounds = Bounds(settings.max_loaded_models, settings.max_loaded_bytes)
    engines = Engines(bundles, Registry(pool, settings.threads, bounds), pool, turns)
    limits = AdmissionLimits(
        settings.max_waiting, settings.max_waiting_per_client, settings.max_body_bytes
    )
    beside = Beside(database, bundles, turns, sources.limits, settings.max_loaded_bytes)
    admission = Admission(limits, turns)
    return Answering(
        database,
        engines,
        admission,
        Visitors(admission, limits),
        PredictionService(database, sources, engines, beside),
        beside,
        warm_count=settings.max_loaded_models,
    )

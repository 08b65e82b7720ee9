"""What watches the models in use, put together: the routes reach it as one."""

from __future__ import annotations

from dataclasses import dataclass

from server.config import Folders, Settings
from server.db.session import Database
from server.inference.pool import CpuPool
from server.media.blobs import FileStore
from server.repositories.predictions import Room
from server.services.drift import DriftService
from server.services.models import BundleStore
from server.services.prediction_log import LogRules, Mode, PredictionLog


@dataclass(frozen=True)
class Monitoring:
    """What watches the models in use.

    Attributes:
        log: Keeps what they were asked.
        drift: Tells when that is no longer what they were validated on.
    """

    log: PredictionLog
    drift: DriftService

    @classmethod
    def build(
        cls,
        settings: Settings,
        folders: Folders,
        database: Database,
        bundles: BundleStore,
        pool: CpuPool,
    ) -> Monitoring:
        """Put it together over the data folder."""
        given = settings.prediction_log
        rules = LogRules(Mode(given.mode), given.keep_days, Room(given.max_count, given.max_bytes))
        log = PredictionLog(database, FileStore(folders.make("predictions")), rules)
        return cls(log, DriftService(database, bundles, pool, log))

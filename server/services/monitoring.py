"""What watches and explains the models in use, put together: the routes reach it as one."""

from __future__ import annotations

from dataclasses import dataclass

from server.config import Folders, Settings
from server.db.session import Database
from server.media.blobs import BlobStore, FileStore
from server.repositories.predictions import Room
from server.services.drift import DriftService
from server.services.evidence import EvidenceService
from server.services.nearness import NearnessService
from server.services.prediction_log import LogRules, Mode, PredictionLog
from server.services.predictions import Engines


@dataclass(frozen=True)
class Monitoring:
    """What watches and explains the models in use.

    Attributes:
        log: Keeps what they were asked.
        nearness: Tells how far the images are from what they learned.
        evidence: Shows images that they learned from beside what they are asked.
        drift: Tells when that is no longer what they were validated on.
    """

    log: PredictionLog
    nearness: NearnessService
    evidence: EvidenceService
    drift: DriftService

    @classmethod
    def build(
        cls,
        settings: Settings,
        folders: Folders,
        database: Database,
        engines: Engines,
        blobs: BlobStore,
    ) -> Monitoring:
        """Put it together over the data folder."""
        given = settings.prediction_log
        rules = LogRules(Mode(given.mode), given.keep_days, Room(given.max_count, given.max_bytes))
        near = NearnessService(blobs, engines)
        log = PredictionLog(database, FileStore(folders.make("predictions")), near, rules)
        drift = DriftService(database, engines.bundles, engines.pool, log, near)
        return cls(log, near, EvidenceService(database, near), drift)

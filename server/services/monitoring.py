"""What watches the models in use, put together: the routes reach it as one."""

from __future__ import annotations

from dataclasses import dataclass

from server.config import Folders, Settings
from server.db.session import Database
from server.media.blobs import FileStore
from server.repositories.predictions import Room
from server.services.prediction_log import LogRules, Mode, PredictionLog


@dataclass(frozen=True)
class Monitoring:
    """What watches the models in use.

    Attributes:
        log: Keeps what they were asked.
    """

    log: PredictionLog

    @classmethod
    def build(cls, settings: Settings, folders: Folders, database: Database) -> Monitoring:
        """Put it together over the data folder."""
        given = settings.prediction_log
        rules = LogRules(Mode(given.mode), given.keep_days, Room(given.max_count, given.max_bytes))
        return cls(PredictionLog(database, FileStore(folders.make("predictions")), rules))

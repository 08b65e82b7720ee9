"""Use case: show which training images an answer rests on, as the model sees them.

The nearest ones by what the network's last layer weighs; see `server.services.nearness`. That is no
proof of why a network answers as it does, and the honest next thing to one: what it has been told
of images that look to it like this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.db.models import ModelRecord
from server.db.session import Database
from server.inference.session import Prediction
from server.repositories import images
from server.services.nearness import NearnessService

MAX_NEIGHBOURS: Final = 20
# Looked at for each that is shown: the others may have been excluded or deleted since.
_SPARE_RATIO: Final = 4


class EvidenceState(StrEnum):
    """Whether there is evidence."""

    FOUND = "found"
    BEING_MADE = "being-made"
    NONE = "none"


@dataclass(frozen=True)
class Neighbour:
    """A training image.

    Attributes:
        label: That it had in the training.
        similarity: The cosine, -1 to 1.
    """

    image_id: str
    sha256: str
    label: str
    similarity: float


@dataclass(frozen=True)
class Evidence:
    """Training images near an image, the nearest first."""

    state: EvidenceState
    neighbours: Sequence[Neighbour] = ()


class EvidenceService:
    """Finds training images."""

    def __init__(self, database: Database, nearness: NearnessService) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._nearness = nearness

    async def find(self, model: ModelRecord, prediction: Prediction, count: int) -> Evidence:
        """Return the training images nearest to one that was answered.

        The first question of a model begins a look at its training images, which takes up to some
        ten seconds; until then there is none.

        Args:
            model: That answered.
            prediction: Its answer.
            count: How many, up to `MAX_NEIGHBOURS`.
        """
        yardstick = self._nearness.find(model)
        if yardstick is None:
            is_coming = self._nearness.is_wanted(model)
            return Evidence(EvidenceState.BEING_MADE if is_coming else EvidenceState.NONE)
        if prediction.embedding is None:
            return Evidence(EvidenceState.NONE)
        nearest = yardstick.nearest(prediction.embedding, count * _SPARE_RATIO)
        hashes = [yardstick.learned[place][0] for place, _ in nearest]
        async with self._database.read() as session:
            here = await images.find_used(session, model.dataset_id, hashes)
        found = []
        for place, cosine in nearest:
            sha256, label = yardstick.learned[place]
            if sha256 in here:
                found.append(Neighbour(here[sha256], sha256, label, cosine))
        return Evidence(EvidenceState.FOUND, found[:count])

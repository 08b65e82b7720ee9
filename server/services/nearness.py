"""How near an image is to what a model learned from, by the model's own view of both.

That view is what the network's last layer weighs; see `server.inference.embedding`. A bundle does
not hold it, so some of the training images and of the validation images are looked at once, in turn
with whoever asks, when the first answer of a model is counted. It is kept in memory alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from server.contract.bundle import read_evaluation
from server.contract.errors import FormatError
from server.contract.evaluation import EvaluatedImage
from server.contract.preprocess import decode
from server.contract.snapshot import Split
from server.db.models import ModelRecord
from server.inference.session import Classifier, NetworkError
from server.media.blobs import BlobStore
from server.services.drift_tests import MIN_REFERENCE, Counts
from server.services.predictions import Engines

log = logging.getLogger(__name__)

Floats = NDArray[np.float32]

BIN_COUNT: Final = 80  # of a fortieth of the cosine, -1 to 1
_EDGES: Final = np.linspace(-1, 1, BIN_COUNT + 1)[1:-1]
# Half a minute of looking, on two cores, with 10 ms an image. More anchors find nearer ones; a test
# of 500 validation images tells shares to within some hundredths.
MAX_ANCHORS: Final = 1_000
MAX_REFERENCE: Final = 500
_FEWEST: Final = 4  # of each: there is no nearest of none
_MOST_KEPT: Final = 4  # models: 8 MB each with 2048 features
_CLIENT: Final = "nearness"  # takes turns with those who ask


@dataclass(frozen=True)
class Yardstick:
    """What a model's images are held against.

    Attributes:
        centre: ``[F]``: the mean of the training images.
        anchors: ``[A, F]``: those images, centred and of length one.
        reference: ``[BIN_COUNT]``: how near the validation images are to them.
        learned: A of sha256 and label: which images they are.
    """

    centre: Floats
    anchors: Floats
    reference: Counts
    learned: Sequence[tuple[str, str]] = ()

    @property
    def is_enough(self) -> bool:
        """Whether there are enough images of both kinds to test a shift by."""
        return min(len(self.anchors), int(self.reference.sum())) >= MIN_REFERENCE

    def bins(self, embeddings: Floats) -> NDArray[np.int64]:
        """Return ``[N]``: the bin of the cosine to the nearest training image, of ``[N, F]``."""
        return _bins(_unit(embeddings - self.centre), self.anchors)

    def nearest(self, embedding: Floats, count: int) -> list[tuple[int, float]]:
        """Return the nearest anchors of ``[F]``, as places with their cosines, the nearest first.

        Args:
            embedding: What the model sees in an image.
            count: How many, at most.
        """
        cosines = self.anchors @ _unit((embedding - self.centre)[np.newaxis])[0]
        places = np.argsort(-cosines, kind="stable")[:count]
        return [(int(place), float(cosines[place])) for place in places]


def make_yardstick(
    training: Floats, validation: Floats, learned: Sequence[tuple[str, str]] = ()
) -> Yardstick:
    """Return it for what a model sees in training images ``[A, F]`` and validation ones ``[V, F]``.

    No near-duplicate of a validation image is among the training images: a snapshot keeps groups on
    one side. So new images of the same kind lie as near as these.
    """
    centre: Floats = training.mean(axis=0)
    anchors = _unit(training - centre)
    found = _bins(_unit(validation - centre), anchors)
    return Yardstick(centre, anchors, np.bincount(found, minlength=BIN_COUNT), learned)


def middle(counts: Counts) -> float:
    """Return the cosine that half of the images are nearer than, to within a bin."""
    place = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    return float((-1.0, *_EDGES)[place])


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = (rows / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return unit


def _bins(rows: Floats, anchors: Floats) -> NDArray[np.int64]:
    places: NDArray[np.int64] = np.searchsorted(_EDGES, (rows @ anchors.T).max(axis=1))
    return places


class NearnessService:
    """Yardsticks of models, each made when it is first wanted. For one event loop."""

    def __init__(self, blobs: BlobStore, engines: Engines) -> None:
        """Keep what is needed.

        Args:
            blobs: Images of datasets.
            engines: What looks at them.
        """
        self._blobs = blobs
        self._engines = engines
        # None: there is no telling, for a reason that will not go away.
        self._kept: OrderedDict[str, Yardstick | None] = OrderedDict()
        self._wanted: OrderedDict[str, None] = OrderedDict()
        self._some = asyncio.Event()

    def find(self, model: ModelRecord) -> Yardstick | None:
        """Return a model's yardstick; None when it is still to be made, or cannot be."""
        key = model.bundle_sha256
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if len(self._wanted) < _MOST_KEPT:
            self._wanted[key] = None
            self._some.set()
        return None

    def is_wanted(self, model: ModelRecord) -> bool:
        """Return whether a model's yardstick is being made, or next to be."""
        return model.bundle_sha256 in self._wanted

    async def run(self) -> None:
        """Make what is wanted, until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            await self.make_wanted()

    async def make_wanted(self) -> None:
        """Make what is wanted by now."""
        while self._wanted:
            key = next(iter(self._wanted))
            try:
                self._kept[key] = await self._make(key)
            finally:
                self._wanted.pop(key, None)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    async def _make(self, bundle_sha256: str) -> Yardstick | None:
        path = self._engines.bundles.path(bundle_sha256)
        try:
            classifier = await self._engines.registry.get(bundle_sha256, path)
            _, evaluation = await asyncio.to_thread(read_evaluation, path)
        except (FormatError, OSError) as error:
            log.warning("nearness.unreadable", extra={"detail": str(error)})
            return None
        # By their hashes: at random, and the same each time.
        items = sorted(evaluation.items, key=lambda item: item.sha256)
        training = [item for item in items if item.split is Split.TRAIN][:MAX_ANCHORS]
        validation = [item for item in items if item.split is Split.VALID][:MAX_REFERENCE]
        seen = [await self._look(classifier, part) for part in (training, validation)]
        if any(len(part) < _FEWEST for part in seen):
            return None
        learned, judged = (np.stack([row for _, row in part]) for part in seen)
        names = [(item.sha256, item.label) for item, _ in seen[0]]
        return await asyncio.to_thread(make_yardstick, learned, judged, names)

    async def _look(
        self, classifier: Classifier, items: Sequence[EvaluatedImage]
    ) -> list[tuple[EvaluatedImage, Floats]]:
        """Return what the model sees in those images that are still there."""
        found = []
        for item in items:
            path = self._blobs.path(item.sha256)
            async with self._engines.turns.take(_CLIENT):
                row = await self._engines.pool.run(_see, classifier, path)
            if row is not None:
                found.append((item, row))
        return found


def _see(classifier: Classifier, path: Path) -> Floats | None:
    """Return ``[F]``; None when the image is gone, or the model does not tell what it sees."""
    try:
        embedding = classifier.predict(decode(path)).embedding
    except (FormatError, OSError, NetworkError):
        return None
    return None if embedding is None or not np.isfinite(embedding).all() else embedding

"""What models were asked: kept by day as counts, or with images, for who has turned that on.

An answer never waits for it: what it leaves is gathered in memory, up to a bound, and written a
second later in one transaction. What was not written when the process is killed is lost, and so is
what comes faster than it can be written; nobody relies on a count to be exact. Who asked, by which
token and from which address, is never kept, nor is the address of the image.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from ulid import ULID

from server.db.ids import new_id
from server.db.models import ModelRecord
from server.db.prediction_models import PredictionRecord
from server.db.session import Database, DatabaseFailedError
from server.errors import PredictionNotFoundError
from server.media.blobs import FileStore
from server.media.sniff import sniff
from server.repositories import models, predictions
from server.repositories.paging import Page, PageRequest
from server.repositories.predictions import Kind, NearKind, Room
from server.services.drift_tests import Counts
from server.services.nearness import BIN_COUNT, NearnessService, Yardstick
from server.services.predictions import Answer

log = logging.getLogger(__name__)

# Bounds of the bins of probabilities. Closer towards 1, where a good model's answers lie: of
# bins of a tenth, one would have most of them.
EDGES: Final = (
    *(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99),
    *(0.995, 0.998, 0.999, 0.9999),
)
# A second of answers at ten times what two cores give.
_MOST_WAITING: Final = 5_000
# Of images in memory meanwhile: a second of answers to photos of 1 MB.
_MOST_WAITING_BYTES: Final = 64 << 20
# Long enough that many share a transaction, and shorter than a person needs to say "wrong".
_GATHER_S: Final = 1.0
# Of looking for what is too old; what is too much goes with each batch.
_PRUNE_GAP_S: Final = 600.0
_HEAD_BYTES: Final = 1024  # enough to tell every format that is decoded
_MOST_ROUNDS: Final = 1_000  # of a batch each: what two million rows need
# Counts say nothing of any one image: a year of them shows the seasons.
COUNT_DAYS: Final = 400


class Mode(StrEnum):
    """What is kept of answers."""

    OFF = "off"
    COUNTS = "counts"
    IMAGES = "images"


@dataclass(frozen=True)
class LogRules:
    """What is kept, and how much of it.

    Attributes:
        mode: What.
        keep_days: Images and their rows are deleted after so many.
        room: The oldest go when there are more.
    """

    mode: Mode
    keep_days: int
    room: Room


@dataclass(frozen=True)
class _Entry:
    """One answer to write."""

    kind: Kind
    model: ModelRecord
    embedding: NDArray[np.float32] | None
    record: PredictionRecord | None = None
    data: bytes | None = None

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return len(self.data or b"") + (0 if self.embedding is None else self.embedding.nbytes)


def bin_of(probability: float) -> int:
    """Return the number of the bin of a probability, 0 to ``len(EDGES)``."""
    return bisect_right(EDGES, probability)


def _now() -> datetime:
    return datetime.now(UTC)


class PredictionLog:
    """Keeps what models were asked."""

    def __init__(
        self,
        database: Database,
        files: FileStore,
        nearness: NearnessService,
        rules: LogRules,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Keep what is needed.

        Args:
            database: Where rows are written.
            files: Where images are kept: apart from those of datasets, since these go by age.
            nearness: Tells how near an image is to what a model learned from.
            rules: What is kept.
            clock: The time.
        """
        self._database = database
        self._files = files
        self._nearness = nearness
        self.rules = rules
        self._clock = clock
        self._waiting: list[_Entry] = []
        self._waiting_bytes = 0
        self._some = asyncio.Event()
        # Files are written before their rows and deleted after them: one of both at a time.
        self._turn = asyncio.Lock()
        self.dropped_count = 0

    def note(self, answer: Answer, data: bytes | Path) -> Answer:
        """Take an answer in, if the rules say so; never waits and never fails.

        Args:
            answer: What a model said.
            data: Of what: bytes, or the file of a dataset's image.

        Returns:
            The answer; with the id under which it is kept, where each is.
        """
        if self.rules.mode is Mode.OFF:
            return answer
        entry = self._entry(answer, data)
        if (
            len(self._waiting) >= _MOST_WAITING
            or self._waiting_bytes + entry.size_bytes > _MOST_WAITING_BYTES
        ):
            self.dropped_count += 1
            return answer
        self._waiting.append(entry)
        self._waiting_bytes += entry.size_bytes
        self._some.set()
        return replace(answer, prediction_id=None if entry.record is None else entry.record.id)

    def _entry(self, answer: Answer, data: bytes | Path) -> _Entry:
        said, now = answer.prediction, self._clock()
        day = now.date().isoformat()
        kind = Kind(answer.model.id, day, said.label, said.abstained, bin_of(said.probability))
        if self.rules.mode is not Mode.IMAGES:
            return _Entry(kind, answer.model, said.embedding)
        # What lies in a file already is an image of a dataset, which keeps it.
        sent = data if isinstance(data, bytes) else None
        record = PredictionRecord(
            id=new_id(),
            model_id=answer.model.id,
            sha256=answer.sha256,
            bytes=len(sent or b""),
            label=said.label,
            probability=said.probability,
            abstained=said.abstained,
            created_at=now,
        )
        return _Entry(kind, answer.model, said.embedding, record, sent)

    async def run(self) -> None:
        """Write what comes and delete what is too old, until cancelled; then write the rest."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write_on())
                tasks.create_task(self._prune_on())
        finally:
            await self.flush()

    async def _write_on(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(_GATHER_S)
            await self.flush()

    async def _prune_on(self) -> None:
        while True:
            try:
                await self.prune()
            except (DatabaseFailedError, OSError):  # what is left is found the next time
                log.exception("prediction_log.prune_failed")
            await asyncio.sleep(_PRUNE_GAP_S)

    async def flush(self) -> None:
        """Write what waits. What cannot be written is dropped, and said in the log."""
        async with self._turn:
            entries, self._waiting = self._waiting, []
            self._waiting_bytes = 0
            self._some.clear()
            if not entries:
                return
            try:
                await self._write(entries)
            except (DatabaseFailedError, OSError):
                self.dropped_count += len(entries)
                log.exception("prediction_log.write_failed", extra={"count": len(entries)})

    async def _write(self, entries: Sequence[_Entry]) -> None:
        kept = {e.record.sha256: e.data for e in entries if e.record and e.data is not None}
        await asyncio.to_thread(self._write_files, kept)
        near = await self._measure(entries)
        async with self._database.write() as session:
            asked = {entry.kind.model_id for entry in entries}
            gone = await predictions.list_gone_models(session, asked)
            staying = [entry for entry in entries if entry.kind.model_id not in gone]
            await predictions.add_counts(session, Counter(entry.kind for entry in staying))
            here = {kind: number for kind, number in near.items() if kind.model_id not in gone}
            await predictions.add_nearness(session, here)
            session.add_all([entry.record for entry in staying if entry.record is not None])
        if kept:
            await self._make_room()

    async def _measure(self, entries: Sequence[_Entry]) -> Counter[NearKind]:
        """Count how near the images are to what their models learned from, where that is known."""
        rows: dict[tuple[str, str], list[NDArray[np.float32]]] = {}
        yardsticks: dict[str, Yardstick] = {}
        for entry in entries:
            yardstick = self._nearness.find(entry.model) if entry.embedding is not None else None
            if yardstick is not None and entry.embedding is not None:
                yardsticks[entry.kind.model_id] = yardstick
                rows.setdefault((entry.kind.model_id, entry.kind.day), []).append(entry.embedding)
        counts: Counter[NearKind] = Counter()
        for (model_id, day), found in rows.items():
            bins = await asyncio.to_thread(yardsticks[model_id].bins, np.stack(found))
            counts.update(NearKind(model_id, day, int(place)) for place in bins)
        return counts

    def _write_files(self, kept: dict[str, bytes]) -> None:
        for sha256, data in kept.items():
            self._files.write(data, sha256)

    async def prune(self) -> None:
        """Delete what is too old, and files that nothing names since a crash or a deletion.

        Raises:
            DatabaseFailedError: The database cannot be written.
            OSError: A file cannot be deleted.
        """
        oldest = (self._clock() - timedelta(days=COUNT_DAYS)).date().isoformat()
        async with self._turn:
            async with self._database.write() as session:
                await predictions.delete_old_counts(session, oldest)
            await self._make_room()
        await asyncio.to_thread(self._files.sweep_temporary_files)
        for folder in await asyncio.to_thread(self._files.list_folders):
            found = await asyncio.to_thread(self._files.list_abandoned, folder)
            async with self._turn:
                async with self._database.read() as session:
                    unnamed = await predictions.list_unnamed(session, found)
                await self._delete_files(unnamed)

    async def _make_room(self) -> None:
        first = self._clock() - timedelta(days=self.rules.keep_days)
        first_id = str(ULID.from_datetime(first))
        for _ in range(_MOST_ROUNDS):
            async with self._database.write() as session:
                count, unnamed = await predictions.delete_surplus(
                    session, first_id, self.rules.room
                )
            await self._delete_files(unnamed)
            if not count:
                return

    async def _delete_files(self, hashes: Collection[str]) -> None:
        def delete() -> None:
            for sha256 in hashes:
                self._files.delete(sha256)

        await asyncio.to_thread(delete)

    async def list_counts(self, model_id: str, days: int) -> list[tuple[Kind, int]]:
        """Return the counts of the last days, today included, oldest first.

        Raises:
            ModelNotFoundError: No model has this id.
        """
        await self.flush()
        first = (self._clock() - timedelta(days=days - 1)).date().isoformat()
        async with self._database.read() as session:
            await models.get(session, model_id)
            return list(await predictions.list_counts(session, model_id, first))

    async def count_nearness(self, model_id: str, days: int) -> Counts:
        """Return how near images of the last days were: ``[BIN_COUNT]``, see `nearness`.

        What the answers of the last second leave is not in it; see `flush`.
        """
        first = (self._clock() - timedelta(days=days - 1)).date().isoformat()
        async with self._database.read() as session:
            found = await predictions.sum_nearness(session, model_id, first)
        counts = np.zeros(BIN_COUNT, dtype=np.int64)
        for place, number in found.items():
            counts[place] = number
        return counts

    async def list_page(self, model_id: str, request: PageRequest) -> Page[PredictionRecord]:
        """Return a page of what is kept answer by answer, newest first.

        Raises:
            ModelNotFoundError: No model has this id.
        """
        await self.flush()
        async with self._database.read() as session:
            await models.get(session, model_id)
            return await predictions.list_page(session, model_id, request)

    async def get_file(self, prediction_id: str) -> tuple[Path, str]:
        """Return where the image of a prediction lies, and its media type.

        Raises:
            PredictionNotFoundError: None has this id, or its image is not kept.
        """
        await self.flush()
        async with self._database.read() as session:
            record = await predictions.get(session, prediction_id)
        path = self._files.path(record.sha256)
        try:
            kind = await asyncio.to_thread(_find_kind, path)
        except FileNotFoundError as error:
            raise PredictionNotFoundError(prediction_id) from error
        return path, f"image/{kind}"

    async def forget(self, model_id: str) -> None:
        """Delete all that is kept of what a model was asked.

        Raises:
            ModelNotFoundError: No model has this id.
        """
        await self.flush()
        async with self._turn:
            async with self._database.write() as session:
                await models.get(session, model_id)
                unnamed = await predictions.delete_all(session, model_id)
            await self._delete_files(unnamed)


def _find_kind(path: Path) -> str:
    """Return what an image that was verified is, by its first bytes."""
    with path.open("rb") as file:
        kind = sniff(file.read(_HEAD_BYTES))
    return (kind.pillow or "unknown").lower()

"""Use cases of the nightly refresh: reviewed images become a candidate; a person promotes it.

One run at a time, of all datasets: each step reads where it stands from the database and takes it
further, so that a restart goes on where the last one ended. Nothing here changes a stage.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from server.contract.jobs import FINISHED, JobState
from server.contract.recipes import JobRecipe
from server.db.ids import new_id
from server.db.models import ModelRecord
from server.db.refresh_models import RefreshRunRecord, RefreshSettingRecord, RefreshState
from server.db.session import Database, DatabaseFailedError
from server.errors import ModelDamagedError, RefreshRunningError, ServerError
from server.repositories import datasets, models, refreshes
from server.repositories import snapshots as snapshot_rows
from server.services.comparison import Comparison
from server.services.freezing import SplitRequest
from server.services.models import view_of
from server.services.snapshots import SnapshotService
from server.services.suspicions import SuspicionService
from server.services.training import TrainingService, utc_now

log = logging.getLogger(__name__)

DEFAULT_HOUR: Final = 3
DEFAULT_LEAST: Final = 20
KEPT_RUNS: Final = 30  # a month of nights
# A server that was off at the hour still has this long: then the night is over.
_NIGHT_HOURS: Final = 6
# Of a job, from its run's beginning: by then the next night is near, and no trainer took it up.
_MOST_WAIT: Final = timedelta(hours=20)
_MAX_SENTENCE: Final = 1000  # the column's


@dataclass(frozen=True)
class RefreshWish:
    """What a person wants; see `server.db.refresh_models.RefreshSettingRecord`."""

    is_on: bool = False
    hour: int = DEFAULT_HOUR
    least_new_count: int = DEFAULT_LEAST


@dataclass(frozen=True)
class RefreshView:
    """What is wished of a dataset, how many images are new, and what came of the last runs."""

    wish: RefreshWish
    new_count: int
    runs: Sequence[RefreshRunRecord]


@dataclass(frozen=True)
class _Plan:
    """What to train, and how."""

    split: SplitRequest
    recipe: JobRecipe


def _local(moment: datetime) -> datetime:
    return moment.astimezone()


class RefreshService:
    """The nightly refresh."""

    def __init__(
        self,
        database: Database,
        snapshots: SnapshotService,
        training: TrainingService,
        suspicions: SuspicionService,
        clock: Callable[[], datetime] = utc_now,
        local: Callable[[datetime], datetime] = _local,
    ) -> None:
        """Keep what the use cases need.

        Args:
            database: Where all that is known of runs is kept.
            snapshots: Freezes datasets.
            training: Starts jobs.
            suspicions: Compares models.
            clock: The time.
            local: Turns it to the server's own.
        """
        self._database = database
        self._snapshots = snapshots
        self._training = training
        self._suspicions = suspicions
        self._clock = clock
        self._local = local
        self._asked = asyncio.Event()

    async def show(self, dataset_id: str) -> RefreshView:
        """Return what is wished of a dataset, and what came of it.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            record = await refreshes.find_setting(session, dataset_id)
            new_count = await refreshes.count_new(session, dataset_id)
            runs = await refreshes.list_runs(session, dataset_id, KEPT_RUNS)
        return RefreshView(_wish_of(record), new_count, runs)

    async def save(self, dataset_id: str, wish: RefreshWish) -> RefreshView:
        """Keep what is wished of a dataset.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            record = await refreshes.find_setting(session, dataset_id)
            if record is None:
                record = RefreshSettingRecord(dataset_id=dataset_id, last_night=None)
                session.add(record)
            record.is_on, record.hour = wish.is_on, wish.hour
            record.least_new_count = wish.least_new_count
        return await self.show(dataset_id)

    async def ask(self, dataset_id: str) -> RefreshRunRecord:
        """Ask for a run now, however few images are new.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            RefreshRunningError: One is unfinished.
        """
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            if await refreshes.find_unfinished(session, dataset_id) is not None:
                raise RefreshRunningError(
                    "a refresh of this dataset is under way; cancel its training to end it"
                )
            record = self._new_run(dataset_id, is_asked=True)
            session.add(record)
        self._asked.set()
        return record

    async def wait(self, timeout_s: float) -> None:
        """Wait until a person asks, at most so many seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._asked.wait()
        except TimeoutError:
            return
        self._asked.clear()

    async def step(self) -> bool:
        """Take the run that is furthest one step on, or begin those whose night has come.

        Returns:
            Whether there may be more to do at once.

        Raises:
            DatabaseFailedError: The database cannot be written; what was to be done is still due.
        """
        async with self._database.read() as session:
            run = await refreshes.find_unfinished(session)
        if run is None:
            return await self._begin_nights()
        try:
            if run.state == RefreshState.WAITING:
                await self._start(run)
                return True
            return await self._look_after(run)
        except DatabaseFailedError:
            raise  # nothing could be recorded either
        except (ServerError, OSError) as error:
            why = str(error).rstrip(".")
            await self._end(run.id, RefreshState.FAILED, f"It failed: {why}.")
            return True

    async def _begin_nights(self) -> bool:
        now = self._local(self._clock())
        async with self._database.read() as session:
            due = [each for each in await refreshes.list_on(session) if _night(each, now)]
        for setting in due:
            async with self._database.write() as session:
                record = await refreshes.find_setting(session, setting.dataset_id)
                night = None if record is None else _night(record, now)
                if record is None or night is None:
                    continue
                record.last_night = night
                session.add(self._new_run(record.dataset_id, is_asked=False))
        return bool(due)

    def _new_run(self, dataset_id: str, *, is_asked: bool) -> RefreshRunRecord:
        return RefreshRunRecord(
            id=new_id(),
            dataset_id=dataset_id,
            state=RefreshState.WAITING,
            is_asked=is_asked,
            created_at=self._clock(),
        )

    async def _start(self, run: RefreshRunRecord) -> None:
        """Make the snapshot and the job, or say why there is none."""
        async with self._database.read() as session:
            live = await models.find_live(session, run.dataset_id)
            setting = _wish_of(await refreshes.find_setting(session, run.dataset_id))
            new_count = await refreshes.count_new(session, run.dataset_id)
            plan = None
            if live is not None:
                former = await snapshot_rows.get(session, live.snapshot_id)
                split = SplitRequest(former.valid_ratio, former.seed)
                plan = _Plan(split, view_of(live).manifest.recipe)
        if plan is None:
            why = "No model is live: train one by hand first; its recipe is what is used."
            await self._end(run.id, RefreshState.SKIPPED, why, new_count=new_count)
        elif not run.is_asked and new_count < setting.least_new_count:
            why = f"Only {new_count} newly reviewed images, fewer than {setting.least_new_count}."
            await self._end(run.id, RefreshState.SKIPPED, why, new_count=new_count)
        else:
            await self._train(run, plan, new_count)

    async def _train(self, run: RefreshRunRecord, plan: _Plan, new_count: int) -> None:
        snapshot_id = run.snapshot_id
        if snapshot_id is None:
            snapshot_id = (await self._snapshots.create(run.dataset_id, plan.split)).id
            await self._change(run.id, snapshot_id=snapshot_id, new_count=new_count)
        # A server that was killed in this moment last time has a job already.
        async with self._database.read() as session:
            job = await refreshes.find_job_of(session, snapshot_id)
        job_id = (
            job.id if job else (await self._training.create(snapshot_id, plan.recipe)).record.id
        )
        await self._change(run.id, job_id=job_id, state=RefreshState.TRAINING)
        log.info("refresh.training", extra={"dataset_id": run.dataset_id, "job_id": job_id})

    async def _look_after(self, run: RefreshRunRecord) -> bool:
        """End the run when its job has; return whether it has."""
        job = await self._training.show(run.job_id or "")
        state = JobState(job.record.state)
        if state not in FINISHED:
            if self._clock() - run.created_at < _MOST_WAIT:
                return False
            await self._training.cancel(job.record.id)
            hours = int(_MOST_WAIT.total_seconds() // 3600)
            why = f"The training had not ended after {hours} hours and was cancelled."
            await self._end(run.id, RefreshState.FAILED, f"{why} Is a trainer running?")
        elif state is JobState.SUCCEEDED and job.model_id is not None:
            await self._compare(run, job.model_id)
        elif state is JobState.CANCELLED:
            await self._end(run.id, RefreshState.FAILED, "The training was cancelled.")
        else:
            detail = (job.record.error or {}).get("detail", "it says no reason")
            await self._end(run.id, RefreshState.FAILED, f"The training failed: {detail}")
        return True

    async def _compare(self, run: RefreshRunRecord, model_id: str) -> None:
        async with self._database.read() as session:
            live = await models.find_live(session, run.dataset_id)
        compared, sentence = await self._judge(live, model_id)
        document = None if compared is None else asdict(compared)
        await self._end(
            run.id, RefreshState.COMPARED, sentence, model_id=model_id, comparison=document
        )

    async def _judge(
        self, live: ModelRecord | None, model_id: str
    ) -> tuple[Comparison | None, str]:
        if live is None:
            return None, "It is trained; no model is live that it could be compared with."
        if live.id == model_id:
            return None, "It is trained, and live already."
        try:
            compared = await self._suspicions.compare(live.id, model_id)
        except ModelDamagedError as error:
            return None, f"It is trained, but could not be compared: {error}."
        return compared, outcome(compared)

    async def _change(self, run_id: str, **values: Any) -> None:
        async with self._database.write() as session:
            record = await refreshes.get_run(session, run_id)
            if record is not None:  # else the dataset was deleted meanwhile
                for name, value in values.items():
                    setattr(record, name, value)

    async def _end(self, run_id: str, state: RefreshState, sentence: str, **more: Any) -> None:
        ended = {"state": state, "sentence": sentence[:_MAX_SENTENCE], "finished_at": self._clock()}
        await self._change(run_id, **ended, **more)
        async with self._database.write() as session:
            record = await refreshes.get_run(session, run_id)
            if record is not None:
                await refreshes.delete_old_runs(session, record.dataset_id, KEPT_RUNS)
        log.info("refresh.ended", extra={"run_id": run_id, "state": state})


def outcome(compared: Comparison) -> str:
    """Return what a person is told of a candidate beside the live model."""
    if compared.image_count == 0:
        return compared.sentence
    fewer = compared.before_error_count - compared.after_error_count
    many = compared.image_count != 1
    among = f"on the {compared.image_count} validation image{'s' if many else ''} that both have"
    if fewer == 0:
        return f"No better and no worse: both make {_mistakes(compared.after_error_count)} {among}."
    word, comparative = ("Better", "fewer") if fewer > 0 else ("Worse", "more")
    said = f"{word}: {_mistakes(abs(fewer), comparative)} {among}"
    if compared.could_be_chance:
        return f"{said}, which could be chance."
    closing = " Promote it?" if fewer > 0 else " Keep the live model."
    return f"{said}, by more than chance would explain.{closing}"


def _mistakes(number: int, comparative: str = "") -> str:
    words = (str(number), comparative, "mistake" if number == 1 else "mistakes")
    return " ".join(word for word in words if word)


def _wish_of(record: RefreshSettingRecord | None) -> RefreshWish:
    if record is None:
        return RefreshWish()
    return RefreshWish(record.is_on, record.hour, record.least_new_count)


def _night(setting: RefreshSettingRecord, now: datetime) -> str | None:
    """Return the local date of the night that is to be begun now; None when there is none."""
    hours = (now.hour - setting.hour) % 24
    night = (now - timedelta(hours=hours)).date().isoformat()
    return night if hours < _NIGHT_HOURS and night != setting.last_night else None

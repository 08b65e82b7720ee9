"""Use cases on jobs: the person's side (start, watch, cancel) and the worker's (claim … bundle)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from server.contract.errors import FormatError
from server.contract.files import move_durably, sha256_of_file
from server.contract.jobs import FINISHED, JobError, JobFinding, JobState, Progress
from server.contract.recipes import EvaluateRecipe, JobRecipe, parse_recipe
from server.db.ids import new_id
from server.db.models import JobRecord, ModelRecord, ModelStage
from server.db.session import Database, Session
from server.errors import BundleRefusedError, JobFinishedError
from server.inference.pool import CpuPool
from server.inference.session import check_bundle
from server.repositories import jobs, models, snapshots, stages
from server.repositories.paging import Page, PageRequest
from server.repositories.stages import StageChange, StageChangeKind
from server.services.feed import Feed
from server.services.job_checks import check_bundle_of, check_finding, check_lease
from server.services.models import BundleStore
from server.services.wholeness import check_whole

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobRules:
    """How long a silent worker keeps a job, and how often a job is given out."""

    lease_s: float
    max_attempts: int


@dataclass(frozen=True)
class JobView:
    """A job with the dataset it is of and the model it made."""

    record: JobRecord
    dataset_id: str
    model_id: str | None


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class TrainingService:
    """Jobs from start to bundle."""

    def __init__(
        self,
        database: Database,
        feed: Feed,
        bundles: BundleStore,
        pool: CpuPool,
        rules: JobRules,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._feed = feed
        self._bundles = bundles
        self._pool = pool
        self.rules = rules
        self._clock = clock

    # --- the person's side

    async def create(self, snapshot_id: str, recipe: JobRecipe) -> JobView:
        """Queue a job on the snapshot.

        Raises:
            SnapshotNotFoundError: No snapshot has this id.
            ImagesRemovedError: Some of its images are gone for good.
            ModelNotFoundError: The model to evaluate does not exist.
        """
        async with self._database.write() as session:
            snapshot = await snapshots.get(session, snapshot_id)
            await check_whole(session, snapshot_id)
            if isinstance(recipe, EvaluateRecipe):
                await models.get(session, recipe.model_id)
            record = JobRecord(
                id=new_id(),
                snapshot_id=snapshot_id,
                state=JobState.QUEUED,
                recipe=recipe.model_dump(mode="json"),
                attempts=0,
                created_at=self._clock(),
            )
            session.add(record)
        self._feed.jobs_queued.send()
        self._feed.dataset(snapshot.dataset_id).send()
        return JobView(record, snapshot.dataset_id, None)

    async def show(self, job_id: str) -> JobView:
        """Return the job.

        Raises:
            JobNotFoundError: No job has this id.
        """
        async with self._database.read() as session:
            return await _view(session, await jobs.get(session, job_id))

    async def list_page(
        self, dataset_id: str | None, state: str | None, request: PageRequest
    ) -> Page[JobView]:
        """Return a page of jobs, newest first."""
        async with self._database.read() as session:
            page = await jobs.list_page(session, dataset_id, state, request)
            views = [await _view(session, record) for record in page.items]
        return Page(views, page.next_cursor, page.total)

    async def cancel(self, job_id: str) -> JobView:
        """Cancel the job; its worker learns of it with its next report.

        Raises:
            JobNotFoundError: No job has this id.
            JobFinishedError: It has ended.
        """
        async with self._database.write() as session:
            record = await jobs.get(session, job_id)
            if record.state in FINISHED:
                raise JobFinishedError(f"the job has {record.state} already")
            self._finish(record, JobState.CANCELLED)
            view = await _view(session, record)
        self._feed.dataset(view.dataset_id).send()
        return view

    # --- the worker's side

    async def renew_leases(self) -> None:
        """Give the workers of running jobs a whole lease to come back: the silence was ours.

        Else the first idle worker to ask after a pause of the server would be given a job that
        another has all but done.
        """
        async with self._database.write() as session:
            until = self._clock() + timedelta(seconds=self.rules.lease_s)
            await jobs.renew_running(session, until)

    async def claim(
        self,
        worker: str,
        wait_s: float,
        is_gone: Callable[[], Awaitable[bool]] | None = None,
    ) -> JobView | None:
        """Give the oldest queued job to ``worker``, waiting up to ``wait_s`` for one.

        A worker does one job at a time, so what its name still holds is from before a crash and is
        queued again first; so are jobs whose lease is over.

        Args:
            worker: Its name.
            wait_s: Longest wait, in seconds.
            is_gone: Asked after each wait: a worker that was killed while it waited takes no job.
        """
        deadline = self._clock() + timedelta(seconds=wait_s)
        while True:
            seen = self._feed.jobs_queued.count
            view = await self._claim_now(worker)
            left_s = (deadline - self._clock()).total_seconds()
            if view is not None or left_s <= 0 or self._feed.is_closed:
                return view
            # Leases run out without a signal: look again when one may have.
            await self._feed.jobs_queued.wait(seen, min(left_s, self.rules.lease_s / 2))
            if is_gone is not None and await is_gone():
                return None

    async def _claim_now(self, worker: str) -> JobView | None:
        async with self._database.write() as session:
            now = self._clock()
            await jobs.requeue_lost(session, now, worker)
            while (record := await jobs.find_queued(session)) is not None:
                if record.attempts < self.rules.max_attempts:
                    break
                detail = f"its worker vanished {record.attempts} times; see the trainer's log"
                record.error = {"kind": "worker-lost", "detail": detail}
                self._finish(record, JobState.FAILED)
                await session.flush()
            if record is None:
                return None
            record.state = JobState.RUNNING
            record.worker = worker
            record.attempts += 1
            record.started_at = record.started_at or now
            record.lease_until = now + timedelta(seconds=self.rules.lease_s)
            view = await _view(session, record)
        self._feed.dataset(view.dataset_id).send()
        return view

    async def report(self, job_id: str, worker: str, progress: Progress) -> JobState:
        """Store the progress, renew the lease, and tell the worker the job's state.

        Raises:
            JobNotFoundError: No job has this id.
            JobNotLeasedError: The job is another worker's, or has ended.
        """
        async with self._database.write() as session:
            record = await jobs.get(session, job_id)
            if record.state == JobState.CANCELLED and record.worker == worker:
                return JobState.CANCELLED
            check_lease(record, worker)
            document = progress.model_dump(mode="json")
            is_news = record.progress != document
            record.progress = document
            record.lease_until = self._clock() + timedelta(seconds=self.rules.lease_s)
            state = JobState(record.state)
            snapshot = await snapshots.get(session, record.snapshot_id)
        if is_news:  # a worker also reports to be told of an end, each second
            self._feed.dataset(snapshot.dataset_id).send()
        return state

    async def fail(self, job_id: str, worker: str, error: JobError) -> None:
        """End the job with the worker's reason.

        Raises:
            JobNotFoundError: No job has this id.
            JobNotLeasedError: The job is another worker's, or has ended.
        """
        async with self._database.write() as session:
            record = await jobs.get(session, job_id)
            check_lease(record, worker)
            record.error = error.model_dump(mode="json")
            self._finish(record, JobState.FAILED)
            view = await _view(session, record)
        log.warning("job.failed", extra={"job_id": job_id, "kind": error.kind})
        self._feed.dataset(view.dataset_id).send()

    async def conclude(self, job_id: str, worker: str, finding: JobFinding) -> None:
        """End a job that makes no model, with what it found.

        Sent again after its answer was lost, it changes nothing.

        Raises:
            JobNotFoundError: No job has this id.
            JobNotLeasedError: The job is another worker's, or has ended otherwise.
            BundleRefusedError: The job is to make a model, or to find something else.
        """
        async with self._database.write() as session:
            record = await jobs.get(session, job_id)
            document = finding.model_dump(mode="json")
            if record.state == JobState.SUCCEEDED and record.finding == document:
                return
            check_lease(record, worker)
            check_finding(parse_recipe(record.recipe), finding)
            record.finding = document
            self._finish(record, JobState.SUCCEEDED)
            view = await _view(session, record)
        log.info("job.succeeded", extra={"job_id": job_id})
        self._feed.dataset(view.dataset_id).send()

    async def check_lease(self, job_id: str, worker: str) -> None:
        """Say early that a bundle will not be taken.

        Raises:
            JobNotFoundError: No job has this id.
            JobNotLeasedError: The job is another worker's, or has ended.
        """
        async with self._database.read() as session:
            record = await jobs.get(session, job_id)
            if await models.find_by_job(session, job_id) is None:
                check_lease(record, worker)

    async def complete(self, job_id: str, worker: str, upload: Path) -> str:
        """Check the uploaded bundle, keep it, register its model, end the job; return the model.

        Sent again after its answer was lost, the same model is returned.

        Args:
            job_id: The job.
            worker: Who holds it.
            upload: A file in the data folder; it is moved away.

        Raises:
            JobNotFoundError: No job has this id.
            JobNotLeasedError: The job is another worker's, or has ended.
            BundleRefusedError: It does not follow the format, its network does not run, or it is
                of another snapshot or recipe.
        """
        try:
            bundle = await self._pool.run(check_bundle, upload)
        except FormatError as error:
            raise BundleRefusedError(str(error)) from error
        async with self._database.read() as session:
            record = await jobs.get(session, job_id)
            check_bundle_of(bundle, record, await snapshots.get(session, record.snapshot_id))
        sha256 = await self._pool.run(sha256_of_file, upload)
        size_bytes = (await self._pool.run(upload.stat)).st_size
        # The file first, the row after: a crash leaves a file that no row names.
        await self._pool.run(move_durably, upload, self._bundles.path(sha256))
        async with self._database.write() as session:
            record = await jobs.get(session, job_id)
            before = await models.find_by_job(session, job_id)
            if before is not None:
                return before.id
            check_lease(record, worker)
            snapshot = await snapshots.get(session, record.snapshot_id)
            live = await models.find_live(session, snapshot.dataset_id)
            model = ModelRecord(
                id=new_id(),
                dataset_id=snapshot.dataset_id,
                snapshot_id=snapshot.id,
                job_id=job_id,
                stage=ModelStage.CANDIDATE,
                bundle_sha256=sha256,
                bundle_bytes=size_bytes,
                manifest=bundle.manifest.model_dump(mode="json", by_alias=True),
                created_at=self._clock(),
            )
            session.add(model)
            await session.flush()
            if live is None:
                # Nothing to compare it with, and a person who trained wants to use it.
                first = StageChange(StageChangeKind.FIRST)
                await stages.set_stage(session, model, ModelStage.LIVE, first, self._clock())
            self._finish(record, JobState.SUCCEEDED)
        log.info("job.succeeded", extra={"job_id": job_id, "model_id": model.id})
        self._feed.dataset(model.dataset_id).send()
        return model.id

    def _finish(self, record: JobRecord, state: JobState) -> None:
        record.state = state
        record.lease_until = None
        record.finished_at = self._clock()


async def _view(session: Session, record: JobRecord) -> JobView:
    snapshot = await snapshots.get(session, record.snapshot_id)
    model = await models.find_by_job(session, record.id)
    return JobView(record, snapshot.dataset_id, None if model is None else model.id)

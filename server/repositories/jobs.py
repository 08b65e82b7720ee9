"""Queries on jobs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update

from server.contract.jobs import JobState
from server.db.models import JobRecord, SnapshotRecord
from server.db.session import Session
from server.errors import JobNotFoundError
from server.repositories.paging import Page, PageRequest, read_page


async def get(session: Session, job_id: str) -> JobRecord:
    """Return the job.

    Raises:
        JobNotFoundError: No job has this id.
    """
    record = await session.get(JobRecord, job_id)
    if record is None:
        raise JobNotFoundError(job_id)
    return record


async def list_page(
    session: Session, dataset_id: str | None, state: str | None, request: PageRequest
) -> Page[JobRecord]:
    """Return a page of jobs, newest first."""
    query = select(JobRecord)
    if dataset_id is not None:
        query = query.join(SnapshotRecord, SnapshotRecord.id == JobRecord.snapshot_id)
        query = query.where(SnapshotRecord.dataset_id == dataset_id)
    if state is not None:
        query = query.where(JobRecord.state == state)
    return await read_page(session, query, JobRecord.id, request, newest_first=True)


async def requeue_lost(session: Session, now: datetime, worker: str) -> None:
    """Queue again the running jobs whose lease is over, or that ``worker`` held before."""
    await session.execute(
        update(JobRecord)
        .where(
            JobRecord.state == JobState.RUNNING,
            or_(JobRecord.lease_until < now, JobRecord.worker == worker),
        )
        .values(state=JobState.QUEUED, worker=None, lease_until=None, progress=None)
    )


async def renew_running(session: Session, until: datetime) -> None:
    """Let no lease of a running job end before ``until``."""
    await session.execute(
        update(JobRecord)
        .where(JobRecord.state == JobState.RUNNING, JobRecord.lease_until < until)
        .values(lease_until=until)
    )


async def find_queued(session: Session) -> JobRecord | None:
    """Return the oldest queued job, if there is one."""
    return await session.scalar(
        select(JobRecord).where(JobRecord.state == JobState.QUEUED).order_by(JobRecord.id).limit(1)
    )

"""Queries on the nightly refresh."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select

from server.db.models import ImageRecord, ImageStatus, JobRecord, ModelRecord, SnapshotRecord
from server.db.refresh_models import RefreshRunRecord, RefreshSettingRecord, RefreshState
from server.db.session import Session

_UNFINISHED = (RefreshState.WAITING, RefreshState.TRAINING)


async def find_setting(session: Session, dataset_id: str) -> RefreshSettingRecord | None:
    """Return what is wished of a dataset, if anything was."""
    return await session.get(RefreshSettingRecord, dataset_id)


async def list_on(session: Session) -> Sequence[RefreshSettingRecord]:
    """Return the settings of all datasets that are refreshed."""
    query = select(RefreshSettingRecord).where(RefreshSettingRecord.is_on)
    return (await session.scalars(query.order_by(RefreshSettingRecord.dataset_id))).all()


async def find_unfinished(
    session: Session, dataset_id: str | None = None
) -> RefreshRunRecord | None:
    """Return the unfinished run that is furthest, of a dataset or of any."""
    query = select(RefreshRunRecord).where(RefreshRunRecord.state.in_(_UNFINISHED))
    if dataset_id is not None:
        query = query.where(RefreshRunRecord.dataset_id == dataset_id)
    is_waiting = RefreshRunRecord.state == RefreshState.WAITING
    return await session.scalar(query.order_by(is_waiting, RefreshRunRecord.id).limit(1))


async def get_run(session: Session, run_id: str) -> RefreshRunRecord | None:
    """Return a run, unless its dataset was deleted."""
    return await session.get(RefreshRunRecord, run_id)


async def list_runs(session: Session, dataset_id: str, count: int) -> Sequence[RefreshRunRecord]:
    """Return a dataset's last runs, newest first."""
    query = select(RefreshRunRecord).where(RefreshRunRecord.dataset_id == dataset_id)
    return (await session.scalars(query.order_by(RefreshRunRecord.id.desc()).limit(count))).all()


async def delete_old_runs(session: Session, dataset_id: str, keep_count: int) -> None:
    """Delete all but a dataset's last runs."""
    mine = RefreshRunRecord.dataset_id == dataset_id
    kept = select(RefreshRunRecord.id).where(mine).order_by(RefreshRunRecord.id.desc())
    await session.execute(
        delete(RefreshRunRecord).where(mine, RefreshRunRecord.id.not_in(kept.limit(keep_count)))
    )


async def count_new(session: Session, dataset_id: str) -> int:
    """Return how many images were reviewed since the last snapshot that became a model.

    Of those that a snapshot takes: ready, labelled, not excluded.
    """
    learnt_at = (
        select(func.max(SnapshotRecord.created_at))
        .join(ModelRecord, ModelRecord.snapshot_id == SnapshotRecord.id)
        .where(SnapshotRecord.dataset_id == dataset_id)
    )
    since = await session.scalar(learnt_at)
    query = select(func.count()).where(
        ImageRecord.dataset_id == dataset_id,
        ImageRecord.status == ImageStatus.READY,
        ImageRecord.label_id.is_not(None),
        ImageRecord.excluded.is_(False),
        ImageRecord.reviewed_at.is_not(None),
    )
    if since is not None:
        query = query.where(ImageRecord.reviewed_at > since)
    return await session.scalar(query) or 0


async def find_job_of(session: Session, snapshot_id: str) -> JobRecord | None:
    """Return the first job on a snapshot, if there is one."""
    query = select(JobRecord).where(JobRecord.snapshot_id == snapshot_id)
    return await session.scalar(query.order_by(JobRecord.id).limit(1))

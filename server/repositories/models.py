"""Queries on models."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from server.db.models import ModelRecord, ModelStage
from server.db.session import Session
from server.errors import ModelNotFoundError
from server.repositories.chunks import list_missing
from server.repositories.paging import Page, PageRequest, read_page


async def get(session: Session, model_id: str) -> ModelRecord:
    """Return the model.

    Raises:
        ModelNotFoundError: No model has this id.
    """
    record = await session.get(ModelRecord, model_id)
    if record is None:
        raise ModelNotFoundError(model_id)
    return record


async def list_page(
    session: Session, dataset_id: str | None, stage: str | None, request: PageRequest
) -> Page[ModelRecord]:
    """Return a page of models, newest first."""
    query = select(ModelRecord)
    if dataset_id is not None:
        query = query.where(ModelRecord.dataset_id == dataset_id)
    if stage is not None:
        query = query.where(ModelRecord.stage == stage)
    return await read_page(session, query, ModelRecord.id, request, newest_first=True)


async def find_live(session: Session, dataset_id: str | None) -> ModelRecord | None:
    """Return the live model of the dataset, or of any: the one that went live last."""
    query = select(ModelRecord).where(ModelRecord.stage == ModelStage.LIVE)
    if dataset_id is not None:
        query = query.where(ModelRecord.dataset_id == dataset_id)
    return await session.scalar(query.order_by(ModelRecord.live_at.desc()).limit(1))


async def list_live(session: Session, count: int) -> Sequence[ModelRecord]:
    """Return up to ``count`` live models, the one that went live last first."""
    query = select(ModelRecord).where(ModelRecord.stage == ModelStage.LIVE)
    return (await session.scalars(query.order_by(ModelRecord.live_at.desc()).limit(count))).all()


async def find_by_job(session: Session, job_id: str) -> ModelRecord | None:
    """Return the model that the job made, if it has."""
    return await session.scalar(select(ModelRecord).where(ModelRecord.job_id == job_id))


async def list_bundles_of(session: Session, dataset_id: str) -> Sequence[str]:
    """Return the hashes of the bundles of a dataset's models."""
    query = select(ModelRecord.bundle_sha256).where(ModelRecord.dataset_id == dataset_id)
    return (await session.scalars(query)).all()


async def list_unnamed(session: Session, bundles: Sequence[str]) -> Sequence[str]:
    """Return those of these bundles that no model has."""
    return await list_missing(session, ModelRecord.bundle_sha256, bundles)

"""Queries on the stages of models, and the trail of their changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select

from server.db.ids import new_id_after
from server.db.models import ModelRecord, ModelStage
from server.db.session import Session
from server.db.stage_models import StageChangeRecord
from server.repositories import models
from server.repositories.paging import Page, PageRequest, read_page

_MOST_STEPS: Final = 1000  # of the way back: nobody looks further


class StageChangeKind(StrEnum):
    """Why a stage was changed.

    ``first``: nothing was live when the model was made. ``chosen``: a person did it. ``forced``:
    though the model was found worse than the live one. ``rollback``: back to the one before.
    ``rule``: a rollout's rule did it, or its end did.
    """

    FIRST = "first"
    CHOSEN = "chosen"
    FORCED = "forced"
    ROLLBACK = "rollback"
    RULE = "rule"


@dataclass(frozen=True)
class StageChange:
    """What to write into the trail beside the stages themselves; see `StageChangeRecord`."""

    kind: StageChangeKind
    reason: str | None = None
    comparison: dict[str, Any] | None = None


async def set_stage(
    session: Session, model: ModelRecord, stage: ModelStage, change: StageChange, now: datetime
) -> StageChangeRecord:
    """Set the stage, and say so in the trail.

    The dataset's former live model is retired when another goes live.
    """
    replaced = await models.find_live(session, model.dataset_id)
    if stage is not ModelStage.LIVE or replaced is model:
        replaced = None
    if replaced is not None:
        replaced.stage = ModelStage.RETIRED
        await session.flush()  # before the other goes live: one alone may be
    newest = await session.scalar(
        select(func.max(StageChangeRecord.id)).where(
            StageChangeRecord.dataset_id == model.dataset_id
        )
    )
    record = StageChangeRecord(
        id=new_id_after(newest),
        dataset_id=model.dataset_id,
        model_id=model.id,
        before=model.stage,
        after=stage,
        kind=change.kind,
        replaced_id=None if replaced is None else replaced.id,
        reason=change.reason,
        comparison=change.comparison,
        created_at=now,
    )
    session.add(record)
    if stage is ModelStage.LIVE:
        model.live_at = now
    model.stage = stage
    await session.flush()
    return record


async def find_before(session: Session, live: ModelRecord) -> ModelRecord | None:
    """Return the model that was live before this one, unless it is gone.

    A way back undoes a step of the trail: so one can go back step by step, to the first.
    """
    changes = await session.execute(
        select(StageChangeRecord.model_id, StageChangeRecord.kind)
        .where(
            StageChangeRecord.dataset_id == live.dataset_id,
            StageChangeRecord.after == ModelStage.LIVE,
        )
        .order_by(StageChangeRecord.id.desc())
        .limit(_MOST_STEPS)
    )
    steps: list[str] = []
    for model_id, kind in reversed(changes.all()):
        if kind == StageChangeKind.ROLLBACK:
            steps = steps[:-1]
        if not steps or steps[-1] != model_id:
            steps.append(model_id)
    if steps[-1:] != [live.id] or len(steps) == 1:
        return None
    return await session.get(ModelRecord, steps[-2])


async def list_changes(
    session: Session, dataset_id: str, request: PageRequest
) -> Page[StageChangeRecord]:
    """Return a page of a dataset's trail, newest first."""
    query = select(StageChangeRecord).where(StageChangeRecord.dataset_id == dataset_id)
    return await read_page(session, query, StageChangeRecord.id, request, newest_first=True)

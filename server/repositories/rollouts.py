"""Queries on models that are asked beside the live one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, select, update

from server.db.ids import new_id_after
from server.db.models import ModelRecord
from server.db.removal_models import RemovedBlobRecord
from server.db.rollout_models import DisagreementRecord, RolloutDecisionRecord, RolloutRecord
from server.db.session import Session
from server.errors import RolloutNotFoundError
from server.repositories.paging import Page, PageRequest, read_page

_MOST_OPEN: Final = 1_000  # two of each dataset at the most
_MOST_DECISIONS: Final = 100  # of one rollout: some ten by rule, and those of persons
# Of one rollout: who looks at a thousand has seen enough, and more would fill the disk.
MOST_DISAGREEMENTS: Final = 1_000


class Outcome(StrEnum):
    """What ended a rollout.

    ``promoted``: the model was let further out. ``rolled-back``: a rule called it back.
    ``stopped``: a person did. ``replaced``: another model went live, so that there is nothing to
    compare with.
    """

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled-back"
    STOPPED = "stopped"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Counts:
    """What to add to a rollout's counts; see `RolloutRecord`."""

    compared: int = 0
    agreed: int = 0
    live_abstained: int = 0
    model_abstained: int = 0
    not_compared: int = 0


async def get(session: Session, rollout_id: str) -> RolloutRecord:
    """Return the rollout.

    Raises:
        RolloutNotFoundError: None has this id.
    """
    record = await session.get(RolloutRecord, rollout_id)
    if record is None:
        raise RolloutNotFoundError(rollout_id)
    return record


async def list_open(session: Session) -> Sequence[tuple[RolloutRecord, ModelRecord, ModelRecord]]:
    """Return those that go on, each with its model and with the live one it is compared with."""
    rows = await session.execute(
        select(RolloutRecord, ModelRecord)
        .join(ModelRecord, ModelRecord.id == RolloutRecord.model_id)
        .where(RolloutRecord.ended_at.is_(None))
        .limit(_MOST_OPEN)
    )
    found = [(rollout, model) for rollout, model in rows]
    lives = await session.scalars(
        select(ModelRecord).where(ModelRecord.id.in_({one.live_id for one, _ in found}))
    )
    by_id = {one.id: one for one in lives}
    return [(one, model, by_id[one.live_id]) for one, model in found if one.live_id in by_id]


async def list_open_of(session: Session, dataset_id: str) -> Sequence[RolloutRecord]:
    """Return those of a dataset that go on: two at the most."""
    rows = await session.scalars(
        select(RolloutRecord)
        .where(RolloutRecord.dataset_id == dataset_id, RolloutRecord.ended_at.is_(None))
        .order_by(RolloutRecord.id)
    )
    return rows.all()


async def end(session: Session, rollout: RolloutRecord, outcome: Outcome, now: datetime) -> None:
    """End a rollout."""
    rollout.ended_at = now
    rollout.outcome = outcome
    await session.flush()  # before the next begins: one alone may be open


async def add_decision(
    session: Session,
    rollout: RolloutRecord,
    kind: str,
    sentence: str,
    figures: dict[str, Any],
    now: datetime,
) -> None:
    """Write down what was decided; the rollout's share is what it is from now on."""
    newest = await session.scalar(
        select(func.max(RolloutDecisionRecord.id)).where(
            RolloutDecisionRecord.rollout_id == rollout.id
        )
    )
    session.add(
        RolloutDecisionRecord(
            id=new_id_after(newest),
            rollout_id=rollout.id,
            kind=kind,
            sentence=sentence,
            share=rollout.share,
            figures=figures,
            created_at=now,
        )
    )
    await session.flush()


async def list_decisions(session: Session, rollout_id: str) -> Sequence[RolloutDecisionRecord]:
    """Return what was decided of a rollout, newest first."""
    rows = await session.scalars(
        select(RolloutDecisionRecord)
        .where(RolloutDecisionRecord.rollout_id == rollout_id)
        .order_by(RolloutDecisionRecord.id.desc())
        .limit(_MOST_DECISIONS)
    )
    return rows.all()


async def list_page(session: Session, dataset_id: str, request: PageRequest) -> Page[RolloutRecord]:
    """Return a page of a dataset's rollouts, newest first."""
    query = select(RolloutRecord).where(RolloutRecord.dataset_id == dataset_id)
    return await read_page(session, query, RolloutRecord.id, request, newest_first=True)


async def list_disagreements(
    session: Session, rollout_id: str, request: PageRequest
) -> Page[DisagreementRecord]:
    """Return a page of what two models answered differently, newest first."""
    query = select(DisagreementRecord).where(DisagreementRecord.rollout_id == rollout_id)
    return await read_page(session, query, DisagreementRecord.id, request, newest_first=True)


async def add_counts(session: Session, counts: Mapping[str, Counts]) -> None:
    """Add to the counts of rollouts, by id, that go on."""
    for rollout_id, more in counts.items():
        await session.execute(
            update(RolloutRecord)
            .where(RolloutRecord.id == rollout_id, RolloutRecord.ended_at.is_(None))
            .values(
                compared=RolloutRecord.compared + more.compared,
                agreed=RolloutRecord.agreed + more.agreed,
                live_abstained=RolloutRecord.live_abstained + more.live_abstained,
                model_abstained=RolloutRecord.model_abstained + more.model_abstained,
                not_compared=RolloutRecord.not_compared + more.not_compared,
            )
        )


async def add_disagreements(
    session: Session, rollout_id: str, records: Sequence[DisagreementRecord]
) -> None:
    """Write down what two models answered differently; the oldest beyond the cap go.

    So do those of images that a removal took.
    """
    if not records or await session.get(RolloutRecord, rollout_id) is None:
        return
    session.add_all(records)
    await session.flush()
    ours = DisagreementRecord.rollout_id == rollout_id
    kept = (
        select(DisagreementRecord.id)
        .where(ours)
        .order_by(DisagreementRecord.id.desc())
        .limit(MOST_DISAGREEMENTS)
    )
    await session.execute(
        delete(DisagreementRecord).where(ours, DisagreementRecord.id.not_in(kept))
    )
    removed = select(RemovedBlobRecord.sha256)
    await session.execute(delete(DisagreementRecord).where(DisagreementRecord.sha256.in_(removed)))

"""What a change of stages does to rollouts, in the same transaction: they begin and end by it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from server.contract.bundle import BundleManifest
from server.db.ids import new_id
from server.db.models import ModelRecord, ModelStage
from server.db.rollout_models import RolloutRecord
from server.db.session import Session
from server.errors import NoModelError, RolloutRunningError
from server.repositories import models, rollouts, stages
from server.repositories.rollouts import Outcome
from server.repositories.stages import StageChange, StageChangeKind
from server.services.rollout_rules import (
    Decision,
    DecisionKind,
    Figures,
    Rules,
    Stage,
    agreement_floor,
)

BESIDE: Final = frozenset({ModelStage.SHADOW, ModelStage.LIMITED})
_ORDER: Final = (ModelStage.SHADOW, ModelStage.LIMITED, ModelStage.LIVE)
MOST_WORDS: Final = 500  # of a sentence, as wide as its column


@dataclass(frozen=True)
class Decided:
    """What a rule decided of a rollout, to be written down with what comes of it."""

    rollout_id: str
    decision: Decision
    figures: Figures


@dataclass(frozen=True)
class Move:
    """A model's change of stage that was just made.

    Attributes:
        before: Its stage until then.
        rules: Of the rollout that begins, if one does.
        decided: By a rule; None when a person did it.
        reason: A person's words.
    """

    model: ModelRecord
    before: ModelStage
    rules: Rules
    decided: Decided | None
    reason: str | None
    now: datetime


async def follow(session: Session, move: Move) -> None:
    """End the rollouts that a change of stage ends, and begin the one that it begins.

    A change of the live model ends all of the dataset's: there is nothing to compare with.

    Raises:
        NoModelError: A model shall go beside the live one, and there is none.
        RolloutRunningError: Another model is in that stage.
    """
    after = ModelStage(move.model.stage)
    is_other_live = ModelStage.LIVE in {after, move.before}
    for rollout in await rollouts.list_open_of(session, move.model.dataset_id):
        if rollout.model_id == move.model.id:
            await _end_own(session, rollout, move)
        elif is_other_live:
            await _end_other(session, rollout, move.now)
    if after in BESIDE:
        await _begin(session, move, Stage(after.value))


async def _end_own(session: Session, rollout: RolloutRecord, move: Move) -> None:
    after = ModelStage(move.model.stage)
    is_further = after in _ORDER and _ORDER.index(after) > _ORDER.index(ModelStage(rollout.stage))
    outcome, kind = Outcome.STOPPED, DecisionKind.STOP
    if is_further:
        outcome, kind = Outcome.PROMOTED, DecisionKind.PROMOTE
    words = f"A person set its stage to {after.value}."
    if move.reason is not None:
        words = f"A person set its stage to {after.value}: {move.reason}"
    figures: dict[str, Any] = asdict(figures_of(rollout))
    if move.decided is not None:
        decision = move.decided.decision
        kind, words, figures = decision.kind, decision.sentence, asdict(move.decided.figures)
        if not is_further:
            outcome = Outcome.ROLLED_BACK
    await _write(session, rollout, (kind, words, figures), move.now)
    await rollouts.end(session, rollout, outcome, move.now)


async def _end_other(session: Session, rollout: RolloutRecord, now: datetime) -> None:
    words = "The live model was changed, so there is nothing to compare with any more."
    figures = asdict(figures_of(rollout))
    await _write(session, rollout, (DecisionKind.STOP, words, figures), now)
    await rollouts.end(session, rollout, Outcome.REPLACED, now)
    model = await models.get(session, rollout.model_id)
    change = StageChange(StageChangeKind.RULE, words)
    await stages.set_stage(session, model, ModelStage.CANDIDATE, change, now)


async def _begin(session: Session, move: Move, stage: Stage) -> None:
    model, rules = move.model, move.rules
    live = await models.find_live(session, model.dataset_id)
    if live is None:
        raise NoModelError(
            f"a {stage} model is compared with the live one, and the dataset has none; let a model "
            "go live first"
        )
    for rollout in await rollouts.list_open_of(session, model.dataset_id):
        if rollout.stage == stage:
            raise RolloutRunningError(
                f"model {rollout.model_id} is in {stage} already; set it to candidate first"
            )
    floor = agreement_floor(_error_of(live), _error_of(model), rules.agreement_margin)
    rollout = RolloutRecord(
        id=new_id(),
        dataset_id=model.dataset_id,
        model_id=model.id,
        live_id=live.id,
        stage=stage.value,
        rules=asdict(rules) | {"sites": list(rules.sites)},
        share=rules.share if stage is Stage.LIMITED else 0.0,
        floor=floor,
        looks=0,
        compared=0,
        agreed=0,
        live_abstained=0,
        model_abstained=0,
        not_compared=0,
        started_at=move.now,
    )
    session.add(rollout)
    await session.flush()
    words = (
        f"It is asked beside the live model and answers nobody. Least agreement: {floor:.1%}."
        if stage is Stage.SHADOW
        else f"It answers {_whom(rules)}. Least agreement with the live model: {floor:.1%}."
    )
    await _write(session, rollout, (DecisionKind.START, words, asdict(Figures())), move.now)


async def _write(
    session: Session,
    rollout: RolloutRecord,
    said: tuple[DecisionKind, str, dict[str, Any]],
    now: datetime,
) -> None:
    kind, words, figures = said
    await rollouts.add_decision(session, rollout, kind.value, words[:MOST_WORDS], figures, now)


def _whom(rules: Rules) -> str:
    sites = f"questions from {', '.join(rules.sites)}" if rules.sites else ""
    share = f"{rules.share:.0%} of the clients" if rules.share or not sites else ""
    return " and ".join(filter(None, (share, sites)))


def _error_of(model: ModelRecord) -> float:
    """Return a model's error rate on its validation images: the middle of Wilson's interval.

    Of few images that is a careful guess: none wrong of ten does not mean that it is never wrong.
    """
    low, high = BundleManifest.model_validate(model.manifest).metrics.error_rate_interval
    return (low + high) / 2


def figures_of(rollout: RolloutRecord) -> Figures:
    """Return what was compared so far; feedback is not in it."""
    return Figures(
        rollout.compared, rollout.agreed, rollout.live_abstained, rollout.model_abstained
    )

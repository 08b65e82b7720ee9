"""Use cases of models beside the live one: write down what was compared, and go by the rules."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from typing_extensions import override

from server.db.ids import new_ids
from server.db.models import ModelStage
from server.db.rollout_models import DisagreementRecord, RolloutDecisionRecord, RolloutRecord
from server.db.session import Database, DatabaseFailedError
from server.errors import ModelDamagedError, ModelWorseError, RolloutRunningError, ServerError
from server.repositories import datasets, rollouts
from server.repositories.paging import Page, PageRequest
from server.repositories.stages import StageChangeKind
from server.services.beside import Beside, Tally
from server.services.feed import Feed
from server.services.promotion import PromotionService, Wish
from server.services.rollout_moves import MOST_WORDS, Decided, figures_of
from server.services.rollout_rules import (
    LOOKS,
    Decision,
    DecisionKind,
    Figures,
    Rules,
    Stage,
    State,
    decide,
    is_due,
)
from server.services.training import utc_now

log = logging.getLogger(__name__)

_GATHER_S: Final = 1.0  # many comparisons share a transaction


class Feedback(Protocol):
    """What people said of answers."""

    async def counts(self, model_id: str, since: datetime) -> tuple[int, int]:
        """Return how many of a model's answers since then were called right, and wrong."""
        ...


class NoFeedback(Feedback):
    """Nobody says anything of answers: that part of the rules decides nothing."""

    @override
    async def counts(self, model_id: str, since: datetime) -> tuple[int, int]:
        """Return zeros."""
        return 0, 0


@dataclass(frozen=True)
class RolloutView:
    """A rollout, its figures with feedback, and what was decided, newest first."""

    record: RolloutRecord
    figures: Figures
    decisions: Sequence[RolloutDecisionRecord]


def rules_of(rollout: RolloutRecord) -> Rules:
    """Return the rules that a rollout goes by."""
    return Rules(**rollout.rules | {"sites": tuple(rollout.rules["sites"])})


class RolloutService:
    """Rollouts."""

    def __init__(
        self,
        database: Database,
        feed: Feed,
        beside: Beside,
        promotion: PromotionService,
        feedback: Feedback | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._feed = feed
        self._beside = beside
        self._promotion = promotion
        self._feedback = feedback or NoFeedback()
        self._clock = clock

    async def list_page(self, dataset_id: str, request: PageRequest) -> Page[RolloutView]:
        """Return a page of a dataset's rollouts, newest first, with what was decided.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            page = await rollouts.list_page(session, dataset_id, request)
            decided = [await rollouts.list_decisions(session, one.id) for one in page.items]
        views = [
            RolloutView(record, await self._figures(record), decisions)
            for record, decisions in zip(page.items, decided, strict=True)
        ]
        return Page(views, page.next_cursor, page.total)

    async def show(self, rollout_id: str) -> RolloutView:
        """Return a rollout.

        Raises:
            RolloutNotFoundError: None has this id.
        """
        async with self._database.read() as session:
            record = await rollouts.get(session, rollout_id)
            decisions = await rollouts.list_decisions(session, rollout_id)
        return RolloutView(record, await self._figures(record), decisions)

    async def list_disagreements(
        self, rollout_id: str, request: PageRequest
    ) -> Page[DisagreementRecord]:
        """Return a page of what both models answered differently, newest first.

        Raises:
            RolloutNotFoundError: None has this id.
        """
        async with self._database.read() as session:
            await rollouts.get(session, rollout_id)
            return await rollouts.list_disagreements(session, rollout_id, request)

    async def _figures(self, record: RolloutRecord) -> Figures:
        live = await self._feedback.counts(record.live_id, record.started_at)
        model = await self._feedback.counts(record.model_id, record.started_at)
        return replace(
            figures_of(record),
            live_right=live[0],
            live_wrong=live[1],
            model_right=model[0],
            model_wrong=model[1],
        )

    async def run(self) -> None:
        """Compare, write down and decide until cancelled; then write the rest."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._beside.run())
                tasks.create_task(self._write_on())
        finally:
            await self.write()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(_GATHER_S)
            await self.write()

    async def write(self) -> None:
        """Write down what was compared, and take the looks that are due.

        What cannot be written is dropped, and said in the log.
        """
        tallies = self._beside.drain()
        if not tallies:
            return
        try:
            await self._write_down(tallies)
            for rollout_id in tallies:
                await self._look_on(rollout_id)
        except DatabaseFailedError:
            log.exception("rollouts.write_failed", extra={"count": len(tallies)})

    async def _write_down(self, tallies: dict[str, Tally]) -> None:
        now = self._clock()
        async with self._database.write() as session:
            counts = {rollout_id: tally.counts for rollout_id, tally in tallies.items()}
            await rollouts.add_counts(session, counts)
            for rollout_id, tally in tallies.items():
                ids = new_ids(len(tally.disagreements))
                records = [
                    DisagreementRecord(
                        id=made,
                        rollout_id=rollout_id,
                        sha256=one.sha256,
                        prediction_id=one.prediction_id,
                        live_label=one.live.label,
                        live_probability=one.live.probability,
                        live_abstained=one.live.abstained,
                        model_label=one.model.label,
                        model_probability=one.model.probability,
                        model_abstained=one.model.abstained,
                        created_at=now,
                    )
                    for made, one in zip(ids, tally.disagreements, strict=True)
                ]
                await rollouts.add_disagreements(session, rollout_id, records)

    async def _look_on(self, rollout_id: str) -> None:
        """Take the looks that are due; what was widened is first to show how it does so."""
        try:
            for _ in range(LOOKS):
                if await self.look(rollout_id) not in {DecisionKind.WAIT, DecisionKind.PROPOSE}:
                    return
        except ServerError as error:  # it is gone, or others change stages: perhaps the next time
            detail = {"rollout_id": rollout_id, "detail": str(error)}
            log.warning("rollout.not_decided", extra=detail)

    async def look(self, rollout_id: str) -> DecisionKind | None:
        """Take the look that is due, and do what it decides; return that, or None if none is.

        Raises:
            RolloutNotFoundError: None has this id.
            StageChangedError: Other models are being promoted; the look is still due.
            DatabaseFailedError: It cannot be written down.
        """
        async with self._database.read() as session:
            record = await rollouts.get(session, rollout_id)
        rules = rules_of(record)
        if record.ended_at is not None or not is_due(rules, record.looks, record.compared):
            return None
        figures = await self._figures(record)
        state = State(Stage(record.stage), record.share, record.floor, record.looks)
        # Of hundred thousand answers the bounds take some tenths of a second.
        decision = await asyncio.to_thread(decide, rules, state, figures)
        if decision is None:
            return None
        log.info("rollout.decided", extra={"rollout_id": record.id, "kind": decision.kind.value})
        if decision.kind in {DecisionKind.ROLL_BACK, DecisionKind.PROMOTE}:
            await self._move(record, Decided(record.id, decision, figures))
        else:
            await self._note(record, Decided(record.id, decision, figures))
        self._feed.dataset(record.dataset_id).send()
        return decision.kind

    async def _note(self, record: RolloutRecord, decided: Decided) -> None:
        """Write a decision down that leaves the stage as it is."""
        decision = decided.decision
        async with self._database.write() as session:
            found = await rollouts.get(session, record.id)
            if found.ended_at is not None or found.looks != record.looks:
                return
            found.looks += 1
            found.share = decision.share
            words, figures = decision.sentence[:MOST_WORDS], asdict(decided.figures)
            kind = decision.kind.value
            await rollouts.add_decision(session, found, kind, words, figures, self._clock())

    async def _move(self, record: RolloutRecord, decided: Decided) -> None:
        """Do what a decision says; when that is not possible, say why."""
        decision = decided.decision
        stage = ModelStage.CANDIDATE
        if decision.kind is DecisionKind.PROMOTE:
            stage = ModelStage.LIVE if record.stage == Stage.LIMITED else ModelStage.LIMITED
        try:
            await self._set(record, stage, decided)
        except (ModelWorseError, ModelDamagedError) as error:
            words = f"{decision.sentence} But it does not go live. {error}"
            worse = Decision(DecisionKind.ROLL_BACK, words[:MOST_WORDS], decision.share)
            await self._set(record, ModelStage.CANDIDATE, replace(decided, decision=worse))
        except RolloutRunningError as error:
            words = f"{decision.sentence} But it has to wait: {error}."
            waiting = Decision(DecisionKind.PROPOSE, words[:MOST_WORDS], decision.share)
            await self._note(record, replace(decided, decision=waiting))

    async def _set(self, record: RolloutRecord, stage: ModelStage, decided: Decided) -> None:
        reason = decided.decision.sentence[:MOST_WORDS]
        wish = Wish(
            stage, reason, rules=rules_of(record), kind=StageChangeKind.RULE, decided=decided
        )
        await self._promotion.set_stage(record.model_id, wish)

"""Use cases of letting models out: promote with a gate, roll back, tell what became of whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from server.contract.errors import FormatError
from server.db.models import ModelRecord, ModelStage
from server.db.session import Database
from server.db.stage_models import StageChangeRecord
from server.errors import (
    ModelDamagedError,
    ModelWorseError,
    NothingToRollBackError,
    StageChangedError,
)
from server.inference.registry import Registry
from server.repositories import datasets, models, rollouts, stages
from server.repositories.paging import Page, PageRequest
from server.repositories.stages import StageChange, StageChangeKind
from server.services import rollout_moves
from server.services.comparison import Comparison
from server.services.feed import Feed
from server.services.models import BundleStore, ModelView, damaged, view_of
from server.services.rollout_moves import BESIDE, Decided, Move
from server.services.rollout_rules import Rules
from server.services.suspicions import SuspicionService
from server.services.training import utc_now

# How often a promotion looks again when another one came between: nobody promotes that fast.
_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class Wish:
    """What a person, or a rule, wants of a model.

    Attributes:
        reason: For the trail; needed when forced.
        is_forced: Promote it though it is worse than the live one.
        rules: Of the rollout that begins with ``shadow`` or ``limited``; None for the usual ones.
        kind: For the trail.
        decided: What a rollout's rule decided, of which this comes; None when a person wishes it.
    """

    stage: ModelStage
    reason: str | None = None
    is_forced: bool = False
    rules: Rules | None = None
    kind: StageChangeKind = StageChangeKind.CHOSEN
    decided: Decided | None = None


class PromotionService:
    """Stages of models."""

    def __init__(
        self,
        database: Database,
        feed: Feed,
        bundles: BundleStore,
        registry: Registry,
        suspicions: SuspicionService,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._feed = feed
        self._bundles = bundles
        self._registry = registry
        self._suspicions = suspicions
        self._clock = clock

    async def set_stage(self, model_id: str, wish: Wish) -> ModelView:
        """Set the model's stage; going live retires the dataset's former live model.

        Before it goes live the model is loaded, so that the first who asks does not wait, and
        compared with the live one on the validation images of both. Beside the live one, or no
        longer, a rollout begins or ends with it.

        Raises:
            ModelNotFoundError: No model has this id.
            ModelDamagedError: Its bundle is damaged or gone.
            ModelWorseError: It is worse than the live one by more than chance, and not forced.
            StageChangedError: Others promoted models of the dataset meanwhile, again and again.
            NoModelError: It shall go beside the live model, and there is none.
            RolloutRunningError: Another model is in that stage.
        """
        for _ in range(_ATTEMPTS):
            async with self._database.read() as session:
                model = await models.get(session, model_id)
                live = await models.find_live(session, model.dataset_id)
            if model.stage == wish.stage and (wish.rules is None or wish.stage not in BESIDE):
                return view_of(model)
            change = StageChange(wish.kind, wish.reason)
            if wish.stage in BESIDE:
                await self._load(model)
            if wish.stage is ModelStage.LIVE:
                change = await self._examine(model, live, wish)
            live_id = None if live is None else live.id
            if (changed := await self._commit(model_id, live_id, wish, change)) is not None:
                return changed
        raise StageChangedError("other models of the dataset went live meanwhile; look again")

    async def roll_back(self, dataset_id: str, reason: str | None) -> ModelView:
        """Let the model that was live before the live one answer again; return it.

        Asks no gate: it is for when something is wrong.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            NothingToRollBackError: None is live, or none was before it, or that one is gone.
            ModelDamagedError: The former model's bundle is damaged or gone.
        """
        for _ in range(_ATTEMPTS):
            async with self._database.read() as session:
                await datasets.get(session, dataset_id)
                live = await models.find_live(session, dataset_id)
                former = None if live is None else await stages.find_before(session, live)
            if live is None or former is None:
                raise NothingToRollBackError(
                    "no model is live" if live is None else "no model was live before this one"
                )
            await self._load(former)
            change = StageChange(StageChangeKind.ROLLBACK, reason)
            wish = Wish(ModelStage.LIVE, reason)
            changed = await self._commit(former.id, live.id, wish, change)
            if changed is not None:
                return changed
        raise StageChangedError("other models of the dataset went live meanwhile; look again")

    async def list_changes(self, dataset_id: str, request: PageRequest) -> Page[StageChangeRecord]:
        """Return a page of what became of a dataset's models, newest first.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await stages.list_changes(session, dataset_id, request)

    async def _examine(
        self, model: ModelRecord, live: ModelRecord | None, wish: Wish
    ) -> StageChange:
        """Return what to write of a promotion, or refuse it."""
        await self._load(model)
        compared = None if live is None else await self._compare(live, model)
        if compared is None:
            return StageChange(wish.kind, wish.reason)
        document = asdict(compared) | {"sentence": compared.sentence}
        if not compared.is_worse:
            return StageChange(wish.kind, wish.reason, document)
        if not wish.is_forced:
            raise ModelWorseError(
                f"On the {compared.image_count} validation images that both have, it makes "
                f"{compared.after_error_count} mistakes and the live model "
                f"{compared.before_error_count}: {compared.sentence} Keep the live model, or force "
                "it with a reason."
            )
        return StageChange(StageChangeKind.FORCED, wish.reason, document)

    async def _compare(self, live: ModelRecord, model: ModelRecord) -> Comparison | None:
        """Return the comparison, or None when it says nothing.

        That is: the live model's bundle is damaged, or they share no validation image.
        """
        try:
            compared = await self._suspicions.compare(live.id, model.id)
        except ModelDamagedError:
            # The candidate's was read a moment ago; and what is broken must not bar its successor.
            return None
        return compared if compared.image_count else None

    async def _load(self, model: ModelRecord) -> None:
        path = self._bundles.path(model.bundle_sha256)
        try:
            await self._registry.get(model.bundle_sha256, path)
        except (FormatError, FileNotFoundError) as error:
            raise damaged(model) from error

    async def _commit(
        self, model_id: str, live_id: str | None, wish: Wish, change: StageChange
    ) -> ModelView | None:
        """Change the stage, unless another model than ``live_id`` is live by now.

        What a rule decided of a rollout that has ended meanwhile changes nothing.
        """
        now = self._clock()
        async with self._database.write() as session:
            model = await models.get(session, model_id)
            live = await models.find_live(session, model.dataset_id)
            if (None if live is None else live.id) != live_id:
                return None
            if wish.decided is not None:
                rollout = await rollouts.get(session, wish.decided.rollout_id)
                if rollout.ended_at is not None:
                    return view_of(model)
            before = ModelStage(model.stage)
            await stages.set_stage(session, model, wish.stage, change, now)
            rules = wish.rules or Rules()
            move = Move(model, before, rules, wish.decided, wish.reason, now)
            await rollout_moves.follow(session, move)
        self._feed.dataset(model.dataset_id).send()
        return view_of(model)

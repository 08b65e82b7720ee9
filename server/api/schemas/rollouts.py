"""Models beside the live one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from server.api.schemas.base import ReplyModel, RequestModel
from server.db.rollout_models import RolloutDecisionRecord
from server.repositories.rollouts import Outcome
from server.services.rollout_rules import LOOKS, DecisionKind, Figures, Rules, Stage
from server.services.rollouts import RolloutView, rules_of

MAX_SITES = 20  # more than a person lists by hand
# A name, not an address: letters, digits, hyphens and dots, as browsers send it; or IPv6.
HOST_PATTERN = r"^[A-Za-z0-9_.:\[\]-]+$"
Host = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, min_length=1, max_length=253, pattern=HOST_PATTERN
    ),
    AfterValidator(lambda host: host.rstrip(".")),
]
Share = Annotated[float, Field(ge=0, le=1)]


class RolloutIn(RequestModel):
    """The rules of a model beside the live one; what is not given is as usual.

    ``share``: of the clients that a limited model answers at first; 0: none but the ``sites``.
    """

    share: Share | None = None
    sites: list[Host] = Field([], max_length=MAX_SITES)
    min_answers: int = Field(50, ge=10, le=1_000)
    agreement_margin: Share = 0.05
    abstention_margin: Share = 0.1
    auto_promote: bool = False

    def rules(self) -> Rules:
        """Return them as the services know them: with sites, no share but the one that is given."""
        usual = 0.0 if self.sites else Rules().share
        return Rules(
            share=usual if self.share is None else self.share,
            sites=tuple(dict.fromkeys(self.sites)),
            min_answers=self.min_answers,
            agreement_margin=self.agreement_margin,
            abstention_margin=self.abstention_margin,
            auto_promote=self.auto_promote,
        )


class RulesOut(ReplyModel):
    """The rules that a rollout goes by."""

    share: float
    sites: list[str]
    min_answers: int
    agreement_margin: float
    abstention_margin: float
    auto_promote: bool


class FiguresOut(ReplyModel):
    """What is known of two models that were asked the same; feedback is since the beginning."""

    compared: int
    agreed: int
    live_abstained: int
    model_abstained: int
    live_right: int
    live_wrong: int
    model_right: int
    model_wrong: int

    @classmethod
    def of(cls, figures: Figures) -> FiguresOut:
        """Return them as the API shows them."""
        return cls(**asdict(figures))


class DecisionOut(ReplyModel):
    """What was decided, why, and on which figures. ``share``: of the clients, from then on."""

    id: str
    kind: DecisionKind
    sentence: str
    share: float
    figures: FiguresOut
    created_at: datetime

    @classmethod
    def of(cls, record: RolloutDecisionRecord) -> DecisionOut:
        """Return it as the API shows it."""
        return cls(
            id=record.id,
            kind=DecisionKind(record.kind),
            sentence=record.sentence,
            share=record.share,
            figures=FiguresOut(**record.figures),
            created_at=record.created_at,
        )


class RolloutOut(ReplyModel):
    """A model beside the live one: ``outcome`` is null while it goes on.

    ``floor``: the least agreement that is expected of it. ``not_compared``: questions that one of
    the two alone answered. ``next_look``: how many answers the next look needs; null after the
    last one. ``decisions``: newest first.
    """

    id: str
    dataset_id: str
    model_id: str
    live_id: str
    stage: Stage
    rules: RulesOut
    share: float
    floor: float
    looks: int
    next_look: int | None
    figures: FiguresOut
    not_compared: int
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    decisions: list[DecisionOut]

    @classmethod
    def of(cls, view: RolloutView) -> RolloutOut:
        """Return the rollout as the API shows it."""
        record, rules = view.record, rules_of(view.record)
        goes_on = record.ended_at is None and record.looks < LOOKS
        return cls(
            id=record.id,
            dataset_id=record.dataset_id,
            model_id=record.model_id,
            live_id=record.live_id,
            stage=Stage(record.stage),
            rules=RulesOut(**asdict(rules) | {"sites": list(rules.sites)}),
            share=record.share,
            floor=record.floor,
            looks=record.looks,
            next_look=rules.min_answers * 2**record.looks if goes_on else None,
            figures=FiguresOut.of(view.figures),
            not_compared=record.not_compared,
            started_at=record.started_at,
            ended_at=record.ended_at,
            outcome=None if record.outcome is None else Outcome(record.outcome),
            decisions=[DecisionOut.of(one) for one in view.decisions],
        )


class DisagreementOut(ReplyModel):
    """A question that two models answered differently.

    ``prediction_id``: its image is at ``/predictions/{prediction_id}/file`` as long as the log
    keeps it; null when it keeps none.
    """

    id: str
    sha256: str
    prediction_id: str | None
    live_label: str
    live_probability: float
    live_abstained: bool
    model_label: str
    model_probability: float
    model_abstained: bool
    created_at: datetime

"""What the server shows of models beside the live one, and the rules that they go by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, JsonValue

from server.client.views import View


@dataclass(frozen=True)
class RolloutRules:
    """How far a model is let out beside the live one, and by which rules.

    Attributes:
        share: Of the clients that a limited model answers at first, 0 to 1; None for the usual.
        sites: Hosts of pages whose images it answers.
        min_answers: Compared before the first decision; None for the usual.
        auto_promote: Let it out further without asking anybody.
    """

    share: float | None = None
    sites: Sequence[str] = ()
    min_answers: int | None = None
    auto_promote: bool = False

    @property
    def body(self) -> dict[str, JsonValue]:
        """The rules as the API takes them."""
        body: dict[str, JsonValue] = {"auto_promote": self.auto_promote, "sites": [*self.sites]}
        if self.share is not None:
            body["share"] = self.share
        if self.min_answers is not None:
            body["min_answers"] = self.min_answers
        return body


class RolloutFigures(View):
    """What is known of two models that were asked the same."""

    compared: int
    agreed: int
    live_abstained: int
    model_abstained: int


class RolloutDecision(View):
    """What was decided, by rule or by a person, and why."""

    kind: str
    sentence: str
    share: float
    created_at: str


class Rollout(View):
    """A model's stay in ``shadow`` or ``limited``.

    Attributes:
        share: Of the clients that it answers now, 0 to 1.
        floor: The least agreement that is expected of it, 0 to 1.
        not_compared: Questions that one of the two alone answered.
        outcome: What ended it; None while it goes on.
        decisions: Newest first.
    """

    id: str
    model_id: str
    live_id: str
    stage: str
    share: float
    floor: float
    figures: RolloutFigures
    not_compared: int
    outcome: str | None = None
    decisions: list[RolloutDecision] = Field(default_factory=list)


class Disagreement(View):
    """A question that a model and the live one answered differently."""

    sha256: str
    prediction_id: str | None = None
    live_label: str
    live_probability: float
    model_label: str
    model_probability: float

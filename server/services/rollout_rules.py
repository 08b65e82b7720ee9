"""When a model beside the live one is let further out, and when it is called back. Pure.

Rules look at fixed counts of answers only: at ``min_answers``, and each time that these have
doubled, ``LOOKS`` times in all. Each look has three tests, each with the same part of ``ALPHA``, so
that by the union bound a model that deserves it at no time is called back by chance in at most
``ALPHA`` of all rollouts, however the answers depend on each other across looks and tests.

The tests are exact (binomial and hypergeometric), so they hold for ten answers as for ten thousand.

Source: spending the error over a bounded number of looks: Lan and DeMets 1983, "Discrete sequential
boundaries for clinical trials", https://doi.org/10.1093/biomet/70.3.659 (here in equal parts);
intervals: Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404; two shares: Fisher's
exact test, as in Agresti 2002, "Categorical Data Analysis", 3.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

ALPHA: Final = 0.05
LOOKS: Final = 5  # 50 answers to 800: the last tells differences of a few percent
_TESTS: Final = 3
_PER_TEST: Final = ALPHA / LOOKS / _TESTS
STEPS: Final = (0.05, 0.2, 0.5, 1.0)
_HALVINGS: Final = 40  # of the interval that holds a bound: to 12 digits


class Stage(StrEnum):
    """What a rollout is in."""

    SHADOW = "shadow"
    LIMITED = "limited"


class DecisionKind(StrEnum):
    """What was decided; ``stop`` and at times ``promote`` by a person, the others by rule.

    ``propose``: a person may promote it.
    """

    START = "start"
    WAIT = "wait"
    WIDEN = "widen"
    PROPOSE = "propose"
    PROMOTE = "promote"
    ROLL_BACK = "roll-back"
    STOP = "stop"


@dataclass(frozen=True)
class Rules:
    """What a rollout goes by.

    Attributes:
        share: Of the clients that a limited model answers at first, 0 to 1; it is widened in
            `STEPS`, unless it is 0.
        sites: Hosts of pages; a question about an image on one of them, or on a host below it, is
            answered by the limited model.
        min_answers: Compared before the first look.
        agreement_margin: How much less than expected the two may agree, 0 to 1.
        abstention_margin: How much more often than the live one it may abstain, 0 to 1.
        auto_promote: Let it out further without asking anybody.
    """

    share: float = STEPS[0]
    sites: tuple[str, ...] = ()
    min_answers: int = 50
    agreement_margin: float = 0.05
    abstention_margin: float = 0.1
    auto_promote: bool = False


@dataclass(frozen=True)
class Figures:
    """What is known of two models that were asked the same.

    Attributes:
        compared: Questions that both answered.
        agreed: Of these, with the same most probable class.
        live_abstained: Of these, by the live model.
        model_abstained: Of these, by the one beside it.
        live_right: Answers of the live model since then that people called right.
        live_wrong: And wrong.
        model_right: Likewise of the one beside it.
        model_wrong: And wrong.
    """

    compared: int = 0
    agreed: int = 0
    live_abstained: int = 0
    model_abstained: int = 0
    live_right: int = 0
    live_wrong: int = 0
    model_right: int = 0
    model_wrong: int = 0


@dataclass(frozen=True)
class State:
    """Where a rollout stands.

    Attributes:
        stage: Which.
        share: Of the clients, now.
        floor: Least agreement that is expected of it; see `agreement_floor`.
        look: How many looks were taken.
    """

    stage: Stage
    share: float
    floor: float
    look: int


@dataclass(frozen=True)
class Decision:
    """What was decided, and why.

    Attributes:
        sentence: For people.
        share: Of the clients, from now on.
    """

    kind: DecisionKind
    sentence: str
    share: float


@dataclass(frozen=True)
class Bounds:
    """Between which a share lies, at the level of one test of one look, 0 to 1."""

    low: float
    high: float


def agreement_floor(live_error: float, model_error: float, margin: float) -> float:
    """Return how often two models agree at least, if the one is no worse than the other.

    They can differ only where one of them is wrong: at most at the sum of both error rates, when no
    mistake is common. So a much better model may differ from a bad live one as often as that one is
    wrong. A model that is worse is expected to be as good as the live one, for it should be.

    Args:
        live_error: Of the live model on its validation images, 0 to 1.
        model_error: Of the model beside it, 0 to 1.
        margin: Taken off, 0 to 1: what is asked is never quite what was validated on.
    """
    return max(0.0, 1 - live_error - min(live_error, model_error) - margin)


def is_due(rules: Rules, look: int, compared: int) -> bool:
    """Return whether enough answers are there for the next look."""
    return look < LOOKS and compared >= rules.min_answers * 2**look


def decide(rules: Rules, state: State, figures: Figures) -> Decision | None:
    """Return what a look decides; None when none is due."""
    if not is_due(rules, state.look, figures.compared):
        return None
    bad = _find_fault(rules, state, figures)
    if bad is not None:
        return Decision(DecisionKind.ROLL_BACK, bad, state.share)
    told = f"of {figures.compared} answers {_percent(figures.agreed, figures.compared)} agree"
    wider = next((step for step in STEPS if 0 < state.share < step), None)
    if state.stage is Stage.LIMITED and wider is not None:
        words = f"Nothing speaks against it: {told}. It now answers {wider:.0%} of the clients."
        return Decision(DecisionKind.WIDEN, words, wider)
    is_last = state.look == LOOKS - 1
    if not is_last and not _is_well(rules, state, figures):
        more = rules.min_answers * 2 ** (state.look + 1)
        words = f"Not enough is known yet: {told}. The next look is at {more} answers."
        return Decision(DecisionKind.WAIT, words, state.share)
    further = "answer some clients" if state.stage is Stage.SHADOW else "go live"
    kind = DecisionKind.PROMOTE if rules.auto_promote else DecisionKind.PROPOSE
    seen = "was found against it" if is_last else "speaks against it"
    return Decision(kind, f"Nothing {seen}: {told}. It may {further}.", state.share)


def bounds(successes: int, count: int, alpha: float = _PER_TEST) -> Bounds:
    """Return the exact bounds of a share, each of which misses it in ``alpha`` of cases at most.

    Args:
        successes: Of ``count``.
        count: At least 0.
        alpha: Of each of both bounds.
    """
    if count == 0:
        return Bounds(0.0, 1.0)
    high = 1.0 if successes == count else _find_upper(successes, count, alpha)
    low = 0.0 if successes == 0 else 1 - _find_upper(count - successes, count, alpha)
    return Bounds(low, high)


def p_more_wrong(figures: Figures) -> float:
    """Return Fisher's p: how often chance gives the model as many wrong answers, or more.

    1 when either has no feedback.
    """
    ours = figures.model_right + figures.model_wrong
    theirs = figures.live_right + figures.live_wrong
    wrong = figures.model_wrong + figures.live_wrong
    if not ours or not theirs:
        return 1.0
    most = min(ours, wrong)
    whole = _log_choose(ours + theirs, wrong)
    return min(
        1.0,
        sum(
            math.exp(_log_choose(ours, k) + _log_choose(theirs, wrong - k) - whole)
            for k in range(max(figures.model_wrong, wrong - theirs), most + 1)
        ),
    )


def _find_fault(rules: Rules, state: State, figures: Figures) -> str | None:
    agreement = bounds(figures.agreed, figures.compared)
    if agreement.high < state.floor:
        return (
            f"It agrees with the live model on {figures.agreed} of {figures.compared} answers, at "
            f"most {agreement.high:.1%} in the long run; by what both were worth on their "
            f"validation images, {state.floor:.1%} is the least to expect of a model that is no "
            "worse."
        )
    # Two bounds share the test's part.
    live = bounds(figures.live_abstained, figures.compared, _PER_TEST / 2)
    ours = bounds(figures.model_abstained, figures.compared, _PER_TEST / 2)
    if ours.low > live.high + rules.abstention_margin:
        return (
            f"It abstains from {figures.model_abstained} of {figures.compared} answers, the live "
            f"model from {figures.live_abstained}: more than {rules.abstention_margin:.0%} more, "
            "by more than chance would explain."
        )
    if p_more_wrong(figures) <= _PER_TEST:
        return (
            f"People called {figures.model_wrong} of its {figures.model_right} + "
            f"{figures.model_wrong} answers wrong, and {figures.live_wrong} of "
            f"{figures.live_right} + {figures.live_wrong} of the live model: more than chance "
            "would explain."
        )
    return None


def _is_well(rules: Rules, state: State, figures: Figures) -> bool:
    """Return whether it is shown that it agrees and answers enough: no need to wait."""
    agreement = bounds(figures.agreed, figures.compared)
    live = bounds(figures.live_abstained, figures.compared, _PER_TEST / 2)
    ours = bounds(figures.model_abstained, figures.compared, _PER_TEST / 2)
    return agreement.low >= state.floor and ours.high <= live.low + rules.abstention_margin


def _find_upper(successes: int, count: int, alpha: float) -> float:
    """Return the share of which so few successes or fewer are seen in ``alpha`` of cases."""
    kinds = np.arange(successes + 1, dtype=np.float64)
    weights = _log_choices(count, successes)
    low, high = successes / count, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        terms = weights + kinds * math.log(middle) + (count - kinds) * math.log1p(-middle)
        if float(np.exp(terms).sum()) > alpha:
            low = middle
        else:
            high = middle
    return high


def _log_choices(count: int, most: int) -> NDArray[np.float64]:
    """Return ``[most + 1]``: the logarithm of the ways to choose 0, 1, … of ``count``."""
    steps = np.arange(1, most + 1, dtype=np.float64)
    ratios: NDArray[np.float64] = np.log((count - steps + 1) / steps)
    return np.concatenate([np.zeros(1), np.cumsum(ratios)])


def _log_choose(count: int, chosen: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(chosen + 1) - math.lgamma(count - chosen + 1)


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}"

"""The rules of rollouts: right for whatever figures, and seldom wrong by chance."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.services.rollout_rules import (
    ALPHA,
    LOOKS,
    STEPS,
    DecisionKind,
    Figures,
    Rules,
    Stage,
    State,
    agreement_floor,
    bounds,
    decide,
    is_due,
    p_more_wrong,
)

counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
rates = st.floats(0, 1)


def below(count: int, successes: int, share: float) -> float:
    """Return how often so few successes or fewer are seen, summed exactly."""
    p = Fraction(share)
    return float(
        sum(math.comb(count, k) * p**k * (1 - p) ** (count - k) for k in range(successes + 1))
    )


@given(counts)
def test_bounds_hold_the_share_and_are_ordered(pair: tuple[int, int]) -> None:
    successes, count = pair
    found = bounds(successes, count)
    share = successes / count if count else 0.5
    assert 0 <= found.low <= share <= found.high <= 1


@pytest.mark.parametrize(("successes", "count"), [(0, 1), (0, 30), (3, 20), (19, 20), (25, 50)])
def test_bounds_are_exact(successes: int, count: int) -> None:
    found = bounds(successes, count, 0.025)
    assert below(count, successes, found.high) == pytest.approx(0.025, rel=1e-6)
    if successes:
        assert 1 - below(count, successes - 1, found.low) == pytest.approx(0.025, rel=1e-6)


def test_bounds_of_many_are_as_tabled() -> None:
    # Clopper and Pearson's 95 % interval of 5 of 10, as in their table.
    found = bounds(5, 10, 0.025)
    assert (found.low, found.high) == (pytest.approx(0.1871, abs=1e-4),
                                       pytest.approx(0.8129, abs=1e-4))  # fmt: skip


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_feedback_is_fishers_test(a: int, b: int, c: int, d: int) -> None:
    p = p_more_wrong(Figures(model_wrong=a, model_right=b, live_wrong=c, live_right=d))
    if not a + b or not c + d:
        assert p == 1
        return
    whole = math.comb(a + b + c + d, a + c)
    ways = sum(
        math.comb(a + b, k) * math.comb(c + d, a + c - k)
        for k in range(max(a, a - d), min(a + b, a + c) + 1)
    )
    assert p == pytest.approx(min(1.0, ways / whole))


@given(rates, rates, rates)
def test_the_floor_is_a_share_and_never_asks_more_of_a_better_model(
    live: float, model: float, margin: float
) -> None:
    floor = agreement_floor(live, model, margin)
    assert 0 <= floor <= 1
    # A model may differ wherever the live one is wrong, however good it is itself.
    assert floor <= 1 - live + 1e-9
    assert agreement_floor(live, 1.0, margin) == agreement_floor(live, live, margin)


@given(st.integers(10, 1000), st.integers(0, LOOKS + 2), st.integers(0, 100_000))
def test_a_look_is_due_at_each_doubling_and_so_many_times(
    least: int, look: int, compared: int
) -> None:
    due = is_due(Rules(min_answers=least), look, compared)
    assert due == (look < LOOKS and compared >= least * 2**look)


@given(counts, st.integers(0, LOOKS), rates, st.sampled_from(Stage), st.sampled_from((0.0, *STEPS)))
def test_every_look_decides_one_thing_in_a_sentence(
    pair: tuple[int, int], look: int, floor: float, stage: Stage, share: float
) -> None:
    agreed, compared = pair
    figures = Figures(compared=compared, agreed=agreed)
    decision = decide(Rules(), State(stage, share, floor, look), figures)
    assert (decision is None) == (not is_due(Rules(), look, compared))
    if decision is None:
        return
    assert decision.sentence.endswith(".")
    assert len(decision.sentence) <= 500
    assert decision.share >= share
    assert (decision.share > share) == (decision.kind is DecisionKind.WIDEN)
    if agreed / compared >= floor:
        assert decision.kind is not DecisionKind.ROLL_BACK
    if decision.kind is DecisionKind.WIDEN:
        assert stage is Stage.LIMITED
    if look == LOOKS - 1:
        assert decision.kind is not DecisionKind.WAIT


@given(counts, st.integers(0, LOOKS - 1), rates)
def test_more_agreement_never_calls_back(pair: tuple[int, int], look: int, floor: float) -> None:
    agreed, compared = pair
    state = State(Stage.SHADOW, 0.0, floor, look)
    less = decide(Rules(), state, Figures(compared=compared, agreed=agreed))
    more = decide(Rules(), state, Figures(compared=compared, agreed=compared))
    if less is not None and less.kind is not DecisionKind.ROLL_BACK:
        assert more is not None
        assert more.kind is not DecisionKind.ROLL_BACK


def test_each_reason_to_call_back_is_said() -> None:
    state = State(Stage.SHADOW, 0.0, 0.9, 0)
    fine = Figures(compared=50, agreed=50)
    differing = decide(Rules(), state, Figures(compared=50, agreed=25))
    assert differing is not None
    assert "agrees with the live model on 25 of 50" in differing.sentence
    silent = decide(Rules(), state, Figures(50, 50, live_abstained=1, model_abstained=25))
    assert silent is not None
    assert "abstains from 25 of 50" in silent.sentence
    blamed = decide(
        Rules(), state, Figures(50, 50, live_right=40, live_wrong=0, model_right=10, model_wrong=20)
    )
    assert blamed is not None
    assert "called 20 of its 10 + 20 answers wrong" in blamed.sentence
    for one in (differing, silent, blamed):
        assert one.kind is DecisionKind.ROLL_BACK
    sound = decide(Rules(), state, fine)
    assert sound is not None
    assert sound.kind is not DecisionKind.ROLL_BACK


def test_by_chance_it_calls_back_at_most_as_often_as_it_says() -> None:
    # At the very edge of what is allowed: agreement at the floor, abstaining at the margin.
    rng = np.random.default_rng(7)
    rules, rounds = Rules(), 400
    stopped = 0
    for _ in range(rounds):
        pairs = rng.random((rules.min_answers * 2 ** (LOOKS - 1), 3))
        agrees, live, ours = pairs[:, 0] < 0.8, pairs[:, 1] < 0.1, pairs[:, 2] < 0.2
        for look in range(LOOKS):
            seen = rules.min_answers * 2**look
            figures = Figures(
                seen, int(agrees[:seen].sum()), int(live[:seen].sum()), int(ours[:seen].sum())
            )
            decision = decide(rules, State(Stage.SHADOW, 0.0, 0.8, look), figures)
            assert decision is not None
            if decision.kind is DecisionKind.ROLL_BACK:
                stopped += 1
                break
    assert stopped / rounds <= ALPHA

"""How often the gates of models beside the live one stop a worse one, an equal one, a better one.

Run ``python -m benchmarks.bench_gates`` from a checkout: a Markdown table goes to stdout. Traffic
is simulated, the rules are the server's: each seed is a rollout from its first answer to its end.
Mistakes of both fall on the same images as often as ``_COMMON`` says. May import
``server.services``.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from server.services.rollout_rules import (
    LOOKS,
    DecisionKind,
    Figures,
    Rules,
    Stage,
    State,
    agreement_floor,
    decide,
)

SEEDS: Final = 500
CLASSES: Final = 5
_COMMON: Final = 0.5  # of the smaller share of mistakes: two trainings err on much of the same
_FEEDBACK: Final = 0.05  # of the answers that people see: right or wrong is told of so many


@dataclass(frozen=True)
class Case:
    """Two models: what they say of themselves, and what they do.

    Attributes:
        live_error: Of the live model, validated and in use, 0 to 1.
        told_error: Of the other, on its validation images.
        error: Of the other, in use.
        abstained: Of the other; the live one abstains from a twentieth.
        hears: Whether people say what was wrong.
    """

    name: str
    live_error: float
    told_error: float
    error: float
    abstained: float = 0.05
    hears: bool = False


CASES: Final = (
    Case("equal", 0.05, 0.05, 0.05),
    Case("equal, and both often wrong", 0.3, 0.3, 0.3),
    Case("better (2 % wrong, live 5 %)", 0.05, 0.02, 0.02),
    Case("much better (5 %) than a bad live one (40 %)", 0.4, 0.05, 0.05),
    Case("a little worse (10 %, live 5 %)", 0.05, 0.1, 0.1),
    Case("worse (20 %, live 5 %)", 0.05, 0.2, 0.2),
    Case("worse (30 %), validated as 5 %", 0.05, 0.05, 0.3),
    Case("much worse (60 %), validated as 5 %", 0.05, 0.05, 0.6),
    Case("abstains from 30 %", 0.05, 0.05, 0.05, abstained=0.3),
    Case("worse (50 %) than a bad live one (40 %)", 0.4, 0.4, 0.5),
    Case("the same, and people say what is wrong", 0.4, 0.4, 0.5, hears=True),
)


@dataclass(frozen=True)
class Ended:
    """How a rollout ended, and after how many answers."""

    kind: DecisionKind
    compared: int


def play(case: Case, stage: Stage, seed: int) -> Ended:
    """Play one rollout to its end: called back, or let further out."""
    rng = np.random.default_rng(seed)
    rules = Rules(auto_promote=True)
    count = rules.min_answers * 2 ** (LOOKS - 1)
    live, ours = _answers(case, count, rng)
    quiet = rng.random((2, count)) < [[0.05], [case.abstained]]
    told = rng.random((2, count)) < (_FEEDBACK if case.hears else 0.0)
    floor = agreement_floor(case.live_error, case.told_error, rules.agreement_margin)
    share = rules.share if stage is Stage.LIMITED else 0.0
    for look in range(LOOKS):
        seen = rules.min_answers * 2**look
        # In shadow nobody sees the other's answers; in limited, people see those alone.
        heard = told[1, :seen] if stage is Stage.LIMITED else np.zeros(seen, bool)
        others = told[0, :seen]
        figures = Figures(
            compared=seen,
            agreed=int((live[:seen] == ours[:seen]).sum()),
            live_abstained=int(quiet[0, :seen].sum()),
            model_abstained=int(quiet[1, :seen].sum()),
            live_right=int((others & (live[:seen] == 0)).sum()),
            live_wrong=int((others & (live[:seen] != 0)).sum()),
            model_right=int((heard & (ours[:seen] == 0)).sum()),
            model_wrong=int((heard & (ours[:seen] != 0)).sum()),
        )
        decision = decide(rules, State(stage, share, floor, look), figures)
        if decision is None:
            raise AssertionError("a look was due")
        share = decision.share
        if decision.kind in {DecisionKind.ROLL_BACK, DecisionKind.PROMOTE}:
            return Ended(decision.kind, seen)
    return Ended(DecisionKind.WAIT, seen)


def _answers(case: Case, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return ``[count]`` answers of both models: 0 is right, others are other classes."""
    common = _COMMON * min(case.live_error, case.error)
    draw = rng.random(count)
    both = draw < common
    live_wrong = both | ((draw >= common) & (draw < case.live_error))
    ours_wrong = both | ((draw >= case.live_error) & (draw < case.live_error + case.error - common))
    wrong = rng.integers(1, CLASSES, (2, count))
    return np.where(live_wrong, wrong[0], 0), np.where(ours_wrong, wrong[1], 0)


def main() -> int:
    """Play all cases in both stages and print the table."""
    sys.stdout.write(
        "| model beside the live one | stage | called back | let further out | answers, median |\n"
        "| --- | --- | ---: | ---: | ---: |\n"
    )
    for case in CASES:
        for stage in Stage:
            ends = [play(case, stage, seed) for seed in range(SEEDS)]
            kinds = Counter(one.kind for one in ends)
            back, on = kinds[DecisionKind.ROLL_BACK], kinds[DecisionKind.PROMOTE]
            median = int(np.median([one.compared for one in ends]))
            sys.stdout.write(
                f"| {case.name} | {stage} | {back} of {SEEDS} | {on} of {SEEDS} | {median} |\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

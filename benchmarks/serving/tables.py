"""What was measured, as Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.serving.programs import FASTAI, OURS, Load, Round

Rounds = Mapping[str, Sequence[Round]]
Bare = Sequence[Mapping[str, Any]]
_ANSWERED = "200"


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of them lies, 0..1; the nearest that was seen."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write_answers(rounds: Rounds) -> str:
    """Return how long answers take, and how many come a second."""
    head = ["program", "clients", "p50", "p99", "answers a second", "not answered"]
    rows = []
    for name, done in rounds.items():
        for clients in done[0].loads:
            loads = [one.loads[clients] for one in done]
            rows.append(
                [
                    name,
                    str(clients),
                    f"{_took_ms(loads, 0.5):.1f} ms",
                    f"{_took_ms(loads, 0.99):.1f} ms",
                    f"{_rate(loads):.0f}",
                    str(sum(_failed(load) for load in loads)),
                ]
            )
    return table(head, rows)


def write_cost(rounds: Rounds) -> str:
    """Return what programs take."""
    head = ["program", "start to first answer", "most memory", "processor time of an answer"]
    return table(
        head,
        [
            [
                name,
                f"{_median(done, lambda one: one.cold_s):.2f} s",
                f"{_median(done, lambda one: one.peak_mb):.0f} MB",
                ", ".join(
                    f"{_median(done, lambda one, n=n: one.loads[n].cpu_ms):.1f} ms"
                    for n in done[0].loads
                ),
            ]
            for name, done in rounds.items()
        ],
    )


def write_bare(bare: Bare) -> str:
    """Return what the pipeline takes when nobody is served, and what batches are worth."""
    rows = [
        ["one core: p50", f"{_bare_ms(bare, 'one_core_s', 0.5):.1f} ms"],
        ["one core: p99", f"{_bare_ms(bare, 'one_core_s', 0.99):.1f} ms"],
        ["one core: photos a second", f"{_loop_rate(bare, 'one_core_s'):.0f}"],
        ["two cores, one photo at a time: p50", f"{_bare_ms(bare, 'two_threads_s', 0.5):.1f} ms"],
        ["two cores, one at a time: photos a second", f"{_loop_rate(bare, 'two_threads_s'):.0f}"],
        ["two cores, two at a time: photos a second", f"{_two_loops(bare):.0f}"],
    ]
    for key in bare[0]["batches_ms"]:
        threads, size = key.split()
        value = statistics.median(one["batches_ms"][key] for one in bare)
        rows.append([f"network alone, {threads} thread(s), batch of {size}", f"{value:.2f} ms"])
    return table(["bare pipeline", "measured"], rows)


def write_targets(rounds: Rounds, bare: Bare) -> str:
    """Return the ratios that are aimed at."""
    ours = rounds[OURS]
    one = _took_ms([done.loads[1] for done in ours], 0.5)
    most = max(ours[0].loads)
    rate = _rate([done.loads[most] for done in ours])
    memory_mb = _median(ours, lambda done: done.peak_mb)
    rows = [
        ["start to first answer", f"{_median(ours, lambda done: done.cold_s):.2f} s", "3 s"],
        [
            "p50 of one client by the bare pipeline's",
            f"{one / _bare_ms(bare, 'two_threads_s', 0.5):.2f}",
            "at most 1.5",
        ],
        [
            f"answers a second of {most} clients by the bare pipeline's on both cores",
            f"{rate / _two_loops(bare):.0%}",
            "at least 80 %",
        ],
    ]
    if FASTAI in rounds:
        theirs = rounds[FASTAI]
        their_one = _took_ms([done.loads[1] for done in theirs], 0.5)
        their_mb = _median(theirs, lambda done: done.peak_mb)
        rows += [
            ["p50 of one client by fastai's", f"{one / their_one:.2f}", "at most 0.33"],
            ["memory by fastai's", f"{memory_mb / their_mb:.2f}", "at most 0.33"],
        ]
    return table(["ratio", "measured", "aim"], rows)


def write_agreement(rounds: Rounds) -> str:
    """Return for how many photos programs say what ours says: they answer by the same weights."""
    ours = _labels(rounds[OURS])
    lines = []
    for name, done in rounds.items():
        theirs = _labels(done)
        same = sum(theirs.get(photo) == label for photo, label in ours.items())
        lines.append(f"{name}: the same class for {same} of {len(ours)} photos.\n")
    return "".join(lines[1:])


def _labels(done: Sequence[Round]) -> dict[str, str]:
    return {
        photo: label
        for one in done
        for load in one.loads.values()
        for photo, label in load.answered.labels.items()
    }


def _median(done: Sequence[Round], value: Callable[[Round], float]) -> float:
    return statistics.median(map(value, done))


def _took_ms(loads: Sequence[Load], share: float) -> float:
    return 1000 * statistics.median(quantile(load.answered.took_s, share) for load in loads)


def _rate(loads: Sequence[Load]) -> float:
    return statistics.median(
        load.answered.statuses.get(_ANSWERED, 0) / load.answered.seconds for load in loads
    )


def _failed(load: Load) -> int:
    return sum(n for status, n in load.answered.statuses.items() if status != _ANSWERED)


def _bare_ms(bare: Bare, name: str, share: float) -> float:
    return 1000 * statistics.median(quantile(one[name], share) for one in bare)


def _loop_rate(bare: Bare, name: str) -> float:
    return statistics.median(len(one[name]) / sum(one[name]) for one in bare)


def _two_loops(bare: Bare) -> float:
    return statistics.median(one["two_loops_rate"] for one in bare)

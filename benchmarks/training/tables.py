"""The tables of `bench_train.py`, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from benchmarks.training.kept import Outcome
from benchmarks.training.programs import FASTAI
from benchmarks.training.run_ours import RELABELLED

LESSON = f"{FASTAI} 4"  # epochs
Rows = Mapping[str, Mapping[int, Outcome]]  # by program and seed
_COLUMNS = (
    "program",
    "runs",
    "error rate",
    "wall s",
    "start s",
    "s an epoch",
    "s an update",
    "images/s",
    "peak MB",
)
_AGAIN_LIMIT_S = 2.0
_WALL_LIMIT = 1 / 2
_HEAD_WALL_LIMIT = 1 / 20
_HEAD_ERROR_LIMIT = 0.03


def error_rate(outcomes: Mapping[int, Outcome]) -> float:
    """Return the mean over the seeds."""
    return statistics.fmean(outcome.error_rate for outcome in outcomes.values())


def wall_s(outcomes: Mapping[int, Outcome]) -> float:
    """Return the median over the seeds."""
    return statistics.median(outcome.seconds for outcome in outcomes.values())


def write_programs(rows: Rows) -> str:
    """Return a table of all programs: a row each."""
    lines = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS))]
    for name, row in rows.items():
        outcomes = list(row.values())
        errors = [outcome.error_rate for outcome in outcomes]
        spread = statistics.stdev(errors) if len(errors) > 1 else 0.0
        cells = [
            name,
            str(len(outcomes)),
            f"{statistics.fmean(errors):.1%} ± {spread:.1%}",
            _median(outcomes, lambda outcome: outcome.seconds, ".1f"),
            _median(outcomes, lambda outcome: outcome.start_s, ".1f"),
            _median(outcomes, lambda outcome: outcome.epoch_s, ".2f"),
            _median(outcomes, lambda outcome: outcome.update_s, ".3f"),
            _median(outcomes, lambda outcome: outcome.images_per_s, ".1f"),
            _median(outcomes, lambda outcome: outcome.peak_mb, ".0f"),
        ]
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def write_phases(rows: Rows) -> str:
    """Return where the time of each program went, as lists of phases with median seconds."""
    lines = []
    for name, row in rows.items():
        outcomes = list(row.values())
        names = outcomes[0].phases
        parts = [
            f"{phase} {statistics.median(outcome.phases[phase] for outcome in outcomes):.1f}"
            for phase in names
        ]
        lines.append(f"- {name}: {', '.join(parts)}")
    return "\n".join(lines) + "\n"


def write_targets(measured: Rows) -> str:
    """Return a table of what was asked for beside what was measured, on seeds that all have."""
    common = set.intersection(*(set(row) for row in measured.values()))
    if not common:
        return "No seed was measured with all programs.\n"
    rows = {
        name: {seed: outcome for seed, outcome in row.items() if seed in common}
        for name, row in measured.items()
    }
    lines = [_line([f"target, {len(common)} seed(s)", "measured", ""]), _line(["---"] * 3)]
    peers = {name: row for name, row in rows.items() if name.startswith(FASTAI)}
    tuned, head = rows.get("fine-tune"), rows.get("head")
    if peers:
        # The two that count: the lesson's epochs, and whatever number is best for it.
        best = min(peers, key=lambda name: error_rate(peers[name]))
        better = min({LESSON, best} & peers.keys(), key=lambda name: error_rate(peers[name]))
        if tuned:
            lines.append(_error_line(tuned, better, peers[better]))
            ratio = wall_s(tuned) / wall_s(peers[better])
            what = f"`fine-tune` in ≤ half of that one's wall time ({better})"
            lines.append(_judged(what, f"{ratio:.2f}", ratio <= _WALL_LIMIT))
        if head:
            ratio = wall_s(head) / wall_s(peers[better])
            what = f"`head` in ≤ 1/20 of that one's wall time ({better})"
            lines.append(_judged(what, f"1/{1 / ratio:.1f}", ratio <= _HEAD_WALL_LIMIT))
    if head and tuned:
        behind = error_rate(head) - error_rate(tuned)
        what = "`head` within 3 points of `fine-tune`"
        lines.append(_judged(what, f"{100 * behind:+.1f} points", behind <= _HEAD_ERROR_LIMIT))
    if head:
        again_s = statistics.median(outcome.again_s or 0.0 for outcome in head.values())
        what = f"a second `head` after relabelling {RELABELLED} images in ≤ 2 s"
        lines.append(_judged(what, f"{again_s:.2f} s", again_s <= _AGAIN_LIMIT_S))
    return "\n".join(lines) + "\n"


def _error_line(tuned: Mapping[int, Outcome], better: str, peer: Mapping[int, Outcome]) -> str:
    ours, theirs = error_rate(tuned), error_rate(peer)
    what = f"`fine-tune`: mean error ≤ the better of fastai's two ({better})"
    return _judged(what, f"{ours:.1%} : {theirs:.1%}", ours <= theirs)


def _judged(what: str, measured: str, is_met: bool) -> str:
    return _line([what, measured, "met" if is_met else "missed"])


def _median(
    outcomes: Sequence[Outcome], value_of: Callable[[Outcome], float | None], form: str
) -> str:
    values = [value for outcome in outcomes if (value := value_of(outcome)) is not None]
    return f"{statistics.median(values):{form}}" if values else "-"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""The part of a model card that says what goes wrong, and where. May import the contract."""

from __future__ import annotations

from collections.abc import Iterator

from server.contract.analysis import (
    AbstentionTrials,
    Analysis,
    LearningCurve,
    Shortcuts,
    Slices,
)
from trainer.markdown import escape, percent, table

_MAX_SLICES = 12  # a page's worth; evaluation.json has all
_MAX_NEEDS = 3
_SCORES = {
    "max_probability": "highest probability",
    "margin": "margin to the next",
    "energy": "energy of the logits",
    "knn": "distance to the 10th neighbour",
}
_CLUES = {
    "site": "the site",
    "engine": "the search engine",
    "size": "the size",
    "shape": "the shape",
    "border": "the border",
}


def write_findings(analysis: Analysis) -> str:
    """Return the diagnosis, a list item each; empty when there is none."""
    lines = [f"- {escape(finding.text)}" for finding in analysis.findings]
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def write_failures(analysis: Analysis) -> str:
    """Return the section, or nothing when nothing was looked into."""
    parts = [
        *_slices(analysis.slices),
        *_shortcuts(analysis.shortcuts),
        *_curve(analysis.learning_curve),
    ]
    return "\n".join(["## Where it fails\n", *parts]) if parts else ""


def write_abstaining(trials: AbstentionTrials | None) -> str:
    """Return the section on telling foreign images, or nothing when there were none to try."""
    if trials is None:
        return ""
    label, count = escape(trials.label), trials.background_count
    scores = [
        [_SCORES[trial.score], f"{trial.auroc:.3f}", percent(trial.passed)]
        for trial in trials.trials
    ]
    return f"""## Telling what is none of its classes

How often a known image scores above one of {count} of {label} that were held out (by chance: 0.5),
and how many of those are answered all the same where {percent(trials.coverage)} of known ones are.
The first score is the model's; the distance to neighbours is computed here alone, to compare.

{table(["score", "area under the ROC curve", f"{label} answered"], scores)}
{_coverage(trials)}"""


def _coverage(trials: AbstentionTrials) -> str:
    if not trials.curve:
        return ""
    rows = [
        [percent(point.coverage), percent(point.accuracy), percent(point.passed)]
        for point in trials.curve
    ]
    head = ["known images answered", "right among them", f"{escape(trials.label)} answered"]
    return f"""
The stricter the threshold, the fewer images are answered, and the more of the answers are right:

{table(head, rows)}
"""


def _slices(slices: Slices | None) -> Iterator[str]:
    if slices is None or not slices.rows:
        return
    ordered = sorted(slices.rows, key=lambda row: (not row.is_worse, -row.error_rate))
    rows = [
        [
            f"{row.dimension}: {escape(row.value)}",
            str(row.count),
            percent(row.error_rate),
            f"{percent(row.error_rate_interval[0])} to {percent(row.error_rate_interval[1])}",
            "yes" if row.is_worse else "no",
        ]
        for row in ordered[:_MAX_SLICES]
    ]
    basis = {
        "out-of-fold": "All images, by heads that had not seen them:",
        "validation": "The validation images:",
    }[slices.basis]
    head = ["images", "count", "error rate", "95 % interval", "worse than the rest"]
    yield f"{basis}\n\n{table(head, rows)}\n"


def _shortcuts(shortcuts: Shortcuts | None) -> Iterator[str]:
    if shortcuts is None or not shortcuts.clues:
        return
    lines = []
    for clue in shortcuts.clues:
        verdict = (
            f"**gives the label away**: by it alone {percent(clue.accuracy)} are guessed right"
            if clue.is_shortcut
            else f"is no shortcut: {percent(clue.accuracy)} are guessed right by it"
        )
        lines.append(
            f"- {_CLUES[clue.name].capitalize()} {verdict}, where chance gives "
            f"{percent(clue.chance)}, and {percent(clue.chance_limit)} at most."
        )
    yield "Can the label be guessed without the subject?\n\n" + "\n".join(lines) + "\n"


def _curve(curve: LearningCurve | None) -> Iterator[str]:
    if curve is None:
        return
    half, full = curve.points[-2], curve.points[-1]
    whose = (
        "Of a head on the frozen backbone, as fine-tuning began: with"
        if (curve.basis == "head")
        else "With"
    )
    text = (
        f"{whose} half of the training images ({half.train_count}) the error rate is "
        f"{percent(half.error_rate)}, with all of them ({full.train_count}) "
        f"{percent(full.error_rate)}."
    )
    needed = [escape(need.label) for need in curve.needs[:_MAX_NEEDS] if need.log_loss_rise > 0]
    if needed:
        text += f" More images would help most of: {', '.join(needed)}."
    yield text + "\n"

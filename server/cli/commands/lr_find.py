"""``bowerbird lr-find``."""

from __future__ import annotations

import math

from pydantic import ValidationError

from server.cli import datasets
from server.cli.commands.options import AsJson, Assignments, DatasetName, Seed, TrainingTimeout
from server.cli.console import emit, emit_json, examples, note, reporting
from server.cli.errors import CommandError
from server.cli.jobs import JobPlan, run_job
from server.cli.recipes import LR_FIND, build_recipe
from server.cli.session import connect
from server.cli.watch import Deadline
from server.client.errors import UnexpectedAnswerError
from server.client.training_views import Job, LrFinding

EXAMPLES = examples(
    "bowerbird lr-find --dataset bears",
    "bowerbird lr-find --dataset bears --set backbone=resnet18",
    "bowerbird lr-find --dataset bears --json | jq .finding.valley",
)
_HALF_AN_HOUR_S = 1800.0
_SHOWN_LINES = 25  # of the curve: a screenful; all of it is in --json
_BAR_CHARS = 50


def lr_find(
    dataset: DatasetName,
    seed: Seed = 42,
    assignments: Assignments = None,
    timeout_s: TrainingTimeout = _HALF_AN_HOUR_S,
    as_json: AsJson = False,
) -> None:
    """Find learning rates for fine-tuning on a dataset, and show the curve they come from.

    A hundred updates at ever higher learning rates, on a snapshot of the dataset; no model is made.
    """
    recipe = build_recipe(LR_FIND, seed, assignments or [])
    plan = JobPlan(recipe, 0.2, seed, should_wait=True, deadline=Deadline.after(timeout_s))
    with connect() as client:
        found = datasets.get_dataset(client, dataset)
        with reporting() as reporter:
            _, job = run_job(client, found, plan, reporter)
    finding = _finding(job)
    if as_json:
        emit_json({"job_id": job.id, "finding": finding.model_dump(mode="json")})
        return
    for line in _curve(finding):
        emit(line)
    for name in ("valley", "steep", "minimum"):
        emit(f"{name:10}{getattr(finding, name):.1e}")
    note(
        f"Try `bowerbird train --dataset {found.name} --recipe fine-tune "
        f"--set lr={finding.valley:.1e}`. Suggestions differ with the seed: trust the curve."
    )


def _finding(job: Job) -> LrFinding:
    if job.finding is None:
        raise CommandError("The server is too old to keep what the job found: update it.")
    try:
        return LrFinding.model_validate(job.finding)
    except ValidationError as error:
        raise UnexpectedAnswerError(f"GET /jobs/{job.id}", "finding") from error


def _curve(finding: LrFinding) -> list[str]:
    """Return the smoothed loss as lines of text, lowest learning rate first."""
    every = max(1, math.ceil(len(finding.points) / _SHOWN_LINES))
    points = finding.points[::every]
    highest = max(point.smoothed for point in points)
    return [
        f"{point.lr:8.1e} {point.smoothed:8.3f} "
        + "#" * round(_BAR_CHARS * point.smoothed / highest if highest > 0 else 0)
        for point in points
    ]

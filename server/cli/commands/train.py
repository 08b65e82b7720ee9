"""``bowerbird train``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from pydantic import JsonValue, ValidationError

from server.cli import datasets
from server.cli.commands.options import AsJson, Assignments, DatasetName, Seed, TrainingTimeout
from server.cli.console import Reporter, emit, emit_json, examples, note, reporting
from server.cli.errors import CommandError
from server.cli.jobs import JobPlan, run_job
from server.cli.recipes import RecipeKind, build_recipe
from server.cli.session import connect
from server.cli.watch import Deadline
from server.client.errors import UnexpectedAnswerError
from server.client.training_views import Job, Metrics, Model, Quantisation
from server.client.transport import Client
from server.client.views import Dataset, Snapshot

EXAMPLES = examples(
    "bowerbird train --dataset bears",
    "bowerbird train --dataset bears --recipe fine-tune --set epochs=8",
    "bowerbird train --dataset bears --set size_px=192 --set resize=crop",
    "bowerbird train --dataset bears --json | jq .metrics.error_rate",
)
TWO_HOURS_S = 7200.0


@dataclass(frozen=True)
class _Outcome:
    """What came of it."""

    snapshot: Snapshot
    job: Job
    model: Model
    metrics: Metrics


def train(  # noqa: PLR0913, PLR0917 - one parameter for each option
    dataset: DatasetName,
    recipe: Annotated[RecipeKind, typer.Option(help="The way to train.")] = RecipeKind.HEAD,
    valid_ratio: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of images kept for validation.")
    ] = 0.2,
    seed: Seed = 42,
    assignments: Assignments = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for images that are still downloading.")
    ] = True,
    timeout_s: TrainingTimeout = TWO_HOURS_S,
    as_json: AsJson = False,
) -> None:
    """Take a snapshot of a dataset, train on it, and tell how good the model is.

    Waits for the end and shows progress; Ctrl-C cancels the training. The error rate is that of
    validation images, which training never saw, beside what simple methods reach on them.
    """
    plan = JobPlan(
        build_recipe(recipe, seed, assignments or []),
        valid_ratio,
        seed,
        wait,
        Deadline.after(timeout_s),
    )
    with connect() as client:
        found = datasets.get_dataset(client, dataset)
        with reporting() as reporter:
            outcome = _run(client, found, plan, reporter)
    if as_json:
        emit_json(_document(outcome))
    else:
        _tell(outcome, found)


def _run(client: Client, dataset: Dataset, plan: JobPlan, reporter: Reporter) -> _Outcome:
    snapshot, job = run_job(client, dataset, plan, reporter)
    if job.model_id is None:
        raise CommandError("The training ended without a model.")
    model = client.get(f"/models/{job.model_id}", Model)
    return _Outcome(snapshot, job, model, _metrics(model))


def _metrics(model: Model) -> Metrics:
    try:
        return Metrics.model_validate(model.metrics)
    except ValidationError as error:
        first = error.errors()[0]
        what = f"metrics.{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise UnexpectedAnswerError(f"GET /models/{model.id}", what) from error


def _document(outcome: _Outcome) -> dict[str, JsonValue]:
    return {
        "job_id": outcome.job.id,
        "model_id": outcome.model.id,
        "snapshot_id": outcome.snapshot.id,
        "metrics": outcome.metrics.model_dump(mode="json"),
    }


def _tell(outcome: _Outcome, dataset: Dataset) -> None:
    metrics, counts = outcome.metrics, outcome.snapshot.counts
    low, high = metrics.error_rate_interval
    emit(
        f"error rate             {metrics.error_rate:6.1%}  (95 % interval {low:.1%} to {high:.1%})"
    )
    if metrics.quantisation is not None:
        emit(_cost(metrics.quantisation))
    for name, rate in metrics.baselines.items():
        emit(f"  {name.replace('_', ' '):20} {rate:6.1%}")
    emit(f"images                 {counts.train} for training, {counts.valid} for validation")
    emit(f"model                  {outcome.model.id} ({outcome.model.stage})")
    emit(f"seconds                {metrics.seconds:.1f}")
    note(_verdict(metrics))
    if outcome.model.stage == "live":
        note(f"It answers now: `bowerbird classify photo.jpg --dataset {dataset.name}`.")
    else:
        note(
            f"Another model is live. Try this one: `bowerbird classify photo.jpg --model "
            f"{outcome.model.id}`; switch: `bowerbird model stage {outcome.model.id} live`."
        )


def _cost(quantisation: Quantisation) -> str:
    now, before = (
        f"{size / 1e6:.1f} MB" for size in (quantisation.model_bytes, quantisation.float_bytes)
    )
    return (
        f"  before int8          {quantisation.float_error_rate:6.1%}  (another answer to "
        f"{quantisation.changed_ratio:.1%} of the images; {now}, before {before})"
    )


def _verdict(metrics: Metrics) -> str:
    """Say in words what the numbers allow to say, and no more."""
    best = min(metrics.baselines.values(), default=1.0)
    low, high = metrics.error_rate_interval
    if metrics.error_rate >= best:
        return "Not better than the simple methods below it: the labels or the images need care."
    if high >= best:
        return "Better than the simple methods, but within the interval: more images would tell."
    if high - low > _WIDE:
        return "Clearly better than the simple methods; the interval is wide, few images check it."
    return "Clearly better than the simple methods."


_WIDE = 0.2  # ten points either way: under about 60 validation images

"""``bowerbird evaluate``."""

from __future__ import annotations

import math
from typing import Annotated

import typer
from pydantic import ValidationError

from server.cli import datasets
from server.cli.commands.options import AsJson, TrainingTimeout, check_id
from server.cli.console import emit, emit_json, examples, note, reporting
from server.cli.errors import CommandError
from server.cli.jobs import run_on_snapshot, take_snapshot
from server.cli.session import connect
from server.cli.watch import Deadline
from server.client.errors import UnexpectedAnswerError
from server.client.training_views import Job, Model, ModelEvaluation

EXAMPLES = examples(
    "bowerbird evaluate 01JD3RZ8M4T1S0C5J6Y2V9QK7B",
    "bowerbird evaluate 01JD3RZ8M4T1S0C5J6Y2V9QK7B --dataset bears-of-the-zoo",
    "bowerbird evaluate 01JD3RZ8M4T1S0C5J6Y2V9QK7B --json | jq .evaluation.error_rate",
)
_HALF_AN_HOUR_S = 1800.0
_SHOWN_PAIRS = 5


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The model's id.", callback=check_id)
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="On these images. [default: those of the model's own dataset]"
        ),
    ] = None,
    snapshot: Annotated[
        str | None,
        typer.Option(metavar="ID", callback=check_id, help="On this snapshot, not a new one."),
    ] = None,
    timeout_s: TrainingTimeout = _HALF_AN_HOUR_S,
    as_json: AsJson = False,
) -> None:
    """Let a model answer images that it was not trained on, and tell how good it is.

    Images of its training are left out, and of the model's own dataset their near-duplicates too;
    in another dataset only those of the same bytes are known. Images whose label is none of
    the model's are counted apart: there the right answer is "none of these".
    """
    if dataset is not None and snapshot is not None:
        raise typer.BadParameter("give one of them", param_hint="--dataset/--snapshot")
    deadline = Deadline.after(timeout_s)
    with connect() as client, reporting() as reporter:
        found = client.get(f"/models/{model}", Model)
        if snapshot is None:
            wanted = dataset or found.dataset_id
            reporter.show("taking a snapshot")
            snapshot = take_snapshot(client, datasets.get_dataset(client, wanted)).id
        recipe = {"kind": "evaluate", "model_id": found.id}
        job = run_on_snapshot(client, snapshot, recipe, deadline, reporter)
    evaluation = _evaluation(job)
    if as_json:
        document = evaluation.model_dump(mode="json")
        emit_json({"job_id": job.id, "snapshot_id": snapshot, "evaluation": document})
    else:
        _tell(evaluation)


def _evaluation(job: Job) -> ModelEvaluation:
    if job.finding is None:
        raise CommandError("The evaluation ended without a result.")
    try:
        return ModelEvaluation.model_validate(job.finding)
    except ValidationError as error:
        raise UnexpectedAnswerError(f"GET /jobs/{job.id}", "finding") from error


def _tell(said: ModelEvaluation) -> None:
    low, high = said.error_rate_interval
    emit(f"error rate             {said.error_rate:6.1%}  (95 % interval {low:.1%} to {high:.1%})")
    emit(f"  most frequent label  {said.majority_error_rate:6.1%}")
    emit(f"  told at its training {said.told_error_rate:6.1%}")
    emit(f"images                 {said.count} new to it; {said.seen_count} left out")
    emit(f"no answer              {said.abstained_ratio:6.1%}{_of_the_others(said)}")
    if said.foreign is not None:
        emit(f"of other labels        {said.foreign.count} images")
        emit(f"  no answer            {said.foreign.abstained_ratio:6.1%}")
    for pair in said.confused[:_SHOWN_PAIRS]:
        emit(f"  {pair.count:4}x {pair.label} taken for {pair.predicted}")
    note(_verdict(said))


def _of_the_others(said: ModelEvaluation) -> str:
    if said.answered_error_rate is None:
        return ""
    return f"  (error rate of the others {said.answered_error_rate:.1%})"


def _verdict(said: ModelEvaluation) -> str:
    """Say in words what the numbers allow to say, and no more."""
    low, high = _difference(said)
    if low > 0:
        return (
            "Clearly worse than its validation images promised: these images are of another kind, "
            "or labelled otherwise."
        )
    if high < 0:
        return "Clearly better than on its validation images: these are easier."
    return "No clear difference from what its validation images promised."


def _difference(said: ModelEvaluation) -> tuple[float, float]:
    """Return the 95 % interval of this error rate less the one that was told.

    Source: Newcombe 1998, Interval estimation for the difference between independent proportions,
    method 10: from the Wilson intervals of both.
    """
    now, told = said.error_rate, said.told_error_rate
    low, high = said.error_rate_interval
    told_low, told_high = said.told_error_rate_interval
    return (
        now - told - math.hypot(now - low, told_high - told),
        now - told + math.hypot(high - now, told - told_low),
    )

"""``bowerbird model list | stage | rollouts | rollback | history | log | drift | export``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue

from server.cli import datasets
from server.cli.commands.options import AsJson, DatasetName, check_id
from server.cli.console import emit, emit_json, emit_table, examples, note, reporting
from server.cli.errors import CommandError
from server.cli.session import connect
from server.client.errors import UnexpectedAnswerError
from server.client.rollout_views import Rollout, RolloutRules
from server.client.training_views import Drift, Model, PredictionCounts, StageChange
from server.client.transport import Client
from server.client.views import Dataset
from server.contract.files import atomic_writer

app = typer.Typer(no_args_is_help=True, help="Models: list, stage, roll back, export.")

# Beyond every backbone that is offered; a server gone wild does not fill the disk.
MAX_BUNDLE_BYTES = 1024**3

_OFF = "Nothing is kept of answers: see BOWERBIRD_PREDICTION_LOG__MODE in docs/settings.md."

Reason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Kept in the models' history.")
]
ModelId = Annotated[str, typer.Argument(metavar="ID", help="The model's id.", callback=check_id)]


class Stage(StrEnum):
    """How far a model is let out."""

    CANDIDATE = "candidate"
    SHADOW = "shadow"
    LIMITED = "limited"
    LIVE = "live"
    RETIRED = "retired"


@app.command(
    "list", epilog=examples("bowerbird model list", "bowerbird model list --dataset bears --json")
)
def list_models(
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Of this dataset.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="In this stage.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models with their stage and error rate."""
    with connect() as client:
        params: dict[str, str | int] = {}
        if dataset is not None:
            params["dataset"] = datasets.get_dataset(client, dataset).id
        if stage is not None:
            params["stage"] = stage.value
        found = list(client.pages("/models", Model, params))
        if as_json:
            emit_json([model.model_dump(mode="json") for model in found])
            return
        names = {one.id: one.name for one in client.pages("/datasets", Dataset)}
    columns = ("id", "stage", "error rate", "labels", "made", "dataset")
    emit_table(columns, [_row(model, names) for model in found])
    if not found:
        note("No models yet: `bowerbird train --dataset NAME`.")


@app.command(
    "stage",
    epilog=examples(
        "bowerbird model stage 01JD… live",
        "bowerbird model stage 01JD… limited --share 0.2 --site shop.example",
    ),
)
def set_stage(  # noqa: PLR0913, PLR0917 - one parameter for each option
    model_id: ModelId,
    stage: Annotated[Stage, typer.Argument(metavar="STAGE", help="|".join(Stage))],
    force: Annotated[
        bool, typer.Option(help="Let it go live though it is worse; needs --reason.")
    ] = False,
    reason: Reason = None,
    share: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Of the clients that a limited model answers, 0 to 1."),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Whose images a limited model answers; repeatable."),
    ] = None,
    auto: Annotated[
        bool, typer.Option(help="Let it go further by itself when nothing speaks against it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move a model to a stage: candidate, shadow, limited, live or retired.

    A shadow model is asked what the live one is asked, and answers nobody; a limited one answers a
    share of the clients, or for some sites. A model that is worse than the live one, on the
    validation images of both and by more than chance would explain, does not go live.
    """
    if force and reason is None:
        raise typer.BadParameter("say why with --reason", param_hint="--force")
    body: dict[str, JsonValue] = {"stage": stage.value, "force": force, "reason": reason}
    rules = RolloutRules(share, site or (), auto_promote=auto)
    if rules != RolloutRules(sites=rules.sites) or rules.sites:
        if stage not in {Stage.SHADOW, Stage.LIMITED}:
            raise typer.BadParameter(
                "is for shadow and limited", param_hint="--share/--site/--auto"
            )
        body["rollout"] = rules.body
    with connect() as client:
        model = client.post(f"/models/{model_id}/stage", Model, body)
    if as_json:
        emit_json(model.model_dump(mode="json"))
    else:
        emit(f"{model.id} is {model.stage}")


@app.command(
    epilog=examples(
        "bowerbird model rollouts --dataset bears",
        "bowerbird model rollouts --dataset bears --json",
    )
)
def rollouts(dataset: DatasetName, as_json: AsJson = False) -> None:
    """Tell what was compared of models beside the live one, and what was decided."""
    with connect() as client:
        found = datasets.get_dataset(client, dataset)
        shown = list(client.pages(f"/datasets/{found.id}/rollouts", Rollout))
    if as_json:
        emit_json([one.model_dump(mode="json") for one in shown])
        return
    columns = ("model", "stage", "share", "compared", "agreed", "not compared", "outcome")
    emit_table(columns, [_rollout_row(one) for one in shown])
    for one in shown:
        for decision in one.decisions[:1]:
            note(f"{one.model_id}: {decision.sentence}")


@app.command(
    epilog=examples(
        "bowerbird model rollback --dataset bears",
        'bowerbird model rollback --dataset bears --reason "it takes every dog for a bear"',
    )
)
def rollback(dataset: DatasetName, reason: Reason = None, as_json: AsJson = False) -> None:
    """Let the model that was live before answer again; step by step when repeated."""
    with connect() as client:
        found = datasets.get_dataset(client, dataset)
        model = client.post(f"/datasets/{found.id}/rollback", Model, {"reason": reason})
    if as_json:
        emit_json(model.model_dump(mode="json"))
    else:
        emit(f"{model.id} is {model.stage}")


@app.command(
    epilog=examples(
        "bowerbird model history --dataset bears",
        "bowerbird model history --dataset bears --json",
    )
)
def history(dataset: DatasetName, as_json: AsJson = False) -> None:
    """Tell what became of a dataset's models: which went live when, instead of which, and why."""
    with connect() as client:
        found = datasets.get_dataset(client, dataset)
        changes = list(client.pages(f"/datasets/{found.id}/stage-changes", StageChange))
    if as_json:
        emit_json([change.model_dump(mode="json") for change in changes])
        return
    columns = ("when", "model", "from", "to", "how", "instead of", "reason")
    emit_table(columns, [_change_row(change) for change in changes])


@app.command(
    "log",
    epilog=examples("bowerbird model log 01JD… --days 7", "bowerbird model log 01JD… --forget"),
)
def show_log(
    model_id: ModelId,
    days: Annotated[int, typer.Option(min=1, max=400, help="Today included.")] = 30,
    forget: Annotated[bool, typer.Option(help="Delete all of it, images included.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what a model was asked: how often it gave each label, and how often it abstained."""
    with connect() as client:
        if forget:
            client.delete(f"/models/{model_id}/predictions")
        path = f"/models/{model_id}/prediction-counts"
        found = client.get(path, PredictionCounts, params={"days": days})
    if as_json:
        emit_json(found.model_dump(mode="json"))
        return
    rows = [(one.label, str(one.count), str(one.abstained)) for one in found.labels]
    emit_table(("label", "answers", "abstained"), rows)
    if found.mode == "off":
        note(_OFF)


@app.command(
    "drift",
    epilog=examples("bowerbird model drift 01JD…", "bowerbird model drift 01JD… --days 30 --json"),
)
def show_drift(
    model_id: ModelId,
    days: Annotated[int, typer.Option(min=1, max=400, help="Today included.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Tell whether what a model is asked is still what it was validated on."""
    with connect() as client:
        found = client.get(f"/models/{model_id}/drift", Drift, params={"days": days})
    if as_json:
        emit_json(found.model_dump(mode="json"))
        return
    rows = [
        (one.kind, f"{one.effect:.3f}", f"{one.p_value:.4f}", "yes" if one.is_alert else "no")
        for one in found.tests
    ]
    if rows:
        emit_table(("what", "effect", "p", "alert"), rows)
    for line in (found.sentence, *(one.sentence for one in found.tests), *found.notes):
        note(line)
    if found.mode == "off":
        note(_OFF)


@app.command("export", epilog=examples("bowerbird model export 01JD… --out bears.zip"))
def export(
    model_id: ModelId,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="The file to write.")
    ],
    as_json: AsJson = False,
) -> None:
    """Write a model's bundle: ONNX and everything that inference needs, in one zip.

    The file appears whole or not at all, and its hash is checked.
    """
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    with connect() as client:
        model = client.get(f"/models/{model_id}", Model)
        size_bytes = _save(client, model, out)
    if as_json:
        emit_json({"model_id": model.id, "path": str(out), "bytes": size_bytes})
    else:
        emit(str(out))


def _save(client: Client, model: Model, out: Path) -> int:
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with (
            reporting() as reporter,
            client.stream(f"/models/{model.id}/bundle") as chunks,
            atomic_writer(out) as file,
        ):
            for chunk in chunks:
                size_bytes += len(chunk)
                if size_bytes > MAX_BUNDLE_BYTES:
                    raise UnexpectedAnswerError("GET bundle", "it is larger than 1 GiB")
                digest.update(chunk)
                file.write(chunk)
                reporter.show("downloading the bundle", size_bytes, model.bundle_bytes)
            if model.bundle_sha256 not in (None, digest.hexdigest()):
                raise UnexpectedAnswerError("GET bundle", "its bytes do not match its hash")
    except OSError as error:
        raise CommandError(f"{out} can't be written: {error.strerror}.") from error
    return size_bytes


def _rollout_row(one: Rollout) -> tuple[str, ...]:
    figures = one.figures
    agreed = f"{figures.agreed / figures.compared:.1%}" if figures.compared else "-"
    return (
        one.model_id,
        one.stage,
        f"{one.share:.0%}",
        str(figures.compared),
        agreed,
        str(one.not_compared),
        one.outcome or "goes on",
    )


def _change_row(change: StageChange) -> tuple[str, ...]:
    when = change.created_at.split(".")[0].removesuffix("Z")
    return (
        when,
        change.model_id,
        change.before,
        change.after,
        change.kind,
        change.replaced_id or "-",
        change.reason or "-",
    )


def _row(model: Model, dataset_names: Mapping[str, str]) -> tuple[str, ...]:
    rate = model.metrics.get("error_rate")
    shown = f"{rate:.1%}" if isinstance(rate, (int, float)) else "-"
    made = (model.created_at or "-").split(".")[0].removesuffix("Z")
    name = dataset_names.get(model.dataset_id, model.dataset_id)
    return model.id, model.stage, shown, str(len(model.classes)), made, name

"""``bowerbird dataset list | create | import | pause | resume``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli import datasets
from server.cli.commands.options import AsJson, DatasetName
from server.cli.console import emit, emit_json, emit_table, examples, note
from server.cli.importing import job
from server.cli.session import connect
from server.cli.views import Dataset

app = typer.Typer(no_args_is_help=True, help="Datasets: list, create, import, pause.")


@app.command("list", epilog=examples("bowerbird dataset list", "bowerbird dataset list --json"))
def list_datasets(as_json: AsJson = False) -> None:
    """List the datasets with their counts."""
    with connect() as client:
        found = list(client.pages("/datasets", Dataset))
    if as_json:
        emit_json([dataset.model_dump(mode="json") for dataset in found])
        return
    columns = ("name", "ready", "waiting", "rejected", "labels", "model", "id")
    emit_table(columns, [_row(dataset) for dataset in found])
    if not found:
        note("No datasets yet: `bowerbird dataset create NAME`, or capture in the browser.")


@app.command(
    epilog=examples(
        "bowerbird dataset create bears",
        'bowerbird dataset create bears --description "Three kinds, from the web"',
    )
)
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the dataset.")],
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a dataset and print its id."""
    with connect() as client:
        dataset = datasets.create_dataset(client, name, description)
    if as_json:
        emit_json(dataset.model_dump(mode="json"))
    else:
        emit(dataset.id)


@app.command(
    "import",
    epilog=examples(
        "bowerbird dataset import ./photos --dataset bears --dry-run",
        "bowerbird dataset import ./photos --dataset bears",
        "bowerbird dataset import bears.zip --dataset bears --json",
        "bowerbird dataset import addresses.csv --dataset bears",
    ),
)
def import_path(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", exists=True, help="Folder, .zip or .csv.")
    ],
    dataset: DatasetName,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent; needs no server.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add images to a dataset, which is made when missing.

    A folder or zip: the names of its sub-folders are the labels. A CSV with the columns
    url,label: the server downloads the addresses. The same import again adds nothing twice.
    Hidden files, links that lead outside and files over 20 MiB are left out, and listed.
    """
    if dry_run:
        job.preview(path, dataset, as_json=as_json)
    elif not job.run(path, dataset, as_json=as_json):
        raise typer.Exit(1)


@app.command(epilog=examples("bowerbird dataset pause bears"))
def pause(name: Annotated[str, typer.Argument(metavar="NAME")], as_json: AsJson = False) -> None:
    """Download nothing more for a dataset until it is resumed; what is under way is finished."""
    _switch(name, "pause", as_json=as_json)


@app.command(epilog=examples("bowerbird dataset resume bears"))
def resume(name: Annotated[str, typer.Argument(metavar="NAME")], as_json: AsJson = False) -> None:
    """Go on downloading for a dataset that was paused."""
    _switch(name, "resume", as_json=as_json)


def _switch(name: str, action: str, *, as_json: bool) -> None:
    with connect() as client:
        found = datasets.get_dataset(client, name)
        dataset = client.post(f"/datasets/{found.id}/{action}", Dataset, {})
    if as_json:
        emit_json(dataset.model_dump(mode="json"))
    else:
        done = "paused" if dataset.paused else "resumed"
        note(f"{dataset.name} is {done}; {dataset.counts.waiting} images are waiting.")


def _row(dataset: Dataset) -> tuple[str, ...]:
    counts = dataset.counts
    numbers = (
        counts.status.get("ready", 0),
        counts.waiting,
        counts.status.get("rejected", 0),
        len(counts.labels),
    )
    model = "live" if dataset.live_model_id else "-"
    return (dataset.name, *map(str, numbers), model, dataset.id)

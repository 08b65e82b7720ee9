"""``bowerbird dataset list | create | show | import | pause | resume | retry | …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli import credit_list, datasets
from server.cli.commands.options import AsJson, DatasetName
from server.cli.console import emit, emit_json, emit_table, examples, note
from server.cli.credit_list import CreditsFormat
from server.cli.importing import job, whole
from server.cli.session import connect, open_bird
from server.client.views import Dataset

Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset, by name or id.")]

app = typer.Typer(no_args_is_help=True, help="Datasets: list, create, show, import, pause.")


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


@app.command(epilog=examples("bowerbird dataset show bears"))
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a dataset: how many images are in which state, and under which label."""
    with open_bird() as bird:
        dataset = datasets.open_dataset(bird, name).show()
    if as_json:
        emit_json(dataset.model_dump(mode="json"))
        return
    counts = dataset.counts
    rows = [("id", dataset.id), ("paused", "yes" if dataset.paused else "no")]
    rows += [(status, str(number)) for status, number in counts.status.items()]
    rows += [("excluded", str(counts.excluded))]
    rows += [(f"label {label}", str(number.total)) for label, number in counts.labels.items()]
    emit_table(("what", "count"), rows)


@app.command(
    "import",
    epilog=examples(
        "bowerbird dataset import ./photos --dataset bears --dry-run",
        "bowerbird dataset import ./photos --dataset bears",
        "bowerbird dataset import bears.zip --dataset bears --json",
        "bowerbird dataset import shard-000.tar --dataset bears",
        "bowerbird dataset import addresses.csv --dataset bears",
    ),
)
def import_path(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", exists=True, help="Folder, .zip, .tar or .csv.")
    ],
    dataset: DatasetName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add images to a dataset, which is made when missing.

    A folder or zip: the names of its sub-folders are the labels. A CSV with the columns
    url,label: the server downloads the addresses. A folder or zip with a metadata.csv (file_name,
    label: Hugging Face's imagefolder) and a tar (WebDataset) are sent whole, and read there.

    The same import again adds nothing twice. Hidden files, links that lead outside and files over
    20 MiB are left out, and listed.
    """
    if whole.is_read_by_server(path):
        is_done = whole.run(path, dataset, dry_run=dry_run, as_json=as_json)
        if not is_done:
            raise typer.Exit(1)
    elif dry_run:
        job.preview(path, dataset, as_json=as_json)
    elif not job.run(path, dataset, as_json=as_json):
        raise typer.Exit(1)


@app.command(epilog=examples("bowerbird dataset pause bears"))
def pause(name: Name, as_json: AsJson = False) -> None:
    """Download nothing more for a dataset until it is resumed; what is under way is finished."""
    _switch(name, "pause", as_json=as_json)


@app.command(epilog=examples("bowerbird dataset resume bears"))
def resume(name: Name, as_json: AsJson = False) -> None:
    """Go on downloading for a dataset that was paused."""
    _switch(name, "resume", as_json=as_json)


@app.command(
    epilog=examples(
        "bowerbird dataset retry bears",
        "bowerbird dataset retry bears --reason timeout",
        "bowerbird dataset retry bears --host img.example.org",
    )
)
def retry(
    name: Name,
    reason: Annotated[str | None, typer.Option(help="Only those rejected for this.")] = None,
    host: Annotated[str | None, typer.Option(help="Only those whose address is on it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Queue rejected images again."""
    with open_bird() as bird:
        queued = datasets.open_dataset(bird, name).retry(reason, host=host)
    if as_json:
        emit_json({"queued": queued})
    else:
        note(f"{queued} images are queued again.")


@app.command(
    "credits",
    epilog=examples(
        "bowerbird dataset credits bears > CREDITS.md",
        "bowerbird dataset credits bears --format csv > credits.csv",
    ),
)
def list_credits(
    name: Name,
    form: Annotated[
        CreditsFormat, typer.Option("--format", help="markdown, csv or json.")
    ] = CreditsFormat.MARKDOWN,
    as_json: AsJson = False,
) -> None:
    """List where the images come from: ready ones that are not excluded, with licence and page."""
    with open_bird() as bird:
        found = datasets.open_dataset(bird, name).credits()
        credit_list.write(found, CreditsFormat.JSON if as_json else form)


@app.command(epilog=examples("bowerbird dataset delete bears --yes"))
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a dataset with its images, snapshots and models. It can't be undone."""
    with open_bird() as bird:
        found = datasets.get_dataset(bird.transport, name)
        if not yes:
            question = f"Delete `{found.name}` with {found.counts.total} images?"
            typer.confirm(question, abort=True, err=True)
        datasets.open_dataset(bird, found.id).delete()
    if as_json:
        emit_json({"deleted": found.id})
    else:
        note(f"{found.name} is deleted.")


def _switch(name: str, action: str, *, as_json: bool) -> None:
    with open_bird() as bird:
        found = datasets.open_dataset(bird, name)
        dataset = found.pause() if action == "pause" else found.resume()
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

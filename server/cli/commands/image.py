"""``bowerbird image list | show | set | bulk | undo | redo``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer

from server.cli import datasets
from server.cli.commands.options import AsJson, DatasetName
from server.cli.console import emit_json, emit_table, examples, note
from server.cli.errors import CommandError
from server.cli.session import open_bird
from server.client.dataset import MAX_BULK, ImageFilter
from server.client.errors import ClientError
from server.client.views import BulkResult, Image, UndoResult

app = typer.Typer(no_args_is_help=True, help="Images: list, show, label, exclude, undo.")

Label = Annotated[str | None, typer.Option(help="A label that the dataset has.")]
Excluded = Annotated[
    bool | None, typer.Option("--exclude/--include", help="Keep out of snapshots, or not.")
]
Reviewed = Annotated[
    bool | None, typer.Option("--reviewed/--unreviewed", help="Somebody has looked at it.")
]
# An id has 26 characters: a line that is longer holds something else.
_MAX_ID_CHARS = 64


@app.command(
    "list",
    epilog=examples(
        "bowerbird image list --dataset bears --label grizzly",
        "bowerbird image list --dataset bears --status rejected --reason timeout --json",
        "bowerbird image list --dataset bears --hint blurry --sort sharpness --limit 0",
    ),
)
def list_images(  # noqa: PLR0913, PLR0917 - an option for each filter of the API
    dataset: DatasetName,
    label: Annotated[str | None, typer.Option(help="Under this label.")] = None,
    status: Annotated[str | None, typer.Option(help="ready, rejected, queued, duplicate…")] = None,
    reason: Annotated[str | None, typer.Option(help="Rejected for this.")] = None,
    excluded: Annotated[
        bool | None, typer.Option("--excluded/--included", help="Kept out of snapshots, or not.")
    ] = None,
    reviewed: Annotated[bool | None, typer.Option("--reviewed/--unreviewed")] = None,
    q: Annotated[str | None, typer.Option("--q", help="Text in a title or address.")] = None,
    engine: Annotated[str | None, typer.Option(help="Found by this search engine.")] = None,
    query: Annotated[str | None, typer.Option(help="Found by this query.")] = None,
    site: Annotated[str | None, typer.Option(help="From this host.")] = None,
    min_px: Annotated[int | None, typer.Option(min=1, help="Shorter side at least.")] = None,
    max_px: Annotated[int | None, typer.Option(min=1, help="Shorter side at most.")] = None,
    captured_from: Annotated[str | None, typer.Option(help="ISO date.")] = None,
    captured_to: Annotated[str | None, typer.Option(help="ISO date.")] = None,
    snapshot: Annotated[str | None, typer.Option(help="Snapshot of --split, by id.")] = None,
    split: Annotated[str | None, typer.Option(help="train or valid, of --snapshot.")] = None,
    near_group: Annotated[str | None, typer.Option(help="Near-duplicates of this one.")] = None,
    hint: Annotated[str | None, typer.Option(help="dark, bright, blurry, plain, small…")] = None,
    sort: Annotated[str | None, typer.Option(help="oldest, newest, sharpness, -size…")] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many at most; 0 for all.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the images of a dataset: id, label, state, size, and where they come from."""
    values = {
        name: value
        for name, value in locals().items()
        if name in ImageFilter.__annotations__ and value is not None
    }
    with open_bird() as bird:
        found = datasets.open_dataset(bird, dataset)
        images = found.images(**values)
        listed = list(islice(images, limit or None))
    if as_json:
        emit_json([image.model_dump(mode="json") for image in listed])
        return
    emit_table(("id", "label", "state", "size", "from"), [_row(image) for image in listed])


@app.command(epilog=examples("bowerbird image show 01JD3ZT2V9Q6T5W1G3M8K7N4RB --json"))
def show(image_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Show an image: what is known of it, and where it was seen."""
    with open_bird() as bird:
        image = bird.image(image_id)
    document = image.model_dump(mode="json")
    if as_json:
        emit_json(document)
        return
    rows = [
        (name, str(value))
        for name, value in document.items()
        if value is not None and not isinstance(value, list | dict)
    ]
    seen = document.get("sightings")
    emit_table(("what", "value"), [*rows, ("seen", str(len(seen) if seen else 0))])


@app.command(
    "set",
    epilog=examples(
        "bowerbird image set 01JD3ZT2V9Q6T5W1G3M8K7N4RB --label grizzly --reviewed",
        "bowerbird image set 01JD3ZT2V9Q6T5W1G3M8K7N4RB --exclude --version 3",
    ),
)
def change(
    image_id: Annotated[str, typer.Argument(metavar="ID")],
    label: Label = None,
    excluded: Excluded = None,
    reviewed: Reviewed = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Refuse when it is of another version by now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Label, exclude or mark one image."""
    _check_something(label, excluded, reviewed)
    with open_bird() as bird:
        image = bird.change_image(
            image_id, label=label, excluded=excluded, reviewed=reviewed, version=version
        )
    if as_json:
        emit_json(image.model_dump(mode="json"))
    else:
        note(f"{image.id}: {image.label or 'no label'}{', excluded' if image.excluded else ''}")


@app.command(
    epilog=examples(
        "bowerbird image bulk ID ID --dataset bears --label grizzly",
        "bowerbird image list --dataset bears --hint blurry --limit 0 | cut -f 1 |",
        "    bowerbird image bulk - --dataset bears --exclude",
    )
)
def bulk(
    image_ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Images; - reads ids from stdin.")
    ],
    dataset: DatasetName,
    label: Label = None,
    excluded: Excluded = None,
    reviewed: Reviewed = None,
    as_json: AsJson = False,
) -> None:
    """Label, exclude or mark many images; each thousand is one change that can be undone."""
    _check_something(label, excluded, reviewed)
    ids = list(dict.fromkeys(_read_ids(image_ids)))
    results: list[BulkResult] = []
    with open_bird() as bird:
        found = datasets.open_dataset(bird, dataset)
        for start in range(0, len(ids), MAX_BULK):
            part = ids[start : start + MAX_BULK]
            try:
                results.append(
                    found.change_images(part, label=label, excluded=excluded, reviewed=reviewed)
                )
            except ClientError:
                if results:  # else nothing is changed, and the error says it all
                    _tell_changed(results, dataset, as_json=as_json)
                    note(f"It ended here: {len(ids) - start} of {len(ids)} ids are not done.")
                raise
    _tell_changed(results, dataset, as_json=as_json)


def _tell_changed(results: Sequence[BulkResult], dataset: str, *, as_json: bool) -> None:
    changed = sum(result.changed for result in results)
    conflicts = [conflict.id for result in results for conflict in result.conflicts]
    actions = [result.action_id for result in results if result.action_id]
    if as_json:
        emit_json({"changed": changed, "action_ids": [*actions], "conflicts": [*conflicts]})
        return
    note(f"{changed} images changed{'; to undo it:' if actions else '.'}")
    for action in reversed(actions):
        note(f"  bowerbird image undo --dataset {shlex.quote(dataset)} --action {action}")


@app.command(epilog=examples("bowerbird image undo --dataset bears"))
def undo(
    dataset: DatasetName,
    action: Annotated[str | None, typer.Option(help="This change. [default: the last]")] = None,
    as_json: AsJson = False,
) -> None:
    """Undo the last change of labels or review, or a certain one."""
    with open_bird() as bird:
        result = datasets.open_dataset(bird, dataset).undo(action)
    _tell(result, "undone", as_json=as_json)


@app.command(epilog=examples("bowerbird image redo --dataset bears"))
def redo(
    dataset: DatasetName,
    action: Annotated[str | None, typer.Option(help="This change. [default: the last]")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the change again that was undone last, or a certain one."""
    with open_bird() as bird:
        result = datasets.open_dataset(bird, dataset).redo(action)
    _tell(result, "made again", as_json=as_json)


def _tell(result: UndoResult, what: str, *, as_json: bool) -> None:
    if as_json:
        emit_json(result.model_dump(mode="json"))
        return
    kept = f", {len(result.conflicts)} left: changed since" if result.conflicts else ""
    note(f"{result.changed} images: the change is {what}{kept}.")


def _check_something(label: str | None, excluded: bool | None, reviewed: bool | None) -> None:
    if label is None and excluded is None and reviewed is None:
        raise typer.BadParameter("say what to change: --label, --exclude, --reviewed …")


def _read_ids(arguments: list[str]) -> Iterator[str]:
    for argument in arguments:
        if argument != "-":
            yield argument
            continue
        for line in sys.stdin:
            text = line.strip()
            if len(text) > _MAX_ID_CHARS:
                raise CommandError(f"`{text[:40]}…` is no id; one a line is read.")
            if text:
                yield text


def _row(image: Image) -> tuple[str, ...]:
    state = image.reason or image.status
    if image.excluded:
        state += ", excluded"
    size = f"{image.width}x{image.height}" if image.width else "-"
    return image.id, image.label or "-", state, size, image.url or image.title or "-"

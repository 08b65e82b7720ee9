"""``bowerbird site remove | list-removed | list-blocked | unblock``."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli import datasets
from server.cli.commands.options import AsJson
from server.cli.console import emit_json, emit_table, examples, note
from server.cli.session import open_bird
from server.client.site_views import Removal

app = typer.Typer(no_args_is_help=True, help="Sites: remove everything of one, keep it out.")

Host = Annotated[
    str, typer.Argument(metavar="HOST", help="Such as example.org; its sub-domains too.")
]
_MEGABYTE = 1000**2


@app.command(
    epilog=examples(
        "bowerbird site remove example.org --dry-run",
        "bowerbird site remove example.org --dataset bears",
        "bowerbird site remove example.org --block --yes --json",
    )
)
def remove(
    host: Host,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this dataset only.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    block: Annotated[
        bool, typer.Option("--block", help="Take nothing of it any more: see `site unblock`.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove everything of a site for good: images, their bytes, what was seen of them.

    What would go is shown first, and asked about. Of snapshots the manifests stay, but they can
    no longer be exported or trained on where bytes are gone; models that were trained on them are
    named. It can't be undone.
    """
    with open_bird() as bird:
        dataset_id = None if dataset is None else datasets.get_dataset(bird.transport, dataset).id
        if not dry_run and not yes:
            seen = bird.remove_site(host, dataset_id=dataset_id, dry_run=True)
            _tell(seen, "would go")
            keep_out = " and keep the site out" if block else ""
            typer.confirm(f"Remove this for good{keep_out}?", abort=True, err=True)
        removal = bird.remove_site(host, dataset_id=dataset_id, dry_run=dry_run, block=block)
    if as_json:
        emit_json(removal.model_dump(mode="json"))
    else:
        _tell(removal, "would go" if dry_run else "are gone")
        if not dry_run:
            note("It can't be undone." + (f" {removal.site} is kept out now." if block else ""))


@app.command(
    "list-removed",
    epilog=examples("bowerbird site list-removed", "bowerbird site list-removed --json"),
)
def list_removed(as_json: AsJson = False) -> None:
    """List what was removed of which site when, newest first."""
    with open_bird() as bird:
        found = list(bird.removals())
    if as_json:
        emit_json([removal.model_dump(mode="json") for removal in found])
        return
    rows = [
        (
            removal.site,
            "" if removal.created_at is None else removal.created_at.isoformat(timespec="seconds"),
            str(removal.images),
            str(removal.blobs),
            str(removal.removal_id),
        )
        for removal in found
    ]
    emit_table(("site", "when", "images", "files", "id"), rows)


@app.command(
    "list-blocked",
    epilog=examples("bowerbird site list-blocked", "bowerbird site list-blocked --json"),
)
def list_blocked(as_json: AsJson = False) -> None:
    """List the sites that are kept out."""
    with open_bird() as bird:
        found = bird.blocked_sites()
    if as_json:
        emit_json([site.model_dump(mode="json") for site in found])
        return
    rows = [(site.site, site.blocked_at.isoformat(timespec="seconds")) for site in found]
    emit_table(("site", "since"), rows)


@app.command(epilog=examples("bowerbird site unblock example.org"))
def unblock(host: Host, as_json: AsJson = False) -> None:
    """Collect from a site again; what was removed of it does not come back by itself."""
    with open_bird() as bird:
        bird.unblock_site(host)
    if as_json:
        emit_json({"unblocked": host})
    else:
        note(f"{host} is let in again.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tell(removal: Removal, what: str) -> None:
    if not (removal.images or removal.captures or removal.blobs):
        note(f"There is nothing of {removal.site} here.")
        return
    parts = (
        _count(removal.images, "image"),
        _count(removal.captures, "capture"),
        f"{_count(removal.blobs, 'file')} ({removal.bytes / _MEGABYTE:.1f} MB)",
    )
    note(f"Of {removal.site} {what}: {', '.join(parts)}.")
    note("Files that an image of another site holds too stay, for that image.")
    for dataset in removal.datasets:
        note(f"  dataset {dataset.name}: {_count(dataset.images, 'image')}")
    for snapshot in removal.snapshots:
        note(f"  snapshot {snapshot.id} holds {_count(snapshot.images, 'image')} of it")
    for model in removal.models:
        note(
            f"  model {model.id} ({model.stage}) was made with {model.images} of them: to retire "
            f"it, `bowerbird model stage {model.id} retired`, and train anew"
        )

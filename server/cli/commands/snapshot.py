"""``bowerbird snapshot create | list | diff | export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli import datasets
from server.cli.commands.options import AsJson, DatasetName, check_id
from server.cli.console import emit, emit_json, emit_table, examples, note, reporting
from server.cli.session import connect
from server.client.downloads import Download, Source
from server.client.transport import SNAPSHOT_S, Client
from server.client.views import Dataset, Difference, Snapshot
from server.contract.exports import ENDINGS, ExportFormat

app = typer.Typer(no_args_is_help=True, help="Snapshots: create, list, diff, export.")

# As many as the server lists; it counts all.
MOST_LISTED = 100_000


@app.command(
    epilog=examples(
        "bowerbird snapshot create --dataset bears",
        "bowerbird snapshot create --dataset bears --valid-ratio 0.3 --json",
    )
)
def create(
    dataset: DatasetName,
    valid_ratio: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of images kept for validation.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the split.")] = 42,
    min_per_label: Annotated[
        int, typer.Option(min=1, max=10_000, help="Fewer images of a label are an error.")
    ] = 2,
    as_json: AsJson = False,
) -> None:
    """Freeze a dataset's images, each verified again, with a split; print the snapshot's id."""
    wanted = {"valid_ratio": valid_ratio, "seed": seed, "min_per_label": min_per_label}
    with connect() as client, reporting() as reporter:
        found = datasets.get_dataset(client, dataset)
        reporter.show("verifying images", 0, found.counts.status.get("ready"))
        path = f"/datasets/{found.id}/snapshots"
        made = client.post(path, Snapshot, wanted, timeout_s=SNAPSHOT_S)
    if as_json:
        emit_json(made.model_dump(mode="json"))
        return
    emit(made.id)
    counts = made.counts
    note(f"{counts.total} images: {counts.train} to train on, {counts.valid} to validate on.")
    apart = counts.straddling
    if apart.near_duplicate_pairs or apart.source_pages:
        note(
            f"On both sides of the split, since no image ever changes its side: "
            f"{apart.near_duplicate_pairs} pairs of near-duplicates, "
            f"{apart.source_pages} source pages."
        )
    given = counts.from_feedback
    if given.train or given.left_out:
        note(
            f"From feedback: {given.train} to train on; {given.left_out} left out, which look like "
            "validation images."
        )


@app.command(
    "list",
    epilog=examples("bowerbird snapshot list", "bowerbird snapshot list --dataset bears --json"),
)
def list_snapshots(
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Of this dataset.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the snapshots, newest first within each dataset."""
    with connect() as client:
        wanted = (
            [datasets.get_dataset(client, dataset)]
            if dataset is not None
            else list(client.pages("/datasets", Dataset))
        )
        found = [
            (one.name, snapshot)
            for one in wanted
            for snapshot in client.pages(f"/datasets/{one.id}/snapshots", Snapshot)
        ]
    if as_json:
        emit_json([snapshot.model_dump(mode="json") for _, snapshot in found])
        return
    columns = ("id", "made", "images", "train", "valid", "dataset")
    emit_table(columns, [_row(name, snapshot) for name, snapshot in found])
    if not found:
        note("No snapshots yet: `bowerbird snapshot create --dataset NAME`.")


@app.command(
    epilog=examples(
        "bowerbird snapshot diff 01JD… 01JE…", "bowerbird snapshot diff 01JD… 01JE… --json"
    )
)
def diff(
    before: Annotated[
        str, typer.Argument(metavar="A", help="The earlier snapshot's id.", callback=check_id)
    ],
    after: Annotated[
        str, typer.Argument(metavar="B", help="The later snapshot's id.", callback=check_id)
    ],
    as_json: AsJson = False,
) -> None:
    """Compare two snapshots: images added, removed, relabelled, or moved to the other side."""
    path = f"/snapshots/{before}/diff/{after}"
    with connect() as client:
        found = client.get(path, Difference, {"limit": MOST_LISTED})
    if as_json:
        emit_json(found.model_dump(mode="json"))
        return
    rows = [
        (kind, one.sha256, one.label, one.split, one.before or "-")
        for kind, listed in found.by_kind()
        for one in listed
    ]
    emit_table(("change", "sha256", "label", "split", "before"), rows)
    note(", ".join(f"{count} {kind}" for kind, count in found.counts.items()) + ".")


@app.command(
    epilog=examples(
        "bowerbird snapshot export 01JD… --format folder --out bears.zip",
        "bowerbird snapshot export 01JD… --format webdataset --shard 0 --out train-0.tar",
        "bowerbird snapshot export 01JD… --format datasheet --out .",
    )
)
def export(
    snapshot_id: Annotated[
        str, typer.Argument(metavar="ID", help="The snapshot's id.", callback=check_id)
    ],
    wanted: Annotated[ExportFormat, typer.Option("--format", help="As what it leaves.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="PATH", help="The file to write, or a folder for it.")
    ],
    shard: Annotated[
        int | None, typer.Option(min=0, help="Of webdataset: only this part, from 0 on.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a snapshot as a zip, tar, table or document.

    The file appears when it is whole. A download that was cut goes on, by itself and with the next
    run of the same command.
    """
    if shard is not None and wanted is not ExportFormat.WEBDATASET:
        raise typer.BadParameter("only webdataset has parts", param_hint="--shard")
    out = _target(out, snapshot_id, wanted, shard)
    with connect() as client:
        size_bytes = _save(client, snapshot_id, wanted, shard, out)
    if as_json:
        emit_json(
            {
                "snapshot_id": snapshot_id,
                "format": wanted.value,
                "path": str(out),
                "bytes": size_bytes,
            }
        )
    else:
        emit(str(out))


def _save(
    client: Client, snapshot_id: str, wanted: ExportFormat, shard: int | None, out: Path
) -> int:
    params: dict[str, str | int] = {"format": wanted.value}
    if shard is not None:
        params["shard"] = shard
    source = Source(f"/snapshots/{snapshot_id}/export", params)
    with reporting() as reporter:
        reporter.show("preparing")

        def tell(done: int, total: int | None) -> None:
            reporter.show("downloading", done, total)

        return Download(client, source, out).run(tell)


def _target(out: Path, snapshot_id: str, wanted: ExportFormat, shard: int | None) -> Path:
    if out.is_dir():
        part = "" if shard is None else f"-{shard:06}"
        return out / f"{snapshot_id}{part}{ENDINGS[wanted]}"
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    return out


def _row(dataset: str, snapshot: Snapshot) -> tuple[str, ...]:
    counts = snapshot.counts
    made = (snapshot.created_at or "-").split(".")[0].removesuffix("Z")
    numbers = (counts.total, counts.train, counts.valid)
    return (snapshot.id, made, *map(str, numbers), dataset)

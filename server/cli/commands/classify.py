"""``bowerbird classify``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue

from server.cli import datasets
from server.cli.commands.options import AsJson
from server.cli.console import emit_json, emit_table, examples, note, reporting
from server.cli.importing.source import MAX_FILE_BYTES
from server.cli.session import connect
from server.client.errors import ProblemError
from server.client.transport import Client, Params, Upload
from server.client.views import Answer

EXAMPLES = examples(
    "bowerbird classify photo.jpg",
    "bowerbird classify *.jpg https://example.org/bear.jpg --dataset bears",
    "bowerbird classify photo.jpg --json | jq -r '.[0].label'",
)
# Not understood, too large, wrong type, not usable: this source's fault, the others go on.
_ABOUT_THIS_SOURCE = frozenset({400, 413, 415, 422})


@dataclass(frozen=True)
class _Failure:
    """Why a source has no answer."""

    reason: str
    detail: str


def classify(
    sources: Annotated[
        list[str], typer.Argument(metavar="FILE|URL...", help="Image files or http(s) addresses.")
    ],
    model: Annotated[
        str | None, typer.Option(metavar="ID", help="The model. [default: the newest live one]")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Use the live model of this dataset.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="How many labels to list.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Say what is on images.

    A source that can't be classified is reported, the others go on, and the exit code is 1.
    """
    with connect() as client:
        params: dict[str, str | int] = {"top": top}
        if model is not None:
            params["model"] = model
        if dataset is not None:
            params["dataset"] = datasets.get_dataset(client, dataset).id
        results = list(_classify_all(client, sources, params))
    if as_json:
        emit_json([_document(source, result) for source, result in results])
    else:
        emit_table(("source", "label", "probability"), [_row(*one) for one in results])
    failures = [(source, one) for source, one in results if isinstance(one, _Failure)]
    for source, failure in failures:
        note(f"{source}: {failure.reason}{f' ({failure.detail})' if failure.detail else ''}")
    if failures:
        raise typer.Exit(1)


def _classify_all(
    client: Client, sources: Sequence[str], params: Params
) -> Iterator[tuple[str, Answer | _Failure]]:
    with reporting() as reporter:
        for done, source in enumerate(sources):
            if len(sources) > 1:
                reporter.show("classifying", done, len(sources))
            yield source, _classify(client, source, params)


def _classify(client: Client, source: str, params: Params) -> Answer | _Failure:
    try:
        if source.startswith(("http://", "https://")):
            return client.post("/classify", Answer, {"url": source}, params=params)
        content = _read(Path(source))
        if isinstance(content, _Failure):
            return content
        upload = Upload(content, source, {})
        return client.upload("/classify", Answer, upload, params)[1]
    except ProblemError as error:
        if error.status not in _ABOUT_THIS_SOURCE:
            raise
        return _Failure(error.reason, str(error))


def _read(path: Path) -> bytes | _Failure:
    try:
        if path.is_dir():
            return _Failure("not-a-file", "a folder; name the files in it")
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        return _Failure("not-readable", getattr(error, "strerror", None) or str(error))
    if len(content) > MAX_FILE_BYTES:
        return _Failure("too-large", "over 20 MiB")
    return content


def _document(source: str, result: Answer | _Failure) -> dict[str, JsonValue]:
    """Return one entry of ``--json``: the same members for an answer and a failure."""
    if isinstance(result, _Failure):
        return {
            "source": source,
            "label": None,
            "probability": None,
            "abstained": None,
            "predictions": [],
            "model_id": None,
            "error": {"reason": result.reason, "detail": result.detail},
        }
    return {
        "source": source,
        "label": result.label,
        "probability": result.probability,
        "abstained": result.abstained,
        "predictions": [one.model_dump(mode="json") for one in result.predictions],
        "model_id": result.model_id,
        "error": None,
    }


def _row(source: str, result: Answer | _Failure) -> tuple[str, str, str]:
    if isinstance(result, _Failure):
        return source, f"({result.reason})", "-"
    label = result.label or "-"
    if result.abstained:
        label = f"none of these ({label}?)"
    return source, label, f"{result.probability:.1%}"

"""Files that the server reads as a whole: what is more than folders that are called as labels are.

May import ``client``. A folder becomes a zip on the way, in a temporary file.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from server.archives.layout import has_splits
from server.cli import datasets
from server.cli.console import emit, emit_json, note, reporting
from server.cli.errors import CommandError
from server.cli.importing.source import MAX_FILE_BYTES, MAX_FILES, too_many
from server.cli.session import open_bird
from server.client.dataset import DatasetClient
from server.client.views import ImportReport

_TABLE: Final = "metadata.csv"
# More lines than a screen hide the summary; `--json` has them all.
_MAX_LINES: Final = 20
# A table of labels lies at the top, or in the folder of a split.
_TABLE_DEPTH: Final = 2


def is_read_by_server(path: Path) -> bool:
    """Tell whether a path is sent whole: a tar, or what has a table of labels, or sides of a split.

    A folder of exports is such a one: taken for labels, ``train`` and ``valid`` would be two.
    """
    if path.is_dir():
        return any(True for _ in _tables(path)) or has_splits(_paths(path))
    if path.suffix.lower() == ".tar":
        return True
    return path.suffix.lower() == ".zip" and _is_rich(path)


def run(path: Path, dataset_name: str, *, dry_run: bool, as_json: bool) -> bool:
    """Send and sum up; return whether anything at all was taken.

    Raises:
        CommandError: The path can't be read, or the server refuses it as a whole.
    """
    with open_bird() as bird:
        found = datasets.find_dataset(bird.transport, dataset_name)
        if found is None and dry_run:
            raise CommandError(
                f"There is no dataset `{dataset_name}`, which the server would compare with.",
                f"Make it first: `bowerbird dataset create {dataset_name}`.",
            )
        if found is None:
            found = datasets.create_dataset(bird.transport, dataset_name, None)
            note(f"Made dataset `{found.name}`.")
        dataset = DatasetClient(bird.transport, found.id)
        with _as_file(path) as (file, left_out_count):
            report = _send(dataset, file, dry_run=dry_run)
    if as_json:
        document = report.model_dump(mode="json")
        emit_json({"dataset_id": found.id, "dataset": found.name, **document})
    else:
        _sum_up(report, found.name)
        if left_out_count:
            emit(f"{left_out_count} not sent")
    return report.added + report.known > 0


def _send(dataset: DatasetClient, file: Path, *, dry_run: bool) -> ImportReport:
    total = file.stat().st_size
    mebi = 1024**2
    with reporting() as reporter:

        def tell(sent: int) -> None:
            phase = "sending (MiB)" if sent < total else "the server is reading"
            reporter.show(phase, sent // mebi, -(-total // mebi))

        return dataset.import_file(file, dry_run=dry_run, on_sent=tell)


def _sum_up(report: ImportReport, dataset_name: str) -> None:
    for one in report.refused[:_MAX_LINES]:
        note(f"refused: {one.path}: {one.reason} ({one.detail})")
    if report.refused_count > _MAX_LINES:
        note(f"… and {report.refused_count - _MAX_LINES} more; --json lists them.")
    for other in report.other_label[:_MAX_LINES]:
        note(f"label kept: {other.path}: the same picture is there as {other.kept!r}")
    emit(f"{report.added} added, {report.known} already there")
    for reason, count in report.reasons.items():
        emit(f"{count} refused: {reason}")
    if report.skipped:
        emit(f"{report.skipped} left out")
    if report.dry_run:
        note(f"Nothing was changed in dataset `{dataset_name}`.")


def _tables(root: Path) -> Iterator[Path]:
    for depth in range(_TABLE_DEPTH):
        yield from root.glob("*/" * depth + _TABLE)


def _paths(root: Path) -> Iterator[tuple[str, ...]]:
    """Yield the path of each file below a folder, by its parts; links are not followed."""
    for folder, _, files in os.walk(root):
        for name in files:
            yield Path(folder, name).relative_to(root).parts


def _is_rich(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            files = [
                PurePosixPath(name).parts for name in archive.namelist() if not name.endswith("/")
            ]
            return any(parts[-1].lower() == _TABLE for parts in files if parts) or has_splits(files)
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return False  # what reads it next says what is wrong with it


@contextmanager
def _as_file(path: Path) -> Iterator[tuple[Path, int]]:
    """Give the path itself, or a zip of the folder; and how many files of that are left out.

    Raises:
        CommandError: A file of the folder can't be read, or the zip not be written.
    """
    if not path.is_dir():
        yield path, 0
        return
    with tempfile.TemporaryDirectory(prefix="bowerbird-") as folder:
        packed = Path(folder) / "folder.zip"
        yield packed, _pack(path, packed)


def _pack(root: Path, packed: Path) -> int:
    """Write a zip of a folder; note what is left out, and return how much that is.

    Raises:
        CommandError: A file can't be read, or the zip not be written.
    """
    sent_count = left_out_count = 0
    file = root
    try:
        # Files from before 1980, which a zip can't tell, are of 1980 in there.
        with zipfile.ZipFile(packed, "w", strict_timestamps=False) as archive:
            for file, why in _files(root):
                if why is not None:
                    left_out_count += 1
                    if left_out_count <= _MAX_LINES:
                        note(f"left out: {file}: {why}")
                    continue
                sent_count += 1
                if sent_count > MAX_FILES:
                    raise too_many(root)
                archive.write(file.resolve(), file.relative_to(root).as_posix())
    except OSError as error:
        raise CommandError(
            f"{file} can't be put into {packed}: {error.strerror or error}.",
            "Is it readable, and is there room? TMPDIR names another folder for the zip.",
        ) from error
    if left_out_count > _MAX_LINES:
        note(f"… and {left_out_count - _MAX_LINES} more.")
    return left_out_count


def _files(root: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield the files below a folder, and why one is left out; hidden folders as one."""

    def stop(error: OSError) -> None:
        raise error

    for folder, names, files in os.walk(root, onerror=stop):
        for name in sorted(names):
            child = Path(folder, name)
            if child.is_symlink() or name.startswith("."):
                yield child, "a link to a folder" if child.is_symlink() else "hidden"
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            yield Path(folder, name), _why_not(Path(folder, name), root)


def _why_not(file: Path, root: Path) -> str | None:
    """Return why a file is left out; None when it is sent. A link is followed within the folder."""
    try:
        file.relative_to(root).as_posix().encode()
        target = file.resolve(strict=True)
        size_bytes = target.stat().st_size
    except UnicodeError:
        return "its name is not UTF-8"
    except OSError as error:
        return error.strerror or "can't be read"
    if file.name.startswith("."):
        return "hidden"
    if not target.is_relative_to(root.resolve()):
        return "a link that leads out of the folder"
    if not target.is_file():
        return "no regular file"
    is_too_large = size_bytes > MAX_FILE_BYTES and file.name.lower() != _TABLE
    return "larger than 20 MiB" if is_too_large else None

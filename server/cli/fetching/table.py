"""``outcomes.parquet``: a row for every address. May import the journal and the image folder.

pyarrow takes 0.2 s and 60 MB, so it is loaded when the table is written and not before.
"""

from __future__ import annotations

import importlib.util
from itertools import islice
from pathlib import Path
from typing import Final

from server.cli.errors import MissingToolError
from server.cli.fetching.images import relative_path
from server.cli.fetching.journal import Journal
from server.contract.files import atomic_writer

FILE_NAME: Final = "outcomes.parquet"
# Some 10 MB in memory, and large enough that columns compress well.
_GROUP_ROWS: Final = 10_000

# Name → (type, whether null), in the order of the file. All but `path` are the journal's.
COLUMNS: Final = {
    "url": ("string", False),
    "status": ("string", False),
    "reason": ("string", True),
    "detail": ("string", False),
    "sha256": ("string", True),
    "path": ("string", True),
    "format": ("string", True),
    "width": ("int32", True),
    "height": ("int32", True),
    "bytes": ("int64", True),
    "seconds": ("float64", True),
    "attempts": ("int32", False),
    "http_status": ("int32", True),
    "final_url": ("string", True),
    "downgraded": ("bool_", True),
    "line": ("int64", False),
}


def require_parquet() -> None:
    """Find out before the work, and not after hours of it.

    Raises:
        MissingToolError: pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingToolError(
            "The package pyarrow", "Install it: `pip install bowerbird[server]`."
        )


def sweep(folder: Path) -> None:
    """Remove what a process that was killed while writing the table left beside it.

    Raises:
        OSError: A file cannot be removed.
    """
    for path in folder.glob(f".{FILE_NAME}.*.tmp"):  # as `atomic_writer` calls them
        path.unlink()


def write_table(journal: Journal, path: Path) -> None:
    """Write every outcome of the journal, in the order of the list; the file appears whole.

    Raises:
        OSError: The disk is full or fails.
    """
    import pyarrow as pa  # type: ignore[import-untyped] # noqa: PLC0415 - see above
    import pyarrow.parquet as pq  # type: ignore[import-untyped] # noqa: PLC0415

    kinds = {name: getattr(pa, kind)() for name, (kind, _) in COLUMNS.items()}
    schema = pa.schema([pa.field(n, kinds[n], nullable=null) for n, (_, null) in COLUMNS.items()])
    stored = [name for name in COLUMNS if name != "path"]
    rows = journal.list_rows(stored)
    with atomic_writer(path) as file, pq.ParquetWriter(file, schema) as writer:
        while group := list(islice(rows, _GROUP_ROWS)):
            columns = dict(zip(stored, zip(*group, strict=True), strict=True))
            columns["path"] = tuple(
                relative_path(str(digest), str(kind)) if digest else None
                for digest, kind in zip(columns["sha256"], columns["format"], strict=True)
            )
            # SQLite has no such type; null in rows of folders that were begun without the column.
            columns["downgraded"] = tuple(
                None if flag is None else bool(flag) for flag in columns["downgraded"]
            )
            arrays = [pa.array(columns[name], kinds[name]) for name in COLUMNS]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

"""Writes a snapshot's rows as CSV and as Parquet, row by row.

May import ``exports``, ``archives``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

from server.archives.cells import guard
from server.exports.provenance import COLUMNS, NUMBERS, Row

_BATCH: Final = 5_000  # rows held at once: some 5 MB


def write_csv(file: BinaryIO, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write rows as CSV (RFC 4180, UTF-8); texts are guarded, see `server.archives.cells`.

    Raises:
        OSError: The disk is full or fails.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(name, row[name]) for name in columns])
    text.flush()
    text.detach()


def _cell(name: str, value: Any) -> object:
    return value if name in NUMBERS or value is None else guard(str(value))


def write_parquet(file: BinaryIO, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write rows as Parquet: text and 64-bit integers, missing values as null.

    Raises:
        OSError: The disk is full or fails.
    """
    # Loading it takes 30 MB, which a server that exports no Parquet need not have.
    import pyarrow  # type: ignore[import-untyped] # noqa: PLC0415 - see above
    import pyarrow.parquet  # type: ignore[import-untyped] # noqa: PLC0415 - see above

    schema = pyarrow.schema(
        [(name, pyarrow.int64() if name in NUMBERS else pyarrow.string()) for name in columns]
    )
    left = iter(rows)
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(left):
            values = [[row[name] for row in batch] for name in columns]
            arrays = [
                pyarrow.array(column, field.type)
                for column, field in zip(values, schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _BATCH)):  # ends with the rows
        yield batch

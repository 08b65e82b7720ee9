"""Tables of strangers: CSV files of addresses, and the ``metadata.csv`` of image folders.

Read line by line: a table of any length takes no more memory than its longest line. What is wrong
with the whole (encoding, quotes, columns) refuses it before a row is taken; what is wrong with a
row is for the caller. Cells are text: a formula is a label that begins oddly, and the apostrophe
that exports put in front of one is taken off again.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from server.archives.cells import unguard
from server.archives.refusals import Flaw, refused

# Two addresses of the longest that browsers carry (8 KiB), quotes and a title.
MAX_LINE_BYTES: Final = 64 * 1024
MAX_ROWS: Final = 1_000_000
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        number: Of its last line, from 1.
        cells: Of the wanted columns, in their order; empty where the line is shorter.
    """

    number: int
    cells: tuple[str, ...]


def read_rows(
    file: BinaryIO, wanted: Sequence[Sequence[str]], *, is_bare_ok: bool = False
) -> Iterator[Row]:
    """Yield the rows below the heading, without empty ones.

    Args:
        file: The table, from its beginning.
        wanted: For each wanted column the names it may have, lower-case; a column without a name
            that is there has empty cells, but the first must be there.
        is_bare_ok: Take a first line that begins with a web address as data, in the wanted order.

    Raises:
        ImportRefusedError: It is not UTF-8, has a line that is too long, quotes that are not
            closed, too many rows, or lacks the first column.
    """
    rows = csv.reader(_lines(file), strict=True)
    try:
        first = next(rows, [])
        places = _find_columns(first, wanted)
        if places[0] is None and is_bare_ok and _is_address(first):
            places = [*range(len(wanted))]
            yield Row(1, _pick(first, places))
        elif places[0] is None:
            needed, *others = (f"`{names[0]}`" for names in wanted)
            raise refused(
                Flaw.MISSING_COLUMNS,
                f"its first line must name the column {needed}; "
                f"{', '.join(others)} may stand beside it",
            )
        for count, cells in enumerate(rows):
            if count >= MAX_ROWS:
                raise refused(Flaw.TOO_MANY_ENTRIES, f"more than {MAX_ROWS:,} rows; cut it up")
            if any(cell.strip() for cell in cells):
                yield Row(rows.line_num, _pick(cells, places))
    except csv.Error as error:
        raise refused(Flaw.BROKEN_TABLE, f"line {rows.line_num}: {error}") from error


def _find_columns(first: list[str], wanted: Sequence[Sequence[str]]) -> list[int | None]:
    names = [name.strip().lower() for name in first]
    return [
        next((names.index(name) for name in choices if name in names), None) for choices in wanted
    ]


def _is_address(cells: list[str]) -> bool:
    return bool(cells) and cells[0].strip().lower().startswith(("http://", "https://"))


def _pick(cells: list[str], places: Sequence[int | None]) -> tuple[str, ...]:
    return tuple(
        unguard(cells[place].strip()) if place is not None and place < len(cells) else ""
        for place in places
    )


def _lines(file: BinaryIO) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise refused(
                Flaw.LINE_TOO_LONG, f"line {number} has more than {MAX_LINE_BYTES:,} bytes"
            )
        if number == 1:
            if line.startswith(_UTF_16):
                raise refused(Flaw.NOT_UTF_8, "it is UTF-16; save it as CSV UTF-8")
            line = line.removeprefix(codecs.BOM_UTF8)  # as spreadsheets write it
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise refused(
                Flaw.NOT_UTF_8, f"line {number} is not UTF-8; save it as CSV UTF-8"
            ) from error

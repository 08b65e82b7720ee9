"""Cells of CSV that no spreadsheet takes for a formula, and back. Imports nothing of the project.

Titles and queries come from strangers, and a cell that begins with ``=`` is run by the program
that opens the file. The rule, which loses nothing: a cell that begins with one of `STARTS` gets an
apostrophe in front; whoever reads it takes an apostrophe before one of `STARTS` away.
Source: OWASP, "CSV Injection" (owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

from typing import Final

MARK: Final = "'"
# What begins a formula in some spreadsheet (the wide ones in those of East Asia), what is skipped
# before one, and the mark itself, so that every cell can be read back.
STARTS: Final = frozenset("=+-@\t\r\n＝＋－＠" + MARK)  # noqa: RUF001 - the wide ones


def guard(text: str) -> str:
    """Return a text as it may stand in a cell."""
    return MARK + text if text[:1] in STARTS else text


def unguard(cell: str) -> str:
    """Return the text that a cell stands for; ``'tis``, which nobody guarded, stays."""
    return cell[1:] if cell.startswith(MARK) and cell[1:2] in STARTS else cell

"""Hints on the tables of a query, as SQLite has them. Imports nothing of the project."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from typing_extensions import override


class HintedCompiler(SQLiteCompiler):
    """SQLite's compiler, which also writes what ``Select.with_hint`` says of a table.

    SQLite keeps no numbers of rows unless it is told to gather them, and then guesses which index
    is best. ``INDEXED BY`` names it, and makes the statement fail without it; ``NOT INDEXED`` has
    the rows read in their own order. Source: sqlite.org/lang_indexedby.html.
    """

    @override
    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text

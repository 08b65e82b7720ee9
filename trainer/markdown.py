"""Markdown for cards: escaped texts, tables, percentages. Imports nothing of the project."""

from __future__ import annotations

from collections.abc import Sequence


def percent(ratio: float | None) -> str:
    """Return a share such as ``12.3 %``; ``n/a`` for None."""
    return "n/a" if ratio is None else f"{100 * ratio:.1f} %"


def escape(name: str) -> str:
    """Return a text from anywhere so that it stays in its table cell and is not read as markup."""
    flat = " ".join(name.split())
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#+!|" else char for char in flat)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; its cells must be escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

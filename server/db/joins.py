"""A join whose order SQLite keeps. Imports nothing of the project."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import Join


class OrderedJoin(Join):
    """A join that goes through the left side and looks up the right one.

    SQLite keeps no numbers of rows unless it is told to gather them, and then guesses; it takes a
    ``CROSS JOIN`` as the order. Source: sqlite.org/optoverview.html, "Manual Control Of Query Plans
    Using CROSS JOIN".
    """

    inherit_cache = True


@compiles(OrderedJoin, "sqlite")
def _compile(element: OrderedJoin, compiler: Any, **options: Any) -> str:
    # Of two tables, so that the first JOIN is this one.
    joined: str = compiler.visit_join(element, **options)
    return joined.replace(" JOIN ", " CROSS JOIN ", 1)

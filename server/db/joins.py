"""A join whose order SQLite keeps. Imports nothing of the project."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import Join


class OrderedJoin(Join):
    """A join that goes through the left side and looks up the right one.

    SQLite keeps no numbers of rows unless it is told to gather them, and then guesses; it takes a
    ``CROSS JOIN`` as the order. Source: sqlite.org/optoverview.html, "Manual Control Of Query Plans
    Using CROSS JOIN".
    """

    inherit_cache = True


# Of tables, other such joins and subqueries without joins: the first plain JOIN is this one.
_PLAIN: Final = re.compile(r"(?<!CROSS) JOIN ")


@compiles(OrderedJoin, "sqlite")
def _compile(element: OrderedJoin, compiler: Any, **options: Any) -> str:
    joined: str = compiler.visit_join(element, **options)
    return _PLAIN.sub(" CROSS JOIN ", joined, count=1)

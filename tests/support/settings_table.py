"""The table of docs/settings.md. ``python -m tests.support.settings_table`` writes it anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from server.config import DELIMITER, PREFIX, Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
START, END = "<!-- settings -->", "<!-- end -->"


def table() -> str:
    """Return the settings as a Markdown table: name, default, meaning."""
    lines = ["| name | default | meaning |", "| --- | --- | --- |"]
    for name, field in _fields():
        meaning = (field.description or "").replace("|", "\\|")
        lines.append(f"| `{name}` | {_default(field)} | {meaning} |")
    return "\n".join(lines)


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    for name, field in Settings.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            for inner, inner_field in group.model_fields.items():
                yield f"{PREFIX}{name}{DELIMITER}{inner}".upper(), inner_field
        else:
            yield f"{PREFIX}{name}".upper(), field


def _default(field: FieldInfo) -> str:
    value = field.default
    if value in (None, "", ()):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    is_long = isinstance(value, int) and value >= 100_000
    return f"`{value:_}`" if is_long else f"`{value}`"


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{START}\n\n{table()}\n\n{END}{after}", "utf-8")
    sys.stdout.write(f"{DOCUMENT} written\n")

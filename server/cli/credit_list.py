"""Credits as Markdown, CSV or JSON. May import ``console`` and ``server.archives.cells``.

Titles and licences come from strangers: CSV cells are guarded against formulas, and Markdown
against markup.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from server.archives.cells import guard
from server.cli.console import emit, emit_json
from server.client.site_views import Credit
from server.exports.markdown import escape

COLUMNS: Final = (
    "image_id",
    "sha256",
    "label",
    "title",
    "url",
    "source_url",
    "page_url",
    "site",
    "license",
)
_SHOWN: Final = ("title", "license", "site", "page", "label")


class CreditsFormat(StrEnum):
    """As what credits are written."""

    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"


def write(found: Iterable[Credit], form: CreditsFormat) -> None:
    """Write credits to stdout, each as it comes but for JSON, which is one document."""
    if form is CreditsFormat.JSON:
        emit_json([credit.model_dump(mode="json") for credit in found])
    elif form is CreditsFormat.CSV:
        emit(_line(COLUMNS))
        for credit in found:
            emit(_line([guard(getattr(credit, name) or "") for name in COLUMNS]))
    else:
        emit("| " + " | ".join(_SHOWN) + " |")
        emit("| " + " | ".join("-" * len(name) for name in _SHOWN) + " |")
        for credit in found:
            page = credit.source_url or credit.page_url or credit.url
            cells = (credit.title, credit.license, credit.site, page, credit.label)
            emit("| " + " | ".join(escape(cell or "") for cell in cells) + " |")


def _line(cells: Sequence[str]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow(cells)
    return file.getvalue()

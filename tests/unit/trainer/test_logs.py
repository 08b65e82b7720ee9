"""Log lines are JSON, whatever they hold."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from types import TracebackType

from trainer.logs import JsonFormatter

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def _line(exc_info: _ExcInfo | None = None, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("trainer", logging.INFO, "f", 1, "job.started", (), exc_info)
    vars(record).update(extra)
    text = JsonFormatter().format(record)
    assert "\n" not in text
    result: dict[str, object] = json.loads(text)
    return result


def test_a_line_holds_event_level_time_and_values() -> None:
    line = _line(job="01JD", count=3)
    assert line.pop("at")
    assert line == {"level": "info", "event": "job.started", "job": "01JD", "count": 3}


def test_what_json_cannot_hold_is_shown_as_text() -> None:
    assert _line(path=Path("a/b"))["path"] == "a/b"


def test_an_exception_is_told_on_the_same_line() -> None:
    try:
        raise RuntimeError("two\nlines")
    except RuntimeError as error:
        line = _line((type(error), error, sys.exc_info()[2]))
    assert "RuntimeError" in str(line["error"])

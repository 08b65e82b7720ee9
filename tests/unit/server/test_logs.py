"""Log lines: JSON with the request they belong to, or short ones for a terminal."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from server import logs


@pytest.fixture
def record() -> logging.LogRecord:
    record = logging.LogRecord("server.x", logging.INFO, __file__, 1, "done", None, None)
    record.seconds = 0.5
    return record


def test_a_line_is_one_json_object(record):
    line = json.loads(logs.JsonFormatter().format(record))
    assert line.pop("at").endswith("+00:00")
    assert line == {"level": "info", "event": "done", "logger": "server.x", "seconds": 0.5}


def test_a_line_names_its_request(record):
    token = logs.request_id.set("01JD")
    try:
        assert json.loads(logs.JsonFormatter().format(record))["request_id"] == "01JD"
    finally:
        logs.request_id.reset(token)


@pytest.mark.parametrize("formatter", [logs.JsonFormatter(), logs.TerminalFormatter()])
def test_an_error_comes_with_its_story(record, formatter):
    try:
        raise KeyError("why")
    except KeyError:
        record.exc_info = sys.exc_info()
    text = formatter.format(record)
    assert "KeyError: 'why'" in text
    assert isinstance(formatter, logs.TerminalFormatter) or "\n" not in text


def test_a_terminal_gets_short_lines(record):
    line = logs.TerminalFormatter().format(record)
    assert line.endswith("info    done seconds=0.5")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "is_json"), [(io.StringIO(), True), (Terminal(), False)])
def test_the_form_follows_the_stream(monkeypatch, stream, is_json):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    try:
        logs.configure("info")
        logging.getLogger("server.x").info("hello")
        logging.getLogger("server.x").debug("not this")
        logging.getLogger("aiosqlite").info("nor this")
    finally:
        root.handlers[:], root.level = before
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("{") == is_json
    assert "hello" in line

"""What reaches stdout and stderr: on a terminal, in a pipe, with odd text."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from server.cli import console

ROOT = Path(__file__).parents[4]


def test_odd_text_is_escaped_and_ordinary_text_kept():
    assert console.printable("Bär \u65e5\u672c 🐻") == "Bär \u65e5\u672c 🐻"
    assert console.printable("a\x1b[2J\r\udcff\u202e") == "a\\x1b[2J\\r\\udcff\\u202e"


def test_json_is_ascii_whatever_the_names(capsys):
    console.emit_json({"source": "b\xe4r\udcff"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"source": "b\xe4r\udcff"}


def _on_a_terminal(script: str) -> str:
    """Run a script whose stdout and stderr are a terminal; return what it showed."""
    leader, follower = pty.openpty()
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "60"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    shown = b""
    try:
        while chunk := os.read(leader, 4096):
            shown += chunk
    except OSError:
        pass  # Linux: the other side is closed
    finally:
        os.close(leader)
    assert process.wait(timeout=30) == 0, shown
    return shown.decode()


def test_a_table_on_a_terminal_is_aligned_and_never_cut():
    ids = "01M81CXWCETQD2MGY0TY38CGGX" * 3
    shown = _on_a_terminal(
        "from server.cli.console import emit_table\n"
        f"emit_table(('name', 'id'), [('日本', {ids!r}), ('b', 'c')])\n"
        "emit_table(('nothing',), [])\n"
    )
    assert shown.splitlines() == ["name  id", f"日本  {ids}", "b     c"]


def test_progress_on_a_terminal_is_a_bar_that_goes_away():
    shown = _on_a_terminal(
        "from server.cli.console import emit, reporting\n"
        "with reporting() as reporter:\n"
        "    reporter.show('sending [bold] \\x1b[2Jimages', 3, 7)\n"
        "emit('done')\n"
    )
    assert "sending [bold] \\x1b[2Jimages" in shown
    assert "3/7" in shown
    assert shown.rstrip().endswith("done")


def test_progress_in_a_file_is_a_line_a_phase(capsys, monkeypatch):
    with console.reporting() as reporter:
        reporter.show("sending", 1, 3, "fast")
        reporter.show("sending", 2, 3, "faster")
        monkeypatch.setattr(console, "LINE_EVERY_S", 0.0)
        reporter.show("sending", 3, 3)
        reporter.show("done")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "sending 1/3 (fast)\nsending 3/3\ndone\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_can_not_show_a_name_gets_no_traceback(encoding, tmp_path):
    (tmp_path / "in" / "\u65e5\u672c").mkdir(parents=True)
    (tmp_path / "in" / "\u65e5\u672c" / "1.jpg").write_bytes(b"1")
    done = subprocess.run(
        [sys.executable, "-m", "server", "dataset", "import", "in", "--dataset", "x", "--dry-run"],
        check=False, capture_output=True, timeout=60, cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(b"\t1\n")

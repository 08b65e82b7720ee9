"""``bowerbird serve`` and ``token create``: the real server, as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}  # noqa: TID251 - PATH and the like


def _command(data: Path, port: str = "0") -> list[str]:
    options = ["--data", str(data), "--port", port, "--no-trainer", "--no-open"]
    return [sys.executable, "-m", "server", "serve", *options]


@contextmanager
def _serving(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        _command(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=ENVIRONMENT,
        cwd=data.parent,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"ready at (\S+)", process.stdout.readline())
        assert found, "the server did not get ready"
        yield process, found[1]
    finally:
        process.kill()
        process.communicate(timeout=10)


def _try_to_serve(data: Path, port: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(data, port),
        check=False,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=data.parent,
        timeout=60,
    )


@pytest.mark.slow
def test_serve_is_ready_lets_its_own_token_in_and_stops(run, tmp_path, monkeypatch):
    data = tmp_path / "data"
    with _serving(data) as (process, address):
        monkeypatch.setenv("BOWERBIRD_SERVER", address)
        monkeypatch.setenv("BOWERBIRD_DATA", str(data))
        created = run("dataset", "create", "bears")
        assert created.code == 0
        assert run("dataset", "list").out.split("\t")[0] == "bears"
        assert "ok    token: owner" in run("doctor").out

        made = run("token", "create", "--name", "tests")
        assert made.err == ""
        token = made.out.strip()
        monkeypatch.setenv("BOWERBIRD_TOKEN", token)
        assert run("dataset", "list", "--json").code == 0

        again = _try_to_serve(data, "0")
        assert again.returncode == 1
        assert "another server uses" in again.stderr

        taken = _try_to_serve(tmp_path / "other", address.rsplit(":", 1)[1])
        assert taken.returncode == 1
        assert "is taken" in taken.stderr

        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


def test_a_token_of_a_folder_that_no_server_used_is_made_and_said_so(run, tmp_path):
    data = tmp_path / "data"
    result = run("token", "create", "--name", "x", "--data", str(data))
    assert (result.code, result.out.count("\n")) == (0, 1)
    assert f"No server has used {data} yet" in result.err


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_token_needs_a_name(run, name):
    assert run("token", "create", "--name", name).code == 2


def test_a_data_folder_that_can_not_be_made(run, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("token", "create", "--name", "x", "--data", str(tmp_path / "file" / "data"))
    assert result.code == 1
    assert "can't be written" in result.err

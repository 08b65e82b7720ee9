"""The process: options, environment, light start, and every way to end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from trainer.config import WorkerSettings

_ROOT = Path(__file__).parents[3]
_NOBODY = "http://127.0.0.1:9"  # the discard port: refused at once


@contextmanager
def _trainer(*arguments: str, code: str = "") -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, *(["-c", code] if code else ["-m", "trainer", *arguments])]
    process = subprocess.Popen(
        command,
        cwd=_ROOT,
        env={"BOWERBIRD_TOKEN": "t"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _events(process: subprocess.Popen[str], count: int) -> list[dict[str, object]]:
    assert process.stderr is not None
    return [json.loads(process.stderr.readline()) for _ in range(count)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_trainer_without_a_server_says_so_once_and_ends_on_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    with _trainer("--server", _NOBODY, "--work", str(tmp_path)) as process:
        started, away = _events(process, 2)
        assert started["event"] == "worker.started"
        assert away["event"] == "server.unreachable"
        process.send_signal(number)
        _, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    assert rest == ""


def test_a_trainer_leaves_ctrl_c_to_the_server_beside_it(tmp_path: Path) -> None:
    options = ("--server", _NOBODY, "--work", str(tmp_path), "--parent-pid", str(os.getpid()))
    with _trainer(*options) as process:
        _events(process, 2)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")


def test_a_trainer_ends_with_its_parent(tmp_path: Path) -> None:
    # The parent starts the trainer, and waits to be killed.
    code = (
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-m', 'trainer', '--server', {_NOBODY!r},"
        f" '--work', {str(tmp_path)!r}, '--parent-pid', str(os.getpid())])\n"
        "time.sleep(60)\n"
    )
    with _trainer(code=code) as parent:
        assert _events(parent, 2)[0]["event"] == "worker.started"
        parent.kill()
        # The trainer holds the other end of the pipe: it closes when the trainer has ended.
        assert parent.stderr is not None
        rest = parent.stderr.read()
    assert '"parent.gone"' in rest


def test_waiting_for_a_job_loads_nothing_heavy() -> None:
    code = (
        "import sys, trainer.__main__\n"
        "print(sorted({'torch', 'timm', 'onnx', 'onnxruntime', 'PIL'} & set(sys.modules)))"
    )
    with _trainer(code=code) as process:
        out, _ = process.communicate(timeout=60)
    assert out.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--name", "a b"),
        ("--server", "ftp://x"),
        ("--token-file", "/no/such/file"),
        ("--nonsense",),
    ],
    ids=" ".join,
)
def test_wrong_options_end_with_2_and_a_sentence(arguments: tuple[str, ...]) -> None:
    with _trainer(*arguments) as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in error
    assert error.strip()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOWERBIRD_TRAINER__BATCH_SIZE", "3")
    monkeypatch.setenv("BOWERBIRD_TRAINER__ENABLED", "true")  # the server's own
    monkeypatch.setenv("BOWERBIRD_TOKEN", "secret")
    settings = WorkerSettings(work=Path("w"))
    assert (settings.batch_size, settings.work) == (3, Path("w"))
    assert settings.token.get_secret_value() == "secret"
    assert "secret" not in repr(settings)


def test_options_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOWERBIRD_TRAINER__NAME", "environment")
    monkeypatch.setenv("BOWERBIRD_TOKEN", "environment")
    settings = WorkerSettings(name="option", token="option")
    assert (settings.name, settings.token.get_secret_value()) == ("option", "option")


def test_the_default_name_is_plain() -> None:
    assert WorkerSettings().name.startswith("trainer-")


def test_settings_out_of_bounds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOWERBIRD_TRAINER__DOWNLOAD_THREADS", "0")
    with pytest.raises(ValidationError):
        WorkerSettings()

"""The trainer beside the server: a real child process, started again, stopped for good."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.workers import trainer
from server.workers.trainer import TrainerCommand, TrainerProcess, TrainerState
from tests.support.app import eventually


@dataclass(frozen=True)
class Played(TrainerCommand):
    """Starts a small program in the trainer's place."""

    program: str = ""

    @property
    def arguments(self) -> list[str]:
        return [sys.executable, "-S", "-c", self.program]


def played(folder: Path, program: str, tell=lambda _state: None) -> TrainerProcess:
    command = Played("http://127.0.0.1:1", "bb_secret", folder, program)
    return TrainerProcess(command, {"PATH": "/usr/bin"}, tell)


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


def test_the_command_names_all_but_the_token(tmp_path):
    command = TrainerCommand("http://127.0.0.1:8000", "bb_secret", tmp_path)
    arguments = command.arguments
    assert arguments[:4] == [sys.executable, "-P", "-m", "trainer"]
    assert "bb_secret" not in " ".join(arguments), "other users see command lines"
    root = str(trainer.ROOT)
    assert command.environment({"A": "b"}) == {
        "A": "b",
        "PYTHONPATH": root,
        "BOWERBIRD_TOKEN": "bb_secret",
    }
    assert command.environment({"PYTHONPATH": "/x"})["PYTHONPATH"] == os.pathsep.join((root, "/x"))


def test_a_namesake_in_the_working_folder_is_not_run(tmp_path):
    (tmp_path / "trainer.py").write_text("print('a stranger')")
    command = TrainerCommand("http://127.0.0.1:8000", "bb_secret", tmp_path)
    done = subprocess.run(
        [*command.arguments[:4], "--help"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=command.environment({"PATH": "/usr/bin"}),
        timeout=60,
    )
    assert "Claim training jobs" in done.stdout


async def test_it_is_started_again_when_it_ends(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(trainer, "FIRST_PAUSE_S", 0.01)
    log = tmp_path / "log"
    program = (
        f"import os; file = open({str(log)!r}, 'a'); "
        r"file.write(os.environ['BOWERBIRD_TOKEN'] + '\n'); file.close(); raise SystemExit(3)"
    )
    told = []
    task = asyncio.create_task(played(tmp_path, program, told.append).run())
    await eventually(lambda: log.exists() and log.read_text().count("bb_secret\n") >= 3)
    await stop(task)
    ended = [r for r in caplog.records if r.message == "trainer.ended"]
    assert [r.code for r in ended[:2]] == [3, 3]
    assert told[:4] == [TrainerState.RUNNING, TrainerState.STOPPED] * 2
    assert [r.again_in_s for r in ended[:2]] == [0.01, 0.02], "each pause is longer"


@pytest.mark.parametrize("ignores", [False, True], ids=["obeys", "ignores SIGTERM"])
async def test_it_ends_with_the_server(tmp_path, monkeypatch, ignores):
    monkeypatch.setattr(trainer, "STOP_S", 0.3)
    ready = tmp_path / "pid"
    program = (
        "import os, signal, time\n"
        + ("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if ignores else "")
        + f"open({str(ready)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    )
    task = asyncio.create_task(played(tmp_path, program).run())
    await eventually(lambda: ready.exists() and bool(ready.read_text()))
    await stop(task)
    with pytest.raises(ProcessLookupError):
        os.kill(int(ready.read_text()), 0)


async def test_a_trainer_that_cannot_be_started_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "FIRST_PAUSE_S", 0.01)
    tries = asyncio.Queue()

    async def refuse(*_arguments, **_options):
        tries.put_nowait(None)
        raise BlockingIOError("no process to be had")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
    task = asyncio.create_task(played(tmp_path, "", lambda _: None).run())
    async with asyncio.timeout(10):
        await tries.get()
        await tries.get()
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

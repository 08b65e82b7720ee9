"""A played server, a scrubbed environment, and the command as a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from server.cli import watch
from server.cli.app import main
from server.client import transport
from tests.support.cli_server import TOKEN, PlayedApi, played_api


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _scrubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):  # noqa: TID251 - to take out what could leak into a test
        if name.startswith("BOWERBIRD_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watch, "POLL_S", 0.01)
    monkeypatch.setattr(transport, "RETRY_PAUSES_S", (0.01, 0.01))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedApi]:
    with played_api() as played:
        monkeypatch.setenv("BOWERBIRD_SERVER", played.address)
        monkeypatch.setenv("BOWERBIRD_TOKEN", TOKEN)
        yield played


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            main(arguments)
        captured = capsys.readouterr()
        return Result(ending.value.code, captured.out, captured.err)

    return call

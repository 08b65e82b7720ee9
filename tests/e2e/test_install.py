"""What `pip install bowerbird[server]` brings is enough to serve, and brings no torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from server.config import inherited_environment
from tests.support.processes import ROOT, ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
# Other packages of tests would hide that one is not declared; these are of the trainer.
FOREIGN = ("torch", "torchvision", "timm", "playwright", "pytest")


def test_the_servers_own_packages_are_enough_to_serve(tmp_path):
    python = _install(tmp_path / "venv", "server")
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    )
    names = {line.partition("==")[0].lower() for line in listed.stdout.splitlines()}
    assert not names.intersection(FOREIGN)

    with ServerProcess(tmp_path / "data", python=python) as server, server.client() as client:
        answer = client.get("/api/v1/server").json()
        assert client.get("/").status_code == 200
    # The trainer is wanted, its packages are not there: the server says so and serves.
    assert answer["trainer"] == {"enabled": True, "state": "missing"}


def _install(folder: Path, extra: str) -> Path:
    environment = {k: v for k, v in inherited_environment().items() if k != "PYTHONPATH"}
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, env=environment)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--editable", f"{ROOT}[{extra}]"]
    subprocess.run(command, check=True, env=environment)
    return python

"""The examples of ``docs/cli.md`` on snapshots, run by a shell against a server."""

from __future__ import annotations

import csv
import io
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.contract.files import sha256_of
from tests.support.processes import ROOT, ServerProcess
from tests.support.snapshots import coloured

pytestmark = pytest.mark.slow

VERBS = ("create", "list", "diff", "export")


def example(verb: str) -> str:
    text = (ROOT / "docs/cli.md").read_text("utf-8")
    section = text.split(f"## `bowerbird snapshot {verb}`")[1].split("\n## ")[0]
    found: str = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0]
    return found


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """Return a folder and an environment in which ``bowerbird`` talks to a server with bears."""
    folder = tmp_path_factory.mktemp("shell")
    command = folder / "bowerbird"
    python = shlex.quote(sys.executable)
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {python} -m server "$@"\n')
    command.chmod(0o755)
    for label, pictures in coloured(12).items():
        (folder / "photos" / label).mkdir(parents=True)
        for number, data in enumerate(pictures):
            (folder / "photos" / label / f"{number}.jpg").write_bytes(data)
    with ServerProcess(folder / "data", has_trainer=False) as server:
        environment = {
            "PATH": f"{folder}:/usr/bin:/bin",
            "BOWERBIRD_SERVER": server.url,
            "BOWERBIRD_TOKEN": (folder / "data" / "token").read_text().strip(),
        }
        run("bowerbird dataset import photos --dataset bears", folder, environment)
        yield folder, environment


def run(script: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_the_documented_examples_run(verb: str, shell: tuple[Path, dict[str, str]]):
    said = run(example(verb), *shell)
    assert said.strip()


def test_an_exported_folder_is_what_was_imported(shell: tuple[Path, dict[str, str]]):
    folder, environment = shell
    run(example("export"), folder, environment)
    wanted = {
        sha256_of(path.read_bytes()): path.parent.name for path in (folder / "photos").glob("*/*")
    }
    with zipfile.ZipFile(folder / "bears.zip") as archive:
        names = [name for name in archive.namelist() if name.count("/") == 2]
        found = {sha256_of(archive.read(name)): name.split("/")[1] for name in names}
    assert found == wanted
    rows = csv.DictReader(io.StringIO((folder / "bears.csv").read_text()))
    assert {row["sha256"]: row["label"] for row in rows} == wanted
    assert list(folder.glob("*.md"))
    assert not list(folder.glob(".*.part*"))

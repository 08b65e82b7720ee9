"""The tree of verbs: help, usage errors, start-up time's cause, documentation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from server.cli.app import app

ROOT = Path(__file__).parents[4]
HEAVY = ("server.main", "sqlalchemy", "alembic", "numpy", "PIL", "uvicorn", "fastapi",
         "onnxruntime", "pydantic_settings", "aiohttp", "torch")  # fmt: skip


def _verbs(command, path=()) -> list[tuple[tuple[str, ...], object]]:
    found = [(path, command)]
    for name, child in getattr(command, "commands", {}).items():
        found += _verbs(child, (*path, name))
    return found


VERBS = _verbs(typer.main.get_command(app))
LEAVES = [(path, command) for path, command in VERBS if not hasattr(command, "commands")]


@pytest.mark.parametrize("path", [path for path, _ in LEAVES], ids=" ".join)
def test_every_verb_explains_itself_with_examples(run, path):
    result = run(*path, "--help")
    assert result.code == 0
    assert "Examples:" in result.out
    assert f"bowerbird {' '.join(path)}" in result.out.split("Examples:")[1]


def test_no_arguments_shows_the_help(run):
    result = run()
    assert "dataset" in result.out + result.err


def test_version(run):
    result = run("--version")
    assert result.code == 0
    assert result.out.startswith("bowerbird ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["train"],
        ["train", "--dataset", "x", "--valid-ratio", "2"],
        ["train", "--dataset", "x", "--recipe", "magic"],
        ["dataset", "import", "/no/such/path", "--dataset", "x"],
        ["model", "stage", "01JD", "sideways"],
        ["model", "export", "../../etc", "--out", "x.zip"],
        ["classify"],
        ["serve", "--port", "99999"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_so_on_stderr(run, arguments):
    result = run(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Error" in result.err


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["dataset", "list"]])
def test_client_verbs_load_nothing_heavy(arguments, tmp_path):
    # `dataset list` without a server fails after its settings were read: they may be loaded.
    allowed = {"pydantic_settings"} if arguments == ["dataset", "list"] else set()
    script = (
        "import sys\n"
        "from server.cli.app import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print('LOADED', [n for n in {HEAVY!r} if n in sys.modules])\n"
    )
    environment = {"PYTHONPATH": str(ROOT), "BOWERBIRD_SERVER": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path, env=environment,
    )  # fmt: skip
    loaded = eval(done.stdout.rsplit("LOADED", 1)[1])
    assert set(loaded) <= allowed


def test_python_m_server_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "server", "--help"],
        check=False, capture_output=True, text=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: bowerbird ")


def test_docs_name_every_verb_and_option():
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    missing = [" ".join(path) for path, _ in LEAVES if f"bowerbird {' '.join(path)}" not in text]
    assert missing == []
    for path, command in LEAVES:
        section = text.split(f"## `bowerbird {' '.join(path)}", 1)[1].split("\n## ")[0]
        for parameter in command.params:
            for option in getattr(parameter, "opts", []):
                if option.startswith("--") and option != "--help":
                    assert option in section, f"{' '.join(path)}: {option} is not documented"

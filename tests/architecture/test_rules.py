"""The house rules that a tool does not check, read off the sources."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
SOURCES = sorted(p for top in ("server", "trainer") for p in (ROOT / top).rglob("*.py"))
SERVER = [path for path in SOURCES if path.is_relative_to(ROOT / "server")]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
OTHERS = sorted(
    path
    for top, kinds in (("extension", ("js", "css", "html")), ("server/web", ("js", "css", "html")))
    for kind in kinds
    for path in (ROOT / top).rglob(f"*.{kind}")
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_and_functions_stay_small(path: Path):
    text = path.read_text("utf-8")
    assert text.count("\n") <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MAX_FUNCTION_LINES, node.name


def calls(path: Path, name: str) -> int:
    """Return how often a file calls a function or a class of this name."""
    return sum(
        isinstance(node, ast.Call)
        and name
        in {
            getattr(node.func, "id", None),
            getattr(node.func, "attr", None),
        }
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("commit", "server/db/session.py"),
        ("begin", None),
        ("Settings", "server/config.py"),
        ("create_async_engine", "server/db/session.py"),
        ("ClientSession", "server/net/connect.py"),
        ("FastAPI", "server/api/app.py"),
        ("InferenceSession", "server/inference/engine.py"),
        ("ensure_future", None),
        ("print", None),
        ("create_all", None),
    ],
)
def test_what_happens_at_one_place_happens_there_alone(name: str, home: str | None):
    found = {name_of(path): calls(path, name) for path in SERVER if calls(path, name)}
    assert found == ({} if home is None else {home: 1})


@pytest.mark.parametrize("path", [*SOURCES, *TESTS, *OTHERS], ids=name_of)
def test_nothing_is_left_to_do_without_an_issue(path: Path):
    for line in path.read_text("utf-8").splitlines():
        if re.search(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b", line):
            assert re.search(r"issue \d+|#\d+", line), line


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_says_what_it_is(path: Path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name_of)
def test_no_module_is_a_drawer(path: Path):
    assert not re.search(r"(^|_)(utils?|helpers?|common|misc|managers?)$", path.stem)


def test_broad_excepts_are_boundaries():
    for path in SOURCES:
        for line in path.read_text("utf-8").splitlines():
            if re.match(r"\s*except (Base)?Exception\b", line):
                assert "boundary" in line or line.strip() == "except BaseException:", (path, line)


def run(*arguments: str) -> str:
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_layers_are_kept():
    run(str(Path(sys.executable).parent / "lint-imports"), "--no-cache")


def test_the_server_loads_neither_torch_nor_a_model_to_start():
    heavy = ("torch", "torchvision", "timm", "onnx", "onnxruntime", "trainer")
    program = f"import sys, server.main; print([m for m in {heavy!r} if m in sys.modules])"
    assert run(sys.executable, "-c", program).strip() == "[]"


def test_the_contract_loads_little():
    heavy = ("fastapi", "starlette", "sqlalchemy", "aiohttp", "onnxruntime", "torch")
    program = (
        "import sys, server.contract.bundle, server.contract.jobs, server.contract.preprocess;"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    assert run(sys.executable, "-c", program).strip() == "[]"

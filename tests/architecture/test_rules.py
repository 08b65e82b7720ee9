"""The house rules that a tool does not check, read off the sources."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
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


def test_modules_say_what_they_are_and_stay_small():
    for path in SOURCES:
        text = path.read_text("utf-8")
        assert text.count("\n") <= MAX_FILE_LINES, name_of(path)
        module = ast.parse(text)
        assert ast.get_docstring(module), name_of(path)
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                assert node.end_lineno - node.lineno < MAX_FUNCTION_LINES, (path, node.name)


HOMES = {
    "commit": "server/db/session.py",
    "begin": None,
    "Settings": "server/config.py",
    "create_async_engine": "server/db/session.py",
    "ClientSession": "server/net/connect.py",
    "FastAPI": "server/api/app.py",
    "InferenceSession": "server/inference/engine.py",
    "ensure_future": None,
    "print": None,
    "create_all": None,
}


def called(path: Path) -> Counter[str]:
    """Return how often a file calls functions and classes, by the last part of their names."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    functions = [node.func for node in nodes if isinstance(node, ast.Call)]
    names = [getattr(each, "id", getattr(each, "attr", None)) for each in functions]
    return Counter(name for name in names if name is not None)


def test_what_happens_at_one_place_happens_there_alone():
    found: dict[str, dict[str, int]] = {name: {} for name in HOMES}
    for path in SERVER:
        for name, count in called(path).items():
            if name in HOMES:
                found[name][name_of(path)] = count
    assert found == {name: {home: 1} if home else {} for name, home in HOMES.items()}


def test_nothing_is_left_to_do_without_an_issue():
    left = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    for path in [*SOURCES, *TESTS, *OTHERS]:
        text = path.read_text("utf-8")
        if not left.search(text):
            continue
        for line in text.splitlines():
            if left.search(line):
                assert re.search(r"issue \d+|#\d+", line), (name_of(path), line)


def test_no_module_is_a_drawer():
    drawer = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?)$")
    assert [name_of(path) for path in [*SOURCES, *TESTS] if drawer.search(path.stem)] == []


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


@pytest.mark.slow
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

"""The examples of ``docs/client.md``, run from top to bottom against a real server."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.client import errors
from tests.support.archives import plain_zip
from tests.support.images import jpeg
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs" / "client.md"


def blocks() -> list[tuple[int, str, str | None]]:
    """Return each example with its line, its code and the output that is promised."""
    text = PAGE.read_text("utf-8")
    pattern = r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?"
    return [
        (text[: match.start()].count("\n") + 2, match[1], match[2])
        for match in re.finditer(pattern, text, re.DOTALL)
    ]


def test_every_example_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    pytest.importorskip("torch")
    photos = tmp_path / "photos" / "grizzly"
    photos.mkdir(parents=True)
    for n in range(24):
        (photos / f"{n:02}.jpg").write_bytes(jpeg(96, 72, n))
    (tmp_path / "extra.jpg").write_bytes(jpeg(96, 72, 999))
    teddies = {f"teddy/{n}.jpg": jpeg(96, 72, 100 + n) for n in range(24)}
    (tmp_path / "teddies.zip").write_bytes(plain_zip({**teddies, "teddy/notes.jpg": b"no image"}))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    with ServerProcess(tmp_path / "data") as server:
        monkeypatch.setenv("BOWERBIRD_SERVER", server.url)
        monkeypatch.setenv("BOWERBIRD_TOKEN", server.token)
        examples = blocks()
        assert len(examples) >= 7
        for line, code, output in examples:
            exec(compile("\n" * (line - 1) + code, str(PAGE), "exec"), names)
            said = capsys.readouterr().out
            assert said == (output or ""), f"{PAGE.name}, line {line}"
        names["bird"].close()  # type: ignore[attr-defined]


def test_every_error_is_in_the_table():
    named = set(re.findall(r"^\| `(\w+)`", PAGE.read_text("utf-8"), re.MULTILINE))
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ClientError)
    }
    assert named == classes - {"ClientError", "ProblemError"}

"""What the README and the pages for people name exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
from PIL import Image
from typer.core import TyperGroup

from server.cli.app import app

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r'\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"\s]+)"')
MAKE = re.compile(r"^make ([a-z][a-z-]*)|`make ([a-z][a-z-]*)`", re.MULTILINE)
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(?:\S*/)?(bowerbird [^`]+)`")
COMMAND = re.compile(r"\bbowerbird (?=[a-z-])[^#|)\n]*")
MAX_PICTURE_BYTES = 400_000
PICTURES = ("loop-light.webp", "loop-dark.webp")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _commands() -> list[str]:
    text = README.read_text("utf-8")
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    found = [match.group() for line in lines for match in COMMAND.finditer(line)]
    return [command.strip() for command in found + INLINE.findall(text)]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    links = [markdown or html for markdown, html in LINK.findall(page.read_text("utf-8"))]
    paths = [unquote(link.partition("#")[0]) for link in links if "://" not in link]

    assert [path for path in paths if path and not (page.parent / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_named_targets_are_in_the_makefile(page: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text("utf-8")))
    named = {line or inline for line, inline in MAKE.findall(page.read_text("utf-8"))}

    assert named <= targets


def test_the_readme_names_run_and_test_before_its_first_heading() -> None:
    first_screen = README.read_text("utf-8").partition("\n## ")[0]

    assert {"run", "test"} <= {line for line, _ in MAKE.findall(first_screen)}
    assert all(f"docs/images/{name}" in first_screen for name in PICTURES)


@pytest.mark.parametrize("command", _commands())
def test_commands_parse(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()  # the folder that an example imports
    (tmp_path / "addresses.txt").touch()  # the list that one fetches
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    verb = typer.main.get_command(app)
    context = typer.Context(verb)

    while isinstance(verb, TyperGroup):
        assert words, f"{command!r} names no verb"
        name, *words = words
        found = verb.get_command(context, name)
        assert found is not None, f"{command!r}: there is no verb {name!r}"
        verb = found

    verb.make_context(command, words, parent=context)


def test_the_readme_shows_commands() -> None:
    assert len(_commands()) >= 5


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_small_and_whole(name: str) -> None:
    path = ROOT / "docs" / "images" / name

    with Image.open(path) as picture:  # noqa: TID251 - our own file
        picture.load()
        assert picture.width == 1800
    assert path.stat().st_size <= MAX_PICTURE_BYTES

"""What is written for people, held against what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from server.cli.app import app
from server.config import setting_names
from tests.support.settings_table import table

ROOT = Path(__file__).parents[2]
DOCS = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_table_of_settings_is_the_settings():
    text = read("docs/settings.md")
    assert table() in text, "write it anew: python -m tests.support.settings_table"
    named = set(re.findall(r"`(BOWERBIRD_[A-Z0-9_]+)`", table()))
    assert named == {name for name, _ in setting_names()}


def test_every_setting_has_a_reason_or_a_meaning():
    for name, description in setting_names():
        assert len(description) > 10, name
        assert description.endswith("."), name


@pytest.mark.parametrize("path", DOCS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_targets_lead_somewhere(path: Path):
    text = path.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", link):
            assert (path.parent / link).exists(), link
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    known = {name for name, _ in setting_names()}
    for name in re.findall(r"\bBOWERBIRD_(?:HTTP|FETCH|TRAINING|INFERENCE)__[A-Z0-9_]+", text):
        assert name in known, name


def test_every_verb_is_in_the_reference():
    text = read("docs/cli.md")

    def verbs(command, words: list[str]):
        subcommands = getattr(command, "commands", None)
        if not subcommands:
            yield " ".join(words)
            return
        for name, sub in subcommands.items():
            if not sub.hidden:
                yield from verbs(sub, [*words, name])

    found = list(verbs(get_command(app), []))
    assert len(found) >= 10
    for verb in found:
        assert re.search(rf"^#+ `bowerbird {re.escape(verb)}\b", text, re.MULTILINE), verb


def test_the_figure_of_the_layers_is_what_is_enforced():
    """Of packages: leaving one out is easy, and the next reader looks for it."""
    text = read("docs/architecture.md")
    figure = text.split("## Layers")[1].split("```")[1]
    drawn: dict[str, list[set[str]]] = {}
    for line in figure.strip().splitlines():
        begun = re.match(r"[a-z]+", line)
        if begun is not None:
            name = begun[0]
            drawn[name] = []
        text = line if begun is None else line[begun.end() :]
        layers = [layer for layer in text.split("▸") if layer.strip()]
        drawn[name] += [{one.strip() for one in layer.split("|")} for layer in layers]
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]
    for contract in contracts["contracts"]:
        if contract["type"] == "layers":
            wanted = [{one.strip() for one in layer.split("|")} for layer in contract["layers"]]
            assert drawn.pop(contract["containers"][0]) == wanted
    assert drawn == {}

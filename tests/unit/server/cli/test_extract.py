"""``bowerbird extract`` through a real Node.js, and through played ones that fail."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from server.api.schemas.captures import CandidateIn
from server.cli.commands import extract

ROOT = Path(__file__).parents[4]
FIXTURES = ROOT / "tests" / "fixtures" / "pages"
REAL_PAGES = ROOT.parent / "shared" / "pages"
BING = "https://www.bing.com/images/search?q=satin+bowerbird"
ANSWER = "https://unsplash.com/s/photos/bowerbird"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
needs_dom = pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules" / "happy-dom").is_dir(),
    reason="Node.js or happy-dom is not installed",
)


@pytest.fixture
def played_node(monkeypatch, tmp_path):
    """Play a Node.js that does what a line of shell says."""

    def play(line: str) -> None:
        program = tmp_path / "played-node"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        monkeypatch.setattr(shutil, "which", lambda _name: str(program))

    return play


@needs_dom
def test_a_saved_page_gives_candidates_that_a_capture_takes(run):
    result = run("extract", str(FIXTURES / "bing-results.html"), "--url", BING)
    assert result.code == 0
    candidates = json.loads(result.out)
    assert [one["rank"] for one in candidates] == [0, 1, 2, 3]
    assert candidates[0] == {
        "url": "https://birds.example/full/1.jpg",
        "source_url": "https://birds.example/page/1",
        "thumbnail_url": "https://thumbs.example/th?id=OIP.1&pid=15.1",
        "title": "Satin bowerbird 1",
        "width": 1600,
        "height": 1200,
        "rank": 0,
        "license": None,
    }
    for one in candidates:
        assert CandidateIn.model_validate(one).model_dump(mode="json") == one
    assert result.err == (
        "Bing: ok; 4 candidates of 7 tiles and 5 entries in the page's data; "
        "0 without original, 3 left out\n"
    )


@needs_dom
@pytest.mark.parametrize(
    ("name", "url", "said"),
    [
        ("google-blocked.html", "https://www.google.com/search?q=x&udm=2", "Google: blocked;"),
        ("google-empty.html", "https://www.google.com/search?q=x&udm=2", "Google: no-results;"),
        ("generic-empty.html", "https://page.example/", "generic: nothing-found;"),
    ],
)
def test_a_page_without_images_gives_an_empty_list_and_says_why(run, name, url, said):
    result = run("extract", str(FIXTURES / name), "--url", url, "--json")
    assert result.code == 0
    assert json.loads(result.out) == []
    assert result.err.startswith(said)


@needs_dom
@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("<meta charset=utf-8><img src=/a.jpg alt=Ä>".encode(), "Ä"),
        ("<meta charset='iso-8859-1'><img src=/a.jpg alt=Ä>".encode("latin-1"), "Ä"),
        ("<img src=/a.jpg alt=Ä>".encode("utf-16"), "Ä"),
        (b"\xef\xbb\xbf<meta charset=no-such><img src=/a.jpg alt=A>", "A"),
        (b"<meta charset=idna><img src=/a.jpg alt=\xff>", "\ufffd"),
        (b"<meta charset=utf-8><img src=/a.jpg alt=\xff>", "\ufffd"),
    ],
)
def test_a_page_is_read_in_its_encoding(run, tmp_path, content, title):
    (tmp_path / "page.html").write_bytes(content)
    result = run("extract", "page.html", "--url", "https://page.example/")
    assert [one["title"] for one in json.loads(result.out)] == [title]


@needs_dom
def test_scripts_of_the_page_do_not_run(run, tmp_path):
    (tmp_path / "page.html").write_text(
        "<img src=/a.jpg><script>document.write('<img src=/b.jpg>')</script>"
        "<script src='https://page.example/c.js'></script><iframe src='https://page.example/'>"
        "</iframe><link rel=stylesheet href='https://page.example/d.css'>"
    )
    result = run("extract", "page.html", "--url", "https://page.example/")
    assert [one["url"] for one in json.loads(result.out)] == ["https://page.example/a.jpg"]


@needs_node
def test_an_answer_needs_no_dom_but_a_page_does(run, monkeypatch, tmp_path):
    monkeypatch.setattr(extract, "_ENTRY", tmp_path / "server" / "cli" / "extract.mjs")
    extract._ENTRY.parent.mkdir(parents=True)
    shutil.copy(ROOT / "server" / "cli" / "extract.mjs", extract._ENTRY)
    shutil.copytree(ROOT / "extension", tmp_path / "extension")
    result = run("extract", str(FIXTURES / "unsplash-answer.json"), "--url", ANSWER)
    assert result.code == 0
    assert len(json.loads(result.out)) == 2
    result = run("extract", str(FIXTURES / "bing-results.html"), "--url", BING)
    assert (result.code, result.out) == (1, "")
    assert "happy-dom" in result.err
    assert "npm install" in result.err


def test_without_node_it_says_what_to_install(run, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    result = run("extract", str(FIXTURES / "unsplash-answer.json"), "--url", ANSWER)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("Error: Node.js is not installed.\nInstall Node.js 20")


def test_without_the_extension_it_says_where_to_run(run, played_node, monkeypatch, tmp_path):
    played_node("exit 0")
    monkeypatch.setattr(extract, "_ADAPTERS", tmp_path / "index.js")
    result = run("extract", str(FIXTURES / "unsplash-answer.json"), "--url", ANSWER)
    assert result.code == 1
    assert "own folder" in result.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("exit 4", "A recent Node.js is not installed"),
        ("echo 'x\nRangeError: too deep\nat y' >&2; exit 1", "failed: RangeError: too deep"),
        ("kill -9 $$", "exit code -9"),
        ("echo '{}'", "makes no sense"),
        ("echo 'no JSON'", "makes no sense"),
    ],
)
def test_a_node_that_fails_is_told_in_a_sentence(run, played_node, line, said):
    played_node(line)
    result = run("extract", str(FIXTURES / "unsplash-answer.json"), "--url", ANSWER)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert "Traceback" not in result.err


def test_a_page_that_takes_too_long_is_given_up(run, played_node, monkeypatch):
    played_node("exec sleep 30")
    monkeypatch.setattr(extract, "TIMEOUT_S", 0.2)
    result = run("extract", str(FIXTURES / "unsplash-answer.json"), "--url", ANSWER)
    assert result.code == 1
    assert "given up" in result.err


def test_a_file_over_the_limit_is_refused(run, monkeypatch, tmp_path):
    monkeypatch.setattr(extract, "MAX_FILE_BYTES", 3)
    (tmp_path / "page.html").write_text("<img>")
    result = run("extract", "page.html", "--url", BING)
    assert result.code == 1
    assert "page.html is over 0 MiB" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("page.html",),
        ("missing.html", "--url", BING),
        (".", "--url", BING),
        ("page.html", "--url", "file:///etc/passwd"),
        ("page.html", "--url", "www.bing.com"),
        ("page.html", "--url", "http://["),
    ],
)
def test_wrong_usage_is_2(run, tmp_path, arguments):
    (tmp_path / "page.html").write_text("<img>")
    result = run("extract", *arguments)
    assert (result.code, result.out) == (2, "")


@needs_dom
@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="no ../shared/pages beside this checkout")
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("bing/search_golang-gopher_2026-04.html", BING),
        ("google/udm2_cat_2024-08_reduced.html", "https://www.google.com/search?q=cat&udm=2"),
        ("flickr/modelExport_2016-2019_edited.txt", "https://www.flickr.com/search/?text=x"),
    ],
)
def test_real_pages_give_here_what_they_give_in_the_browser(run, name, url):
    expected = json.loads((REAL_PAGES / "expected.json").read_text())[name]
    result = run("extract", str(REAL_PAGES / name), "--url", url)
    found = [(one["url"], one["source_url"]) for one in json.loads(result.out)]
    assert found == [(one["original"], one["page"]) for one in expected]

"""``bowerbird fetch`` against real loopback sites."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from server.cli.fetching import run as runs
from server.cli.fetching import table
from server.cli.fetching.table import COLUMNS
from server.config import inherited_environment
from server.pipeline import pipeline as pipelines
from tests.support.certificate import make_certificate
from tests.support.images import jpeg
from tests.support.photo_site import PhotoSite
from tests.support.site import Exchange, answer, redirect, reset
from tests.support.threaded_site import threaded_site

ROOT = Path(__file__).parents[4]
LIST = "list.txt"
OUT = Path("out")
NO_TRAINING = answer(b"User-agent: *\nContent-Signal: search=yes, ai-train=no\n")


def _write(*lines: str) -> None:
    Path(LIST).write_text("".join(f"{line}\n" for line in lines))


def _rows() -> list[dict]:
    return pq.read_table(OUT / "outcomes.parquet").to_pylist()


def _files(folder: str = "images") -> list[Path]:
    return sorted(path for path in (OUT / folder).rglob("*") if path.is_file())


@pytest.fixture
def allow(monkeypatch):
    """Return what lets a site through the address guard, and lets no test wait for a retry."""

    def let_in(site) -> None:
        monkeypatch.setenv("BOWERBIRD_FETCH__ALLOWED_HOSTS", site.authority)
        monkeypatch.setenv("BOWERBIRD_FETCH__BACKOFF_S", "0.01")

    return let_in


@pytest.mark.slow
def test_every_address_ends_in_one_row_and_every_image_in_one_file(run, allow):
    with PhotoSite() as site:
        allow(site)
        urls = [url for query in site.photos for url in site.addresses(query)]
        _write(*urls, "", *urls[:4], "no address")
        result = run("fetch", LIST, "--out", str(OUT), "--json")
        expected = {site.url(path): reason for path, (_, reason) in site.dead.items()}
    rows = _rows()
    assert result.code == 0
    assert [row["url"] for row in rows] == [*urls, "no address"]
    assert [*rows[0]] == [*COLUMNS]
    expected["no address"] = "bad-url"
    rejected = [row for row in rows if row["status"] == "rejected"]
    assert {row["url"]: row["reason"] for row in rejected} == expected
    assert all(row["detail"] and row["path"] is None for row in rejected)
    kept = [row for row in rows if row["status"] != "rejected"]
    assert {OUT / row["path"] for row in kept} == set(_files())
    for row in kept:
        data = (OUT / row["path"]).read_bytes()
        assert (row["sha256"], row["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
        assert row["width"] > 0 < row["height"]
        assert (row["attempts"], row["http_status"], row["detail"]) == (1, 200, "")
    ready = [row["sha256"] for row in rows if row["status"] == "ready"]
    assert len(ready) == len(set(ready)) == len(_files())
    document = json.loads(result.out)
    assert document["status"] == Counter(row["status"] for row in rows)
    assert document["reasons"] == Counter(row["reason"] for row in rejected)
    assert (document["ended"], document["earlier"], document["repeated"]) == (len(rows), 0, 4)
    assert document["outcomes"] == str(OUT / "outcomes.parquet")
    assert sorted(path.name for path in OUT.iterdir()) == [
        ".fetch.db",
        "images",
        "outcomes.parquet",
    ]


def test_a_second_run_asks_for_what_is_new_and_with_retry_failed_for_what_was_rejected(run, allow):
    routes = {"/a": answer(jpeg(seed=1)), "/b": answer(b"gone", status="410 Gone")}
    with threaded_site(routes) as site:
        allow(site)
        _write(site.url("/a"), site.url("/b"))
        assert run("fetch", LIST, "--out", str(OUT)).code == 0
        site.routes |= {"/b": answer(jpeg(seed=1)), "/c": answer(jpeg(seed=3))}
        _write(site.url("/a"), site.url("/b"), site.url("/c"), site.url("/c"))
        again = json.loads(run("fetch", LIST, "--out", str(OUT), "--json").out)
        assert [row["status"] for row in _rows()] == ["ready", "rejected", "ready"]
        asked = [request.target for request in site.requests]
        assert sorted(asked) == ["/a", "/b", "/c"]
        _write(site.url("/a"), site.url("/b"), site.url("/b"))
        last = json.loads(run("fetch", LIST, "--out", str(OUT), "--retry-failed", "--json").out)
        assert [request.target for request in site.requests] == [*asked, "/b"]
    assert [again[name] for name in ("ended", "earlier", "repeated")] == [1, 2, 1]
    assert [last[name] for name in ("ended", "earlier", "repeated")] == [1, 1, 1]
    assert last["status"] == {"ready": 2, "duplicate": 1, "rejected": 0}
    assert last["reasons"] == {}


def test_refused_bytes_are_asked_for_again_only_if_there_are_others(run, allow):
    with threaded_site({"/a": answer(jpeg(8, 8), 'ETag: "tiny"')}) as site:
        allow(site)
        _write(site.url("/a"))
        again = ("fetch", LIST, "--out", str(OUT), "--retry-failed")
        run("fetch", LIST, "--out", str(OUT))
        site.routes["/a"] = answer(b"", status="304 Not Modified")
        rows = [_rows()[0] for _ in range(2) if run(*again).code == 0]
        # Under other limits the same bytes could pass.
        assert run(*again, "--max-pixels", "99999").code == 0
        asked = [request.headers.get("if-none-match") for request in site.requests]
    assert asked == [None, '"tiny"', '"tiny"', None]
    assert [(row["reason"], row["http_status"]) for row in rows] == [("too-small", 304)] * 2
    assert rows[0]["detail"] == rows[1]["detail"]
    assert rows[0]["detail"].startswith("unchanged since it was refused: ")
    assert _rows()[0]["reason"] == "http-status", "a 304 that was not asked for is a fault"


@pytest.mark.slow
def test_a_step_from_https_to_http_stands_in_the_table(tmp_path):
    at_server, trusted = make_certificate(tmp_path)
    with (
        threaded_site({"/a": answer(jpeg())}) as plain,
        threaded_site({"/b": redirect(plain.url("/a"))}, at_server) as secure,
    ):
        _write(secure.url("/b"), plain.url("/a"), "nonsense")
        environment = inherited_environment() | {
            "SSL_CERT_FILE": str(trusted),
            "BOWERBIRD_FETCH__ALLOWED_HOSTS": f"{plain.authority},{secure.authority}",
        }
        command = [sys.executable, "-m", "server", "fetch", LIST, "--out", str(OUT)]
        done = subprocess.run(
            command, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert [row["reason"] for row in _rows()] == [None, None, "bad-url"]
    assert [row["downgraded"] for row in _rows()] == [True, False, False]


def test_an_address_that_fills_the_list_is_asked_for_once(run, allow):
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.2)  # still under way while the rest of the list is read
        await answer(jpeg())(exchange)

    with threaded_site({"/a": slow, "/b": answer(jpeg(seed=1))}) as site:
        allow(site)
        lines = [site.url("/a"), *[site.url("/b")] * 700, "bad", *[site.url("/a")] * 700, "bad"]
        _write(*lines)
        report = json.loads(run("fetch", LIST, "--out", str(OUT), "--json").out)
        assert sorted(request.target for request in site.requests) == ["/a", "/b"]
    assert (report["ended"], report["repeated"]) == (3, len(lines) - 3)
    assert [(row["line"], row["status"]) for row in _rows()] == [
        (1, "ready"),
        (2, "ready"),
        (702, "rejected"),
    ]


def test_the_table_on_stdout_can_be_cut(run, allow):
    with threaded_site({"/a": answer(jpeg())}) as site:
        allow(site)
        _write(site.url("/a"), site.url("/x"), site.url("/y"), "nonsense")
        result = run("fetch", LIST, "--out", str(OUT))
    assert result.out.splitlines() == [
        "ready\t\t1",
        "duplicate\t\t0",
        "rejected\thttp-status\t2",
        "rejected\tbad-url\t1",
    ]
    assert "4 addresses in" in result.err


@pytest.mark.parametrize(
    ("options", "route", "reason"),
    [
        ([], answer(jpeg(320, 240)), None),
        (["--max-bytes", "1024"], answer(jpeg(320, 240)), "too-large"),
        (["--max-pixels", "76799"], answer(jpeg(320, 240)), "too-many-pixels"),
        (["--max-pixels", "76800"], answer(jpeg(320, 240)), None),
        ([], answer(jpeg(), "X-Robots-Tag: noai"), "opt-out"),
        (["--no-opt-out"], answer(jpeg(), "X-Robots-Tag: noai"), None),
        ([], NO_TRAINING, "opt-out"),
        (["--no-opt-out"], NO_TRAINING, None),
    ],
)
def test_limits_and_manners_can_be_set(run, allow, options, route, reason):
    # An image, or the site's robots.txt beside one.
    routes = {"/a": answer(jpeg()), "/robots.txt": route} if route is NO_TRAINING else {"/a": route}
    with threaded_site(routes) as site:
        allow(site)
        _write(site.url("/a"))
        assert run("fetch", LIST, "--out", str(OUT), *options).code == 0
    (row,) = _rows()
    assert row["reason"] == reason
    assert row["status"] == ("rejected" if reason else "ready")


@pytest.mark.parametrize("retries", [0, 2])
def test_what_may_pass_is_tried_as_often_as_asked(run, allow, retries):
    routes = {"/down": answer(status="503 Service Unavailable"), "/reset": reset}
    with threaded_site(routes) as site:
        allow(site)
        _write(site.url("/down"), site.url("/reset"))
        run("fetch", LIST, "--out", str(OUT), "--retries", str(retries), "--contact", "me@a.test")
        targets = [request.target for request in site.requests]
        agents = {request.headers["user-agent"] for request in site.requests}
    assert targets.count("/down") == 1 + retries
    assert [row["attempts"] for row in _rows()] == [1 + retries, 1 + retries]
    assert [row["reason"] for row in _rows()] == ["http-status", "connection"]
    assert all(agent.endswith("(+me@a.test)") for agent in agents)


def test_thumbnails_are_kept_when_asked_for(run, allow):
    with threaded_site({"/a": answer(jpeg(640, 480))}) as site:
        allow(site)
        _write(site.url("/a"))
        run("fetch", LIST, "--out", str(OUT), "--thumbnails")
    (image,), (thumbnail,) = _files(), _files("thumbnails")
    assert thumbnail.relative_to(OUT / "thumbnails") == image.relative_to(OUT / "images")
    assert thumbnail.stat().st_size < image.stat().st_size


def test_private_addresses_are_refused_without_the_persons_word(run):
    with threaded_site({"/a": answer(jpeg())}) as site:
        _write(site.url("/a"))
        assert run("fetch", LIST, "--out", str(OUT)).code == 0
        assert site.connections == 0
    assert [row["reason"] for row in _rows()] == ["blocked-address"]


def test_what_a_killed_run_left_half_written_is_swept(run, allow, monkeypatch):
    def killed(journal, path):
        # As SIGKILL would leave it: no `finally` of ours runs.
        (OUT / ".outcomes.parquet.abc.tmp").write_bytes(b"half")
        (OUT / "images" / f"{'0' * 64}.jpg").write_bytes(b"not where images lie")
        raise OSError(28, "No space left on device")

    with threaded_site({"/a": answer(jpeg())}) as site:
        allow(site)
        _write(site.url("/a"))
        with monkeypatch.context() as patched:
            patched.setattr(table, "write_table", killed)
            result = run("fetch", LIST, "--out", str(OUT))
        assert result.code == 1
        assert "No space left on device" in result.err
        half = OUT / "images" / "00"
        half.mkdir(exist_ok=True)
        (half / f"{'0' * 64}.jpg").write_bytes(b"written, never recorded")
        assert run("fetch", LIST, "--out", str(OUT)).code == 0
        assert len(site.requests) == 1
    (row,) = _rows()
    assert {*_files()} == {OUT / row["path"], OUT / "images" / f"{'0' * 64}.jpg"}
    assert not [*OUT.glob(".outcomes*")]


def test_an_empty_list_leaves_an_empty_table(run):
    _write()
    assert run("fetch", LIST, "--out", str(OUT)).code == 0
    empty = pq.read_table(OUT / "outcomes.parquet")
    assert (empty.num_rows, empty.column_names) == (0, [*COLUMNS])


def test_a_fault_of_the_disk_ends_the_run_and_the_next_goes_on(run, allow):
    OUT.mkdir()
    (OUT / "images").write_text("in the way")
    with threaded_site({f"/{n}": answer(jpeg(seed=n)) for n in range(3)}) as site:
        allow(site)
        _write(*(site.url(f"/{n}") for n in range(3)), "bad")
        result = run("fetch", LIST, "--out", str(OUT), "--json")
        assert (result.code, result.out) == (1, "")
        assert "out failed: " in result.err
        assert "goes on" in result.err
        assert "Traceback" not in result.err
        (OUT / "images").unlink()
        assert run("fetch", LIST, "--out", str(OUT)).code == 0
    assert [row["status"] for row in _rows()] == ["ready"] * 3 + ["rejected"]


def test_a_list_that_fails_in_the_middle_is_no_end_of_the_list(run, monkeypatch):
    def broken(_lines):
        yield from ()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(runs.AddressList, "__iter__", broken)
    _write("http://a.test/")
    result = run("fetch", LIST, "--out", str(OUT))
    assert result.code == 1
    assert "Input/output error" in result.err
    assert not (OUT / "outcomes.parquet").exists()


def test_a_table_of_something_else_is_not_replaced(run):
    OUT.mkdir()
    (OUT / "outcomes.parquet").write_text("precious")
    _write("http://a.test/")
    result = run("fetch", LIST, "--out", str(OUT))
    assert result.code == 1
    assert (OUT / "outcomes.parquet").read_text() == "precious"
    assert not (OUT / ".fetch.db").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.txt", "--out", "out"],
        [LIST],
        [LIST, "--out", LIST],
        [LIST, "--out", "out", "--concurrency", "0"],
        [LIST, "--out", "out", "--retries", "20"],
        [LIST, "--out", "out", "--max-bytes", "1"],
        [LIST, "--out", "out", "--contact", "a\r\nX-Evil: 1"],
        [LIST, "--out", "out", "--contact", "ä@a.test"],
    ],
)
def test_wrong_usage_is_said_and_leaves_nothing(run, arguments):
    _write("http://a.test/")
    assert run("fetch", *arguments).code == 2
    assert not OUT.exists()


def test_what_our_own_code_fails_on_is_a_row_and_a_line_of_the_log(run, allow, monkeypatch):
    def crash(data, limits):
        raise KeyError("a mistake")

    monkeypatch.setattr(pipelines, "verify", crash)
    with threaded_site({"/a": answer(jpeg())}) as site:
        allow(site)
        _write(site.url("/a"))
        result = run("fetch", LIST, "--out", str(OUT))
    assert result.code == 0
    assert "Traceback" not in result.err
    assert [row["status"] for row in _rows()] == ["rejected"]
    assert "KeyError: 'a mistake'" in (OUT / "fetch.log").read_text()


@pytest.mark.slow
def test_neither_the_server_nor_other_verbs_load_what_fetch_needs():
    code = (
        "import sys, server.cli.app\n"
        "assert 'aiohttp' not in sys.modules\n"
        "import server.main\n"
        "assert not {'pyarrow', 'server.cli.fetching.job'} & {*sys.modules}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)

"""``bowerbird fetch`` as a process: killed, stopped, out of room, and with very long lists."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typing_extensions import override

from server.config import inherited_environment
from tests.support.images import jpeg
from tests.support.photo_site import PhotoSite
from tests.support.processes import wait_until
from tests.support.site import answer
from tests.support.threaded_site import threaded_site

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
END_TIMEOUT_S = 60.0
MIB = 1024**2


def _start(out: Path, authority: str, *options: str, **how) -> subprocess.Popen[bytes]:
    inherited = inherited_environment()
    clean = {name: value for name, value in inherited.items() if not name.startswith("BOWERBIRD_")}
    return subprocess.Popen(
        [sys.executable, "-m", "server", "fetch", "--out", str(out), "--json", *options],
        cwd=ROOT,
        env={**clean, "BOWERBIRD_FETCH__ALLOWED_HOSTS": authority},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **how,
    )


def _heed_sigint() -> None:
    # What a shell starts in the background ignores it, and so does what that starts in turn.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _finish(process: subprocess.Popen[bytes], given: bytes | None = None) -> dict:
    out, err = process.communicate(given, timeout=END_TIMEOUT_S)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


def _images(out: Path) -> list[Path]:
    return [path for path in (out / "images").rglob("*") if path.is_file()]


def _check_whole(out: Path, urls: list[str]) -> None:
    """Hold the table against the list, and the files against the table."""
    rows = pq.read_table(out / "outcomes.parquet").to_pylist()
    assert [row["url"] for row in rows] == urls
    named = {row["path"]: row["sha256"] for row in rows if row["path"]}
    assert {str(path.relative_to(out)) for path in _images(out)} == {*named}
    for path, sha256 in named.items():
        assert hashlib.sha256((out / path).read_bytes()).hexdigest() == sha256


def test_a_run_killed_again_and_again_loses_nothing_and_asks_for_little_twice(tmp_path):
    out, dice = tmp_path / "out", random.Random(5)
    with PhotoSite(delay_s=0.1) as site:
        urls = [url for query in site.photos for url in site.addresses(query)]
        (tmp_path / "list").write_text("\n".join(urls))
        kills = 0
        for wanted in (1, 20, 45, 70, 100):
            process = _start(out, site.authority, str(tmp_path / "list"))
            wait_until(lambda n=wanted: len(_images(out)) >= n, END_TIMEOUT_S, f"{wanted} images")
            threading.Event().wait(dice.uniform(0, 0.15))  # wherever it is by then
            process.kill()
            process.communicate()
            kills += 1
        report = _finish(_start(out, site.authority, str(tmp_path / "list")))
        asked = sum(site.served.get(url.removeprefix(site.url("")), 0) for url in urls)
        once_more = _finish(_start(out, site.authority, str(tmp_path / "list")))
        assert sum(site.served.get(url.removeprefix(site.url("")), 0) for url in urls) == asked
    _check_whole(out, urls)
    assert report["earlier"] > 0 < report["ended"]
    assert report["earlier"] + report["ended"] == len(urls)
    assert once_more["ended"] == 0
    # What was under way or not yet recorded: 8 requests to the one host, and a tenth of a second.
    assert asked <= len(urls) + kills * 40 + len(site.dead) * 5


def test_ctrl_c_leaves_the_table_of_what_there_is_and_the_next_run_goes_on(tmp_path):
    out = tmp_path / "out"
    with PhotoSite(delay_s=0.4) as site:
        urls = [url for query in site.photos for url in site.addresses(query)]
        (tmp_path / "list").write_text("\n".join(urls))
        process = _start(out, site.authority, str(tmp_path / "list"), preexec_fn=_heed_sigint)
        wait_until(lambda: len(_images(out)) >= 20, END_TIMEOUT_S, "20 images")
        process.send_signal(signal.SIGINT)
        shown, said = process.communicate(timeout=END_TIMEOUT_S)
        assert process.returncode == 130
        assert shown == b""
        assert b"goes on from here" in said
        assert b"Traceback" not in said
        count = pq.read_metadata(out / "outcomes.parquet").num_rows
        assert 0 < count < len(urls)
        report = _finish(_start(out, site.authority, str(tmp_path / "list")))
    assert report["earlier"] == count
    _check_whole(out, urls)


def test_a_full_disk_is_said_and_with_room_the_same_command_goes_on(tmp_path):
    out = tmp_path / "out"
    small, large = jpeg(64, 48), jpeg(1600, 1200, quality=95)
    routes = {f"/{n}": answer(large if n == 30 else small + bytes([n])) for n in range(60)}
    assert len(large) > MIB / 2

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB // 4, MIB // 4))

    with threaded_site(routes) as site:
        urls = [site.url(path) for path in routes]
        (tmp_path / "list").write_text("\n".join(urls))
        process = _start(out, site.authority, str(tmp_path / "list"), preexec_fn=limit)
        shown, said = process.communicate(timeout=END_TIMEOUT_S)
        assert (process.returncode, shown) == (1, b"")
        assert b"File too large" in said
        assert b"goes on" in said
        assert b"Traceback" not in said
        _finish(_start(out, site.authority, str(tmp_path / "list")))
    _check_whole(out, urls)


def test_a_list_may_come_by_a_pipe(tmp_path):
    with threaded_site({"/a": answer(jpeg())}) as site:
        process = _start(tmp_path, site.authority, "-", stdin=subprocess.PIPE)
        report = _finish(process, site.url("/a").encode() + b"\n\nnonsense\n")
    assert report["status"] == {"ready": 1, "duplicate": 0, "rejected": 1}


def _watch_memory(process: subprocess.Popen[str]) -> float:
    """Wait for a process to end; return the most memory that it held, in MiB.

    Read while it runs: what ``wait4`` tells afterwards begins with the memory of who started it.
    """
    peak_kib = 0
    while process.poll() is None:
        with suppress(OSError):  # it has ended in this moment
            text = Path(f"/proc/{process.pid}/status").read_text()
            if found := re.search(r"^VmHWM:\s+(\d+) kB", text, re.MULTILINE):
                peak_kib = max(peak_kib, int(found[1]))
        time.sleep(0.02)
    return peak_kib / 1024


@pytest.mark.timeout(900)
def test_memory_does_not_grow_with_the_list(tmp_path):
    peaks_mib = []
    with _null_site() as authority:
        for count in (30_000, 100_000):
            listed = tmp_path / f"{count}.txt"
            with listed.open("w") as file:
                file.writelines(f"http://{authority}/{number}.jpg\n" for number in range(count))
            out = tmp_path / str(count)
            process = _start(out, authority, str(listed), "--per-host", "64")
            assert process.stdout
            peak_mib = _watch_memory(process)
            report = json.loads(process.stdout.read())
            process.stdout.close()
            process.stderr.close()
            assert process.returncode == 0
            assert report["reasons"] == {"http-status": count}
            assert pq.read_metadata(out / "outcomes.parquet").num_rows == count
            peaks_mib.append(peak_mib)
    # 70,000 addresses more; kept in memory they would take some 40 MiB.
    assert peaks_mib[1] < peaks_mib[0] + 25, peaks_mib
    assert peaks_mib[1] < 250


class _Null(asyncio.Protocol):
    """Answers every request with 404, as fast as Python can."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        assert isinstance(self._transport, asyncio.Transport)
        answers = data.count(b"\r\n\r\n")
        self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" * answers)


@contextmanager
def _null_site() -> Iterator[str]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(_Null, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

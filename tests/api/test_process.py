"""The server as a process: how it starts, what it leaves, how it ends."""

from __future__ import annotations

import asyncio
import re
import signal
import stat
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from server.config import inherited_environment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
START_S = 20.0  # the promise is 2; a loaded machine is not a failure
MAX_RSS_BYTES = 200 * 1024**2


@dataclass
class Server:
    process: asyncio.subprocess.Process
    url: str
    link: str


async def start(data: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "serve", "--data", str(data), "--port", "0"),
        *("--no-trainer", "--no-open", *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=inherited_environment(),
    )


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(START_S):
        return (await process.stdout.readline()).decode()


@asynccontextmanager
async def serving(data: Path) -> AsyncIterator[Server]:
    process = await start(data)
    try:
        ready, sign_in = await line(process), await line(process)
        url = re.search(r"http://\S+", ready)
        link = re.search(r"http://\S+", sign_in)
        assert url, ready
        assert link, sign_in
        yield Server(process, url[0], link[0])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def client(server: Server, token: str | None = None) -> httpx2.AsyncClient:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx2.AsyncClient(base_url=server.url, headers=headers, trust_env=False)


def rss_bytes(pid: int) -> int:
    """Return the memory of a process; 0 where the system has no /proc."""
    status = Path(f"/proc/{pid}/status")
    found = re.findall(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else ["0"]
    return int(found[0]) * 1024


async def test_it_serves_leaves_its_token_and_ends_cleanly(tmp_path: Path):
    data = tmp_path / "data"
    async with serving(data) as server:
        token_file = data / "token"
        assert token_file.stat().st_mode & 0o777 == 0o600
        token = token_file.read_text().strip()
        async with client(server, token) as owner:
            who = (await owner.get("/api/v1/server")).json()["token"]
            assert who == {"name": "owner", "kind": "owner"}
        async with client(server) as browser:
            assert (await browser.get(server.link)).status_code == 303
            assert (await browser.get("/api/v1/datasets")).status_code == 200
        assert rss_bytes(server.process.pid) < MAX_RSS_BYTES
        second = await start(data)
        _, complaint = await second.communicate()
        assert second.returncode == 1
        assert b"another server uses" in complaint
        assert b"Traceback" not in complaint

        server.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await server.process.wait() == 0

    async with serving(data) as again:
        assert token_file.read_text().strip() == token, "the token stays"
        async with client(again, token) as owner:
            assert (await owner.get("/api/v1/datasets")).status_code == 200
        again.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await again.process.wait() in {0, 130}


async def test_a_killed_server_starts_again_on_the_same_folder(tmp_path: Path):
    data = tmp_path / "data"
    async with serving(data) as server:
        token = (data / "token").read_text().strip()
        async with client(server, token) as owner:
            made = await owner.post("/api/v1/datasets", json={"name": "bears"})
            assert made.status_code == 201
        server.process.kill()
        await server.process.wait()
    (data / "token").write_text("bb_not_ours\n")
    (data / "token").chmod(0o644)
    async with serving(data) as server:
        fresh = (data / "token").read_text().strip()
        assert fresh != "bb_not_ours"
        assert (data / "token").stat().st_mode & 0o777 == 0o600
        async with client(server, fresh) as owner:
            (dataset,) = (await owner.get("/api/v1/datasets")).json()["items"]
            assert dataset["name"] == "bears"
        async with client(server, token) as former:
            assert (await former.get("/api/v1/datasets")).status_code == 401


async def test_a_token_that_others_may_read_is_closed_to_them(tmp_path: Path):
    data = tmp_path / "data"
    async with serving(data):
        pass
    token = (data / "token").read_text()
    (data / "token").chmod(0o644)
    async with serving(data):
        assert (data / "token").read_text() == token
        assert (data / "token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("is_idle", [True, False], ids=["idle", "with a watcher"])
async def test_it_ends_soon_even_while_somebody_watches(tmp_path: Path, is_idle):
    async with serving(tmp_path / "data") as server:
        token = (tmp_path / "data" / "token").read_text().strip()
        async with client(server, token) as owner:
            dataset = (await owner.post("/api/v1/datasets", json={"name": "x"})).json()["id"]
            path = f"/api/v1/datasets/{dataset}/events"
            started = time.monotonic()
            if is_idle:
                server.process.terminate()
                assert await server.process.wait() == 0
            else:
                async with owner.stream("GET", path) as response:
                    await anext(response.aiter_lines())
                    server.process.terminate()
                    assert await server.process.wait() == 0
            assert time.monotonic() - started < 9


async def test_logs_hold_no_query_and_no_token(tmp_path: Path):
    process = await start(tmp_path / "data")
    ready = await line(process)
    link = re.search(r"http://\S+", await line(process))
    assert link, ready
    async with httpx2.AsyncClient(trust_env=False) as browser:
        await browser.get(link[0])
        await browser.get(link[0].replace("sign-in", "classify-url") + "&url=http://secret.test/")
    process.terminate()
    _, logged = await process.communicate()
    token = (tmp_path / "data" / "token").read_text().strip()
    code = link[0].partition("code=")[2]
    assert b'"path": "/sign-in"' in logged
    for secret in (token, code, "secret.test"):
        assert secret.encode() not in logged


async def test_the_data_folder_is_its_owners_alone(tmp_path: Path):
    async with serving(tmp_path / "data"):
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700

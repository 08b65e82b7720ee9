"""Ours: the command without a server, and the server with its database."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from fetching.measured import MemoryWatch, Run

ROOT = Path(__file__).parents[2]
READY_TIMEOUT_S = 30.0
CAPTURE_SIZE = 1000  # the most that the server takes at once
PAGE_SIZE = 500
POLL_S = 0.25  # a look at the counts costs some milliseconds of what is measured
Runner = Callable[[Sequence[str], Path], Run]


def fetch_runner(environment: Mapping[str, str], limit_s: float, *options: str) -> Runner:
    """Return what runs ``bowerbird fetch``.

    Its start is what it takes for an empty list.
    """

    def run_once(urls: Sequence[str], folder: Path) -> Run:
        named = {**environment, "BOWERBIRD_FETCH__ALLOWED_HOSTS": _hosts(urls)}
        start = _fetch((), folder / "empty", named, limit_s)
        whole = _fetch(urls, folder / "out", named, limit_s, *options)
        kept = _read_outcomes(folder / "out")
        seconds, cpu_s = whole.seconds - start.seconds, whole.cpu_s - start.cpu_s
        return Run(seconds, cpu_s, start.cpu_s, whole.peak_mb, kept)

    return run_once


def _fetch(
    urls: Sequence[str], out: Path, environment: Mapping[str, str], limit_s: float, *options: str
) -> Run:
    """Run the command from its start to its end."""
    listed, said = out.with_suffix(".txt"), out.with_suffix(".log")
    listed.write_text("".join(f"{url}\n" for url in urls))
    command = [sys.executable, "-m", "server", "fetch", str(listed), "--out", str(out), *options]
    before = os.times()
    started = time.perf_counter()
    with said.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--json"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log
        )
        watch = MemoryWatch(process.pid)
        try:
            process.wait(limit_s)
        finally:
            process.kill()  # nothing, when it has ended
            seconds = time.perf_counter() - started
            watch.stop()
    after = os.times()
    if process.returncode != 0:  # whatever became of the addresses
        raise RuntimeError(said.read_text()[-2000:])
    cpu_s = after.children_user + after.children_system
    cpu_s -= before.children_user + before.children_system
    return Run(seconds, cpu_s, 0.0, watch.peak_mb, None)


def _read_outcomes(out: Path) -> frozenset[str]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only where there is something to read

    rows = pq.read_table(out / "outcomes.parquet", columns=["url", "status"]).to_pylist()
    return frozenset(row["url"] for row in rows if row["status"] in {"ready", "duplicate"})


def server_runner(environment: Mapping[str, str], limit_s: float) -> Runner:
    """Return what starts a server, captures the addresses and waits until all are settled.

    Seconds and processor time are from the first capture to the last image.
    """

    def run_once(urls: Sequence[str], folder: Path) -> Run:
        data = folder / "data"
        options = ["--data", str(data), "--port", "0", "--no-trainer", "--no-open"]
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "server", "serve", *options],
                cwd=ROOT,
                env={**environment, "BOWERBIRD_FETCH__ALLOWED_HOSTS": _hosts(urls)},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        watch = MemoryWatch(process.pid)
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError((folder / "log.txt").read_text()[-2000:])
            token = (data / "token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}"}
            url = line.split()[-1]  # Bowerbird … is ready at <address>
            with httpx2.Client(base_url=url, headers=headers, trust_env=False) as client:
                client.timeout = httpx2.Timeout(READY_TIMEOUT_S)
                start_cpu_s = _read_cpu_s(client)
                seconds, cpu_s = _collect(client, urls, limit_s)
                kept = _list_kept(client)
        finally:
            process.terminate()
            process.wait(READY_TIMEOUT_S)
            watch.stop()
            if process.stdout:
                process.stdout.close()
        return Run(seconds, cpu_s, start_cpu_s, watch.peak_mb, kept)

    return run_once


def _collect(client: httpx2.Client, urls: Sequence[str], limit_s: float) -> tuple[float, float]:
    """Capture and wait; return seconds and processor time.

    Raises:
        RuntimeError: It took longer than ``limit_s``.
    """
    reply = client.post("/api/v1/datasets", json={"name": "bench"}).raise_for_status()
    dataset = f"/api/v1/datasets/{reply.json()['id']}"
    cpu_s = _read_cpu_s(client)
    started = time.perf_counter()
    for start in range(0, len(urls), CAPTURE_SIZE):
        body = {
            "capture_key": f"bench-{start}",
            "label": "picture",
            "captured_at": datetime.now(UTC).isoformat(),
            "candidates": [{"url": url} for url in urls[start : start + CAPTURE_SIZE]],
        }
        client.post(f"{dataset}/captures", json=body).raise_for_status()
    while (seconds := time.perf_counter() - started) < limit_s:
        status = client.get(dataset).raise_for_status().json()["counts"]["status"]
        if not status["queued"] and not status["downloading"]:
            return seconds, _read_cpu_s(client) - cpu_s
        time.sleep(POLL_S)
    raise RuntimeError(f"not done in {limit_s:.0f} s: {status}")


def _read_cpu_s(client: httpx2.Client) -> float:
    text = client.get("/metrics").raise_for_status().text
    found = re.search(r"^process_cpu_seconds_total (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _list_kept(client: httpx2.Client) -> frozenset[str]:
    (dataset,) = client.get("/api/v1/datasets").raise_for_status().json()["items"]
    path = f"/api/v1/datasets/{dataset['id']}/images"
    kept: set[str] = set()
    cursor: str | None = None
    while True:
        query = {"limit": PAGE_SIZE, **({} if cursor is None else {"cursor": cursor})}
        page = client.get(path, params=query).raise_for_status().json()
        kept |= {i["url"] for i in page["items"] if i["status"] in {"ready", "duplicate"}}
        cursor = page["next_cursor"]
        if cursor is None:
            return frozenset(kept)


def _hosts(urls: Sequence[str]) -> str:
    """Return the hosts of the addresses, as the guard's exemptions are written."""
    return ",".join(sorted({urlsplit(url).netloc for url in urls}))

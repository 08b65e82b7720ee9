"""How fast the server starts, how much memory it takes, how many images a second it collects.

Run ``python benchmarks/bench_server.py`` from a checkout: a Markdown table goes to stdout, progress
to stderr. Real server processes on loopback, each on a data folder of its own, without a trainer;
everything that is started is stopped again. May import ``server.config`` and what the server
itself installs.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import httpx2
from PIL import Image

from server.config import FetchSettings, inherited_environment

ROOT = Path(__file__).parents[1]
SITE = Path(__file__).with_name("loopback_site.py")
READY_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15
ROUND_TIMEOUT_S = 300  # 300 images at one a second: anything slower is not worth a figure
POLL_S = 0.05  # beside a round of some seconds


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    start_count: int
    request_count: int
    image_count: int
    round_count: int


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Attributes:
        ready_s: From starting the interpreter to the line that says it is ready.
    """

    pid: int
    url: str
    token: str
    ready_s: float

    def client(self) -> httpx2.Client:
        """Return a client with the owner's token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)

    def read_cpu_s(self) -> float:
        """Return the processor time it has used; 0 where the system does not tell (not Linux).

        Unlike a rate it hardly changes with what else the machine does.
        """
        with self.client() as client:
            text = client.get("/metrics").raise_for_status().text
        found = re.search(r"^process_cpu_seconds_total (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def read_resident_mb(self) -> float:
        """Return the memory that the process holds, in megabytes (10^6 bytes)."""
        command = ["ps", "-o", "rss=", "-p", str(self.pid)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        return int(shown.stdout) * 1024 / 1e6


@contextmanager
def running(command: Sequence[str], log: Path, **settings: str) -> Iterator[tuple[int, list[str]]]:
    """Run a Python program; yield its process id and the words of its first line; stop it.

    Raises:
        RuntimeError: It printed nothing in time; the message has the end of its log.
    """
    ours = inherited_environment().items()
    environment = {k: v for k, v in ours if not k.upper().startswith("BOWERBIRD_")} | settings
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    watchdog = threading.Timer(READY_TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
        watchdog.cancel()
        if not line:
            raise RuntimeError(f"{command} did not start: {log.read_text()[-2000:]}")
        yield process.pid, line.split()
    finally:
        watchdog.cancel()
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


@contextmanager
def running_server(data: Path, allowed_host: str = "", **settings: str) -> Iterator[Running]:
    """Start a server on a free port, yield it when it is ready, stop it.

    Args:
        data: The data folder; the log lies beside it.
        allowed_host: Exempt from the address guard; several are separated by commas.
        settings: Further environment.
    """
    options = ["--data", str(data), "--port", "0", "--no-trainer", "--no-open"]
    command = ["-m", "server", "serve", *options]
    started = time.perf_counter()
    settings = {"BOWERBIRD_FETCH__ALLOWED_HOSTS": allowed_host, **settings}
    with running(command, data.with_suffix(".log"), **settings) as (pid, words):
        ready_s = time.perf_counter() - started
        token = (data / "token").read_text().strip()
        yield Running(pid, words[-1], token, ready_s)  # Bowerbird … is ready at <address>


# --- what is measured


@dataclass
class Starts:
    """What was measured of starts, one value each.

    Attributes:
        first_s: On an empty data folder, which is migrated.
        later_s: On one that was there.
        later_cpu_s: Processor time of those.
    """

    first_s: list[float] = field(default_factory=list)
    later_s: list[float] = field(default_factory=list)
    later_cpu_s: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)


def measure_starts(folder: Path, count: int) -> Starts:
    """Start servers on new folders and again on the same."""
    starts = Starts()
    for number in range(count):
        data = folder / f"start-{number}"
        with running_server(data) as server:
            starts.first_s.append(server.ready_s)
            starts.resident_mb.append(server.read_resident_mb())
        with running_server(data) as server:
            starts.later_s.append(server.ready_s)
            starts.resident_mb.append(server.read_resident_mb())
            starts.later_cpu_s.append(server.read_cpu_s())
    return starts


def measure_requests(folder: Path, count: int) -> tuple[float, float]:
    """Return requests a second of one client, one at a time, and megabytes after them."""
    with running_server(folder / "requests") as server, server.client() as client:
        dataset_id = create_dataset(client, "requests")
        paths = ("/", "/healthz", "/api/v1/datasets", f"/api/v1/datasets/{dataset_id}/images")
        started = time.perf_counter()
        for number in range(count):
            client.get(paths[number % len(paths)]).raise_for_status()
        seconds = time.perf_counter() - started
        return count / seconds, server.read_resident_mb()


def create_dataset(client: httpx2.Client, name: str) -> str:
    """Make a dataset; return its id."""
    reply = client.post("/api/v1/datasets", json={"name": name}).raise_for_status()
    return str(reply.json()["id"])


def collect(client: httpx2.Client, name: str, urls: Sequence[str]) -> float:
    """Capture the addresses; return the seconds until the last one is ready.

    Raises:
        RuntimeError: An image was refused, or they took too long.
    """
    dataset = f"/api/v1/datasets/{create_dataset(client, name)}"
    capture = {
        "capture_key": name,
        "label": "picture",
        "captured_at": datetime.now(UTC).isoformat(),
        "candidates": [{"url": url} for url in urls],
    }
    status: Mapping[str, int] = {}
    started = time.perf_counter()
    client.post(f"{dataset}/captures", json=capture).raise_for_status()
    while (seconds := time.perf_counter() - started) < ROUND_TIMEOUT_S:
        status = client.get(dataset).raise_for_status().json()["counts"]["status"]
        if status["ready"] == len(urls):
            return seconds
        if status["rejected"] or status["duplicate"]:
            break
        time.sleep(POLL_S)
    raise RuntimeError(f"not all images became ready in {seconds:.0f} s: {status}")


async def fetch_bare(urls: Sequence[str], per_host: int, threads: int) -> float:
    """Fetch and decode the addresses, keep nothing; return the seconds."""
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit_per_host=per_host)
    with ThreadPoolExecutor(threads) as pool:
        async with aiohttp.ClientSession(connector=connector) as session:

            async def fetch(url: str) -> None:
                async with session.get(url) as response:
                    body = await response.read()
                await loop.run_in_executor(pool, decode, body)

            started = time.perf_counter()
            async with asyncio.TaskGroup() as tasks:
                for url in urls:
                    tasks.create_task(fetch(url))
            return time.perf_counter() - started


def decode(body: bytes) -> None:
    """Decode a picture in full."""
    # The guarded reader is what the bare loop is compared with.
    with Image.open(io.BytesIO(body)) as image:  # noqa: TID251 - bytes of our own site
        image.load()


@dataclass
class Downloads:
    """What was measured of downloads: a value a round, of the bare loop and of the server."""

    bare_rate: list[float] = field(default_factory=list)
    bare_cpu_ms: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    resident_mb: float = 0.0
    picture_kb: float = 0.0


def measure_downloads(folder: Path, plan: Plan) -> Downloads:
    """Collect the same images by a bare loop and by the server, round by round."""
    fetch = FetchSettings()
    downloads = Downloads()
    count = plan.image_count
    with (
        running([str(SITE)], folder / "site.log") as (_, (site, size_bytes)),
        running_server(folder / "downloads", site) as server,
    ):
        downloads.picture_kb = int(size_bytes) / 1e3
        for number in range(plan.round_count):
            tell(f"downloads, round {number + 1} of {plan.round_count}")
            urls = [f"http://{site}/{number}/{i}.jpg" for i in range(count)]
            cpu_s = time.process_time()
            seconds = asyncio.run(fetch_bare(urls, fetch.per_host, fetch.decode_threads))
            downloads.bare_cpu_ms.append((time.process_time() - cpu_s) * 1000 / count)
            downloads.bare_rate.append(count / seconds)
            cpu_s = server.read_cpu_s()
            with server.client() as client:
                downloads.rate.append(count / collect(client, f"round-{number}", urls))
            downloads.cpu_ms.append((server.read_cpu_s() - cpu_s) * 1000 / count)
        downloads.resident_mb = server.read_resident_mb()
    return downloads


# --- the report


def tell(text: str) -> None:
    """Say what goes on, beside the result."""
    sys.stderr.write(f"{text} …\n")


def spread(values: Sequence[float], form: str) -> str:
    """Return median and range, each written as ``form`` says."""
    shown = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return "{} ({} to {})".format(*shown)


def measure(plan: Plan, folder: Path) -> list[tuple[str, str, str]]:
    """Measure everything; return rows of what, how much, and what it should be."""
    tell(f"starting the server {2 * plan.start_count} times")
    starts = measure_starts(folder, plan.start_count)
    tell(f"sending {plan.request_count} requests")
    rate, requests_mb = measure_requests(folder, plan.request_count)
    got = measure_downloads(folder, plan)
    share = [whole / bare for whole, bare in zip(got.rate, got.bare_rate, strict=True)]
    total = plan.image_count * plan.round_count
    return [
        ("first start to ready, with migrations", spread(starts.first_s, "{:.2f} s"), ""),
        ("later start to ready", spread(starts.later_s, "{:.2f} s"), "under 2 s"),
        ("… processor time of it", spread(starts.later_cpu_s, "{:.2f} s"), ""),
        ("resident memory after a start", spread(starts.resident_mb, "{:.0f} MB"), "under 200 MB"),
        (f"… after {plan.request_count:,} requests", f"{requests_mb:.0f} MB", "under 200 MB"),
        (f"… after {total:,} downloads", f"{got.resident_mb:.0f} MB", ""),
        ("requests of one client, one at a time", f"{rate:.0f}/s", ""),
        (f"images of {got.picture_kb:.0f} KB, fetched to stored", spread(got.rate, "{:.0f}/s"), ""),
        ("… processor time of one", spread(got.cpu_ms, "{:.0f} ms"), ""),
        ("bare loop: fetched, decoded, not stored", spread(got.bare_rate, "{:.0f}/s"), ""),
        ("… processor time of one", spread(got.bare_cpu_ms, "{:.0f} ms"), ""),
        ("server's share of the bare loop's speed", spread(share, "{:.0%}"), ""),
    ]


def main() -> int:
    """Parse options, measure, print.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description="Measure the server on this machine.")
    parser.add_argument("--starts", type=int, default=5, help="starts of each kind")
    parser.add_argument("--requests", type=int, default=1000, help="requests before memory is read")
    parser.add_argument("--images", type=int, default=300, help="images of a round, up to 1000")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of downloads")
    options = parser.parse_args()
    plan = Plan(options.starts, options.requests, options.images, options.rounds)
    with tempfile.TemporaryDirectory(prefix="bowerbird-bench-") as folder:
        rows = measure(plan, Path(folder))
    today = datetime.now(UTC).date()
    python = platform.python_version()
    lines = [
        f"{today}, {platform.system()} {platform.machine()}, Python {python}; median (range)",
        "",
        "| what | measured | target |",
        "| --- | --- | --- |",
        *(f"| {what} | {measured} | {target} |" for what, measured, target in rows),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

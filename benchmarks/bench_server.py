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
import multiprocessing
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import httpx2
import numpy as np
from aiohttp import web
from PIL import Image

from server.config import FetchSettings, inherited_environment

ROOT = Path(__file__).parents[1]
READY_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15
ROUND_TIMEOUT_S = 300  # 300 images at one a second: anything slower is not worth a figure
POLL_S = 0.05  # beside a round of some seconds
PICTURE_COUNT = 20  # different pictures; a comment makes each address's bytes its own
PICTURE_PX = (1024, 768)
GRAIN = 6.0  # standard deviation of the noise that makes a picture some 170 KB
JPEG_QUALITY = 85
COMMENT = b"\xff\xfe"  # JPEG's marker; its length counts itself


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

    def read_resident_mb(self) -> float:
        """Return the memory that the process holds, in megabytes (10^6 bytes)."""
        command = ["ps", "-o", "rss=", "-p", str(self.pid)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        return int(shown.stdout) * 1024 / 1e6


@contextmanager
def running_server(data: Path, allowed_host: str = "") -> Iterator[Running]:
    """Start a server on a free port, yield it when it is ready, stop it.

    Raises:
        RuntimeError: It was not ready in time; the message says where its log is.
    """
    ours = inherited_environment().items()
    environment = {k: v for k, v in ours if not k.upper().startswith("BOWERBIRD_")}
    environment["BOWERBIRD_FETCH__ALLOWED_HOSTS"] = allowed_host
    options = ["--data", str(data), "--port", "0", "--no-trainer", "--no-open"]
    log = data.with_suffix(".log")
    started = time.perf_counter()
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "server", "serve", *options],
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
        ready_s = time.perf_counter() - started
        watchdog.cancel()
        if " is ready at " not in line:
            raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")
        token = (data / "token").read_text().strip()
        yield Running(process.pid, line.split()[-1], token, ready_s)
    finally:
        watchdog.cancel()
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """End the process, by force when it does not by itself."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


# --- the site


def draw_pictures() -> list[bytes]:
    """Return synthetic photos as JPEG: soft shapes with grain, the same in every run."""
    random = np.random.default_rng(42)
    width, height = PICTURE_PX
    pictures = []
    for _ in range(PICTURE_COUNT):
        coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), dtype=np.uint8))
        soft = np.asarray(
            coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32
        )
        grain = random.normal(0, GRAIN, (height, width, 1)).astype(np.float32)
        file = io.BytesIO()
        picture = Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8))
        picture.save(file, "JPEG", quality=JPEG_QUALITY)
        pictures.append(file.getvalue())
    return pictures


def with_comment(jpeg: bytes, text: str) -> bytes:
    """Return the same picture in other bytes."""
    comment = text.encode("ascii")
    return jpeg[:2] + COMMENT + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def serve_site(pictures: Sequence[bytes], told: Connection) -> None:
    """Serve ``/<round>/<number>.jpg`` on a free port of 127.0.0.1 until terminated."""

    async def answer(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        body = with_comment(pictures[number % len(pictures)], request.path)
        return web.Response(body=body, content_type="image/jpeg")

    async def serve() -> None:
        app = web.Application()
        app.router.add_get(r"/{round}/{number:\d+}.jpg", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(serve())


@contextmanager
def running_site(pictures: Sequence[bytes]) -> Iterator[str]:
    """Run the site in a process of its own; yield its ``host:port``."""
    context = multiprocessing.get_context("spawn")  # a fork would carry our threads' locks along
    told, teller = context.Pipe(duplex=False)
    site = context.Process(target=serve_site, args=(pictures, teller), daemon=True)
    site.start()
    try:
        if not told.poll(READY_TIMEOUT_S):
            raise RuntimeError("the site did not start")
        yield f"127.0.0.1:{told.recv()}"
    finally:
        site.terminate()
        site.join(STOP_TIMEOUT_S)


# --- what is measured


def measure_starts(folder: Path, count: int) -> tuple[list[float], list[float], list[float]]:
    """Return seconds of first starts, of later ones, and megabytes after a start."""
    first: list[float] = []
    later: list[float] = []
    resident_mb: list[float] = []
    for number in range(count):
        data = folder / f"start-{number}"
        for seconds in (first, later):
            with running_server(data) as server:
                seconds.append(server.ready_s)
                resident_mb.append(server.read_resident_mb())
    return first, later, resident_mb


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


def measure_downloads(
    folder: Path, pictures: Sequence[bytes], plan: Plan
) -> tuple[list[float], list[float], float]:
    """Return images a second of the bare loop and of the server, and the server's megabytes."""
    fetch = FetchSettings()
    bare, whole = [], []
    with running_site(pictures) as site, running_server(folder / "downloads", site) as server:
        with server.client() as client:
            for number in range(plan.round_count):
                tell(f"downloads, round {number + 1} of {plan.round_count}")
                urls = [f"http://{site}/{number}/{i}.jpg" for i in range(plan.image_count)]
                seconds = asyncio.run(fetch_bare(urls, fetch.per_host, fetch.decode_threads))
                bare.append(len(urls) / seconds)
                whole.append(len(urls) / collect(client, f"round-{number}", urls))
        return bare, whole, server.read_resident_mb()


# --- the report


def tell(text: str) -> None:
    """Say what goes on, beside the result."""
    sys.stderr.write(f"{text} …\n")


def spread(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Return median and range."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{form(middle)} ({form(low)} to {form(high)})"


def in_seconds(value: float) -> str:
    """Return seconds for a person."""
    return f"{value:.2f} s"


def a_second(value: float) -> str:
    """Return a rate for a person."""
    return f"{value:.0f}/s"


def in_megabytes(value: float) -> str:
    """Return megabytes for a person."""
    return f"{value:.0f} MB"


def measure(plan: Plan, folder: Path) -> list[tuple[str, str, str]]:
    """Measure everything; return rows of what, how much, and what it should be."""
    tell(f"starting the server {2 * plan.start_count} times")
    first, later, started_mb = measure_starts(folder, plan.start_count)
    tell(f"sending {plan.request_count} requests")
    rate, requests_mb = measure_requests(folder, plan.request_count)
    pictures = draw_pictures()
    bare, whole, downloads_mb = measure_downloads(folder, pictures, plan)
    share = [a / b for a, b in zip(whole, bare, strict=True)]
    total = plan.image_count * plan.round_count
    size_kb = statistics.mean(map(len, pictures)) / 1e3
    return [
        ("first start to ready, with migrations", spread(first, in_seconds), ""),
        ("later start to ready", spread(later, in_seconds), "under 2 s"),
        ("resident memory after a start", spread(started_mb, in_megabytes), "under 200 MB"),
        (f"… after {plan.request_count:,} requests", in_megabytes(requests_mb), "under 200 MB"),
        (f"… after {total:,} downloads", in_megabytes(downloads_mb), ""),
        ("requests of one client, one at a time", a_second(rate), ""),
        (f"images of {size_kb:.0f} KB, fetched to stored", spread(whole, a_second), ""),
        ("… bare loop: fetched, decoded, not stored", spread(bare, a_second), ""),
        ("… share of the bare loop's speed", spread(share, "{:.0%}".format), ""),
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

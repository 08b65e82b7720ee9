"""How long the API takes to answer while images are downloaded at full rate.

Run ``make bench-latency``, or ``python benchmarks/bench_latency.py`` from a checkout: a Markdown
table goes to stdout, progress to stderr. A real server downloads the corpus from nginx; this
process asks for a page of images and posts captures, each again and again on a connection of its
own. The same is asked of the server at rest, for comparison. Linux only.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import served
from bench_server import Running, create_dataset, tell
from fetching import corpus, site

BUILD = Path(__file__).parents[1] / "build" / "bench"
CAPTURE_COUNT = 100  # candidates of one capture
# Between an answer and the next question: a busy extension and a page that is scrolled.
PAGE_GAP_S, CAPTURE_GAP_S = 0.05, 0.2
REST_S = 5.0
ROUND_LIMIT_S = 600.0
TARGETS_MS = {"GET images, 100 of them": 60, "POST captures, 100 candidates": 100}


@dataclass
class Samples:
    """Milliseconds of each answer, by what was asked."""

    ms: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in TARGETS_MS})


class Asker:
    """Asks two questions, each in a thread, until stopped; use it as a context manager."""

    def __init__(self, server: Running, dataset: str, paused: str, samples: Samples) -> None:
        """Keep what is needed.

        Args:
            server: Whom to ask.
            dataset: Path of the dataset whose images are asked for.
            paused: Path of one that takes the captures, and downloads nothing.
            samples: Where the times go.
        """
        self._server = server
        self._dataset = dataset
        self._paused = paused
        self._samples = samples
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failures: list[Exception] = []

    def __enter__(self) -> Asker:
        """Begin."""
        page, capture = TARGETS_MS
        self._begin(page, PAGE_GAP_S, self._page_asker())
        self._begin(capture, CAPTURE_GAP_S, self._capture_asker())
        return self

    def __exit__(self, *_: object) -> None:
        """End; raise what was raised while asking."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _page_asker(self) -> Callable[[], None]:
        client = self._server.client()

        def ask() -> None:
            client.get(f"{self._dataset}/images", params={"limit": 100}).raise_for_status()

        return ask

    def _capture_asker(self) -> Callable[[], None]:
        client = self._server.client()
        key = time.time_ns()

        def ask() -> None:
            nonlocal key
            key += 1
            urls = [f"http://h{n % 20}{site.SUFFIX}/{key}/{n}.jpg" for n in range(CAPTURE_COUNT)]
            served.capture(client, self._paused, urls, str(key))

        return ask

    def _begin(self, name: str, gap_s: float, ask: Callable[[], None]) -> None:
        def run() -> None:
            try:
                while not self._over.wait(gap_s):
                    started = time.perf_counter()
                    ask()
                    self._samples.ms[name].append((time.perf_counter() - started) * 1000)
            except Exception as error:  # noqa: BLE001 - boundary: told to who began it
                self._failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._threads.append(thread)


@dataclass
class Measured:
    """All rounds together."""

    rest: Samples = field(default_factory=Samples)
    busy: Samples = field(default_factory=Samples)
    rates: list[float] = field(default_factory=list)


def measure(urls: Sequence[str], host: str, rounds: int, work: Path) -> Measured:
    """Download the addresses in each round by a new server; ask before and meanwhile.

    Raises:
        RuntimeError: An image was refused, or they took too long: the rate would mean nothing.
    """
    measured = Measured()
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        with served.serving(work / f"data-{number}", [host]) as server, server.client() as client:
            dataset = f"/api/v1/datasets/{create_dataset(client, 'fetched')}"
            paused = f"/api/v1/datasets/{create_dataset(client, 'captured')}"
            for path in (dataset, paused):
                client.post(f"{path}/pause").raise_for_status()
            served.capture(client, dataset, urls, "all")
            with Asker(server, dataset, paused, measured.rest):
                time.sleep(REST_S)
            client.post(f"{dataset}/resume").raise_for_status()
            started = time.perf_counter()
            with Asker(server, dataset, paused, measured.busy):
                served.wait_drained(client, dataset, ROUND_LIMIT_S)
            measured.rates.append(len(urls) / (time.perf_counter() - started))
            status = served.read_status(client, dataset)
            if status["ready"] != len(urls):
                raise RuntimeError(f"not all images became ready: {status}")
    return measured


def table(measured: Measured) -> str:
    """Return the Markdown table."""
    lines = [
        "| what | at rest: p50, p99 | downloading: p50, p99, most | answers | target p99 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, target in TARGETS_MS.items():
        rest, busy = sorted(measured.rest.ms[name]), sorted(measured.busy.ms[name])
        lines.append(
            f"| {name} | {_at(rest, 0.5):.0f}, {_at(rest, 0.99):.0f} ms | {_at(busy, 0.5):.0f}, "
            f"{_at(busy, 0.99):.0f}, {busy[-1]:.0f} ms | {len(busy):,} | {target} ms |"
        )
    return "\n".join(lines) + f"\n\nImages a second: {statistics.median(measured.rates):.0f}\n"


def _at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def main() -> int:
    """Parse options, measure, print.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description="Measure the API beside downloads.")
    parser.add_argument("--images", type=int, default=2500, help="addresses of a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each on a new data folder")
    options = parser.parse_args()
    if missing := site.missing_programs():
        sys.stderr.write(f"Needed and not found: {', '.join(missing)}. On Debian: apt install\n")
        return 2
    tell(f"drawing {options.images:,} photos, those that are not there yet")
    entries = corpus.make_clean(BUILD / "corpus", options.images)
    with tempfile.TemporaryDirectory(prefix="bowerbird-bench-") as folder:
        work = Path(folder)
        (work / "nginx").mkdir()
        with site.serving(BUILD / "corpus", work / "nginx") as nginx:
            urls = list(corpus.urls_of(entries, nginx.http))
            measured = measure(urls, f"127.0.0.1:{nginx.http_port}", options.rounds, work)
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}, Python "
        f"{platform.python_version()}; {options.rounds} rounds of {options.images:,} images\n\n"
    )
    sys.stdout.write(table(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Download at full rate for minutes on end: what must not grow does not.

Run ``make soak SOAK_S=600``, or ``python benchmarks/soak.py 600`` from a checkout: a Markdown table
goes to stdout, progress to stderr. A real server downloads the corpus from nginx again and again,
each time under other addresses, lap by lap into a dataset that is deleted afterwards. Descriptors,
threads, what the pipeline holds, and memory are read from the system and the server every ten
seconds. Fails when the second half lies above the first by more than the margins. Linux only.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import served
from bench_server import Running, create_dataset, tell
from fetching import corpus, site

BUILD = Path(__file__).parents[1] / "build" / "bench"
SAMPLE_GAP_S = 10.0
WARM_UP_RATIO = 0.2  # of the time: caches and pools fill at first
LAP_LIMIT_S = 600.0
HELD = ("waiting", "fetching", "unsettled")


@dataclass(frozen=True)
class Margin:
    """How far a median of the second half may lie above that of the first.

    Attributes:
        name: Field of `Sample`.
        share: Of the first.
        least: At least this much, where the first is small.
    """

    name: str
    share: float
    least: float

    def top(self, first: float) -> float:
        """Return the most that is allowed after ``first``."""
        return first + max(self.least, first * self.share)


MARGINS = (
    # Connections come and go with the addresses that are in flight.
    Margin("descriptors", 0.1, 8),
    # Threads are made when they are needed, up to the size of their pools.
    Margin("threads", 0.0, 2),
    # All that stands in the pipeline: tasks in flight, what waits, and what is to be recorded.
    Margin("held", 0.1, 64),
    # The allocator keeps some of what was once needed.
    Margin("resident_mb", 0.1, 0),
)


@dataclass(frozen=True)
class Sample:
    """One look at the server."""

    at_s: float
    settled: int
    descriptors: int
    threads: int
    held: int
    resident_mb: float


@dataclass
class Watch:
    """Looks at a server every `SAMPLE_GAP_S`, in a thread; use it as a context manager."""

    server: Running
    samples: list[Sample] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        """Begin."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        started = time.monotonic()
        with self.server.client() as client:
            while not self._over.wait(SAMPLE_GAP_S):
                sample = self._look(client, time.monotonic() - started)
                self.samples.append(sample)
                tell(str(sample))

    def _look(self, client: httpx2.Client, at_s: float) -> Sample:
        process = Path(f"/proc/{self.server.pid}")
        metrics = served.read_metrics(client)
        results = [
            v for k, v in metrics.items() if k.startswith("bowerbird_pipeline_results_total")
        ]
        return Sample(
            at_s,
            int(sum(results)),
            len(list((process / "fd").iterdir())),
            len(list((process / "task").iterdir())),
            int(sum(metrics[f'bowerbird_pipeline_held{{step="{step}"}}'] for step in HELD)),
            self.server.read_resident_mb(),
        )


def run_laps(client: httpx2.Client, urls: Sequence[str], is_over: Callable[[], bool]) -> int:
    """Download the addresses again and again, two datasets at a time; return how many laps."""
    queued: list[str] = []
    number = 0
    while not is_over():
        number += 1
        dataset = f"/api/v1/datasets/{create_dataset(client, f'lap-{number}')}"
        served.capture(client, dataset, [f"{url}?lap={number}" for url in urls], "all")
        queued.append(dataset)
        if len(queued) > 1:  # the next lap is queued before this one is through: no rest between
            former = queued.pop(0)
            served.wait_drained(client, former, LAP_LIMIT_S)
            client.delete(former).raise_for_status()
    return number


def judge(samples: Sequence[Sample]) -> list[tuple[str, float, float, float, bool]]:
    """Return name, median of the first half, of the second, the most allowed, and whether it is."""
    steady = samples[int(len(samples) * WARM_UP_RATIO) :]
    middle = len(steady) // 2
    rows = []
    for margin in MARGINS:
        values = [float(getattr(sample, margin.name)) for sample in steady]
        first, second = statistics.median(values[:middle]), statistics.median(values[middle:])
        rows.append((margin.name, first, second, margin.top(first), second <= margin.top(first)))
    return rows


def main() -> int:
    """Parse options, run, print.

    Returns:
        The exit code: 1 when something grew.
    """
    parser = argparse.ArgumentParser(description="Download for long, and see that nothing grows.")
    parser.add_argument("seconds", type=float, nargs="?", default=600.0)
    parser.add_argument("--images", type=int, default=800, help="addresses of a lap")
    options = parser.parse_args()
    if missing := site.missing_programs():
        sys.stderr.write(f"Needed and not found: {', '.join(missing)}. On Debian: apt install\n")
        return 2
    entries = corpus.make_clean(BUILD / "corpus", options.images)
    with tempfile.TemporaryDirectory(prefix="bowerbird-bench-") as folder:
        work = Path(folder)
        (work / "nginx").mkdir()
        with site.serving(BUILD / "corpus", work / "nginx") as nginx:
            urls = list(corpus.urls_of(entries, nginx.http))
            host = f"127.0.0.1:{nginx.http_port}"
            with served.serving(work / "data", [host]) as server, server.client() as client:
                deadline = time.monotonic() + options.seconds
                with Watch(server) as watch:
                    run_laps(client, urls, lambda: time.monotonic() > deadline)
    rows = judge(watch.samples)
    sys.stdout.write(_report(watch.samples, rows))
    return 0 if all(is_level for *_, is_level in rows) else 1


def _report(
    samples: Sequence[Sample], rows: Sequence[tuple[str, float, float, float, bool]]
) -> str:
    last = samples[-1]
    lines = [
        f"{datetime.now(UTC).date()}; {last.settled:,} images in {last.at_s:.0f} s",
        "",
        "| what | first half, median | second half, median | at most | level |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, first, second, top, is_level in rows:
        words = "yes" if is_level else "NO"
        lines.append(f"| {name} | {first:.0f} | {second:.0f} | {top:.0f} | {words} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

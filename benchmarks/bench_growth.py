"""What an image costs with 10,000, 100,000 and 1,000,000 others in the queue.

Run ``make bench-growth``, or ``python benchmarks/bench_growth.py`` from a checkout: a Markdown
table goes to stdout, progress to stderr. One real server and one dataset, which grows; nginx
answers 404 for each of its addresses, on 1,000 hosts, so that nothing but the queue is at work.
Linux only.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

import httpx2
import served
from bench_server import Running, create_dataset, tell
from fetching import site

HOST_COUNT = 1000
# The last of each size, by which queueing is measured.
MEASURED_COUNT = 5_000
ASKED_COUNT = 50
SETTLE_LIMIT_S = 300.0  # twenty a second: anything slower is not worth a figure
TARGET_RATIO = 1.3  # from the smallest size to the largest


@dataclass(frozen=True)
class Figures:
    """What was measured at one size; milliseconds an image unless it says otherwise.

    Attributes:
        queued_count: Queued when the measurement began.
        queue_cpu: Processor time of taking addresses in.
        settle_cpu: Processor time of an address from claim to record, its request included.
        claim: Of the claims' own time, by the wall clock.
        record: Of the transactions that record, by the wall clock.
        counts_cpu: Milliseconds of processor for one answer with the dataset's counts.
        page_cpu: Likewise for a page of 100 images.
        resident_mb: Of the server afterwards, in 10⁶ bytes.
    """

    queued_count: int
    queue_cpu: float
    settle_cpu: float
    claim: float
    record: float
    counts_cpu: float
    page_cpu: float
    resident_mb: float


class Growth:
    """One dataset of one server, made larger step by step. It is paused between the steps."""

    def __init__(self, server: Running, client: httpx2.Client, port: int) -> None:
        self._server = server
        self._client = client
        self._urls = _addresses(port)
        self._dataset = f"/api/v1/datasets/{create_dataset(client, 'growth')}"
        self._switch("pause")

    def measure(self, size: int) -> Figures:
        """Grow to ``size`` queued addresses, and measure."""
        tell(f"queueing up to {size:,} addresses")
        missing = size - served.read_status(self._client, self._dataset)["queued"]
        self._queue(missing - MEASURED_COUNT)
        cpu_s = self._server.read_cpu_s()
        self._queue(MEASURED_COUNT)
        queue_cpu = self._cpu_ms_since(cpu_s) / MEASURED_COUNT
        counts_cpu = self._ask(self._dataset)
        page_cpu = self._ask(f"{self._dataset}/images?limit=100")
        tell(f"settling {MEASURED_COUNT:,} of them")
        settle_cpu, claim, record = self._settle()
        return Figures(
            size,
            queue_cpu,
            settle_cpu,
            claim,
            record,
            counts_cpu,
            page_cpu,
            self._server.read_resident_mb(),
        )

    def _queue(self, number: int) -> None:
        for start in range(0, number, served.CAPTURE_SIZE):
            urls = list(islice(self._urls, min(served.CAPTURE_SIZE, number - start)))
            served.capture(self._client, self._dataset, urls, urls[0])

    def _ask(self, path: str) -> float:
        cpu_s = self._server.read_cpu_s()
        for _ in range(ASKED_COUNT):
            self._client.get(path).raise_for_status()
        return self._cpu_ms_since(cpu_s) / ASKED_COUNT

    def _settle(self) -> tuple[float, float, float]:
        before = served.read_metrics(self._client)
        rejected = served.read_status(self._client, self._dataset)["rejected"]
        self._switch("resume")
        deadline = time.monotonic() + SETTLE_LIMIT_S
        settled = 0
        while settled < MEASURED_COUNT:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{settled} settled in {SETTLE_LIMIT_S:.0f} s")
            time.sleep(served.POLL_S)
            settled = served.read_status(self._client, self._dataset)["rejected"] - rejected
        self._switch("pause")
        while (status := served.read_status(self._client, self._dataset))["downloading"]:
            time.sleep(served.POLL_S)
        settled = status["rejected"] - rejected
        after = served.read_metrics(self._client)

        def ms_an_image(name: str) -> float:
            return (after[name] - before[name]) * 1000 / settled

        return (
            ms_an_image("process_cpu_seconds_total"),
            ms_an_image('bowerbird_pipeline_seconds_sum{step="claim"}'),
            ms_an_image('bowerbird_pipeline_seconds_sum{step="record"}'),
        )

    def _switch(self, way: str) -> None:
        self._client.post(f"{self._dataset}/{way}").raise_for_status()

    def _cpu_ms_since(self, cpu_s: float) -> float:
        return (self._server.read_cpu_s() - cpu_s) * 1000


def _addresses(port: int) -> Iterator[str]:
    return (f"http://{_host(n % HOST_COUNT)}:{port}/missing/{n}.jpg" for n in count())


def _host(number: int) -> str:
    return f"h{number}{site.SUFFIX}"


def table(steps: Sequence[Figures]) -> str:
    """Return the Markdown table: a row for each figure, a column for each size, the ratio."""
    sizes = " | ".join(f"{step.queued_count:,} queued" for step in steps)
    rows = [
        ("queueing: ms of processor an image", [step.queue_cpu for step in steps]),
        ("claim, request and record: ms of processor an image", [s.settle_cpu for s in steps]),
        ("… claim alone, ms an image by the clock", [step.claim for step in steps]),
        ("… record alone, ms an image by the clock", [step.record for step in steps]),
        ("counts of the dataset: ms of processor an answer", [s.counts_cpu for s in steps]),
        ("a page of 100 images: ms of processor an answer", [step.page_cpu for step in steps]),
        ("resident memory, MB", [step.resident_mb for step in steps]),
    ]
    lines = [f"| what | {sizes} | last : first |", "| --- |" + " --- |" * (len(steps) + 1)]
    for what, values in rows:
        shown = " | ".join(f"{value:.3g}" for value in values)
        lines.append(f"| {what} | {shown} | {values[-1] / values[0]:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Parse options, measure, print.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description="Measure the queue as it grows.")
    sizes = [10_000, 100_000, 1_000_000]
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes, help="ascending")
    parser.add_argument("--rounds", type=int, default=1, help="measurements of each size")
    options = parser.parse_args()
    if missing := site.missing_programs():
        sys.stderr.write(f"Needed and not found: {', '.join(missing)}. On Debian: apt install\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="bowerbird-bench-") as folder:
        work = Path(folder)
        (work / "nginx").mkdir()
        with site.serving(work / "empty", work / "nginx") as nginx:
            hosts = [f"{_host(number)}:{nginx.http_port}" for number in range(HOST_COUNT)]
            with (
                served.serving(work / "data", hosts, BOWERBIRD_LOG_LEVEL="warning") as server,
                server.client() as client,
            ):
                growth = Growth(server, client, nginx.http_port)
                growth.measure(2 * MEASURED_COUNT)  # what is made at first use is not growth
                steps = [
                    _median([growth.measure(size) for _ in range(options.rounds)])
                    for size in options.sizes
                ]
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}, Python "
        f"{platform.python_version()}; target: last : first at most {TARGET_RATIO}\n\n"
    )
    sys.stdout.write(table(steps))
    return 0


def _median(rounds: Sequence[Figures]) -> Figures:
    columns = [[float(value) for value in vars(one).values()] for one in rounds]
    middle = [statistics.median(column) for column in zip(*columns, strict=True)]
    return Figures(int(middle[0]), *middle[1:])


if __name__ == "__main__":
    sys.exit(main())

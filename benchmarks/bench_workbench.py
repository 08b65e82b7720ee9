"""The workbench with 100,000 images: lists, scrolling, look-alikes, snapshots, exports, memory.

Run ``make bench-workbench``: a Markdown table with the target beside each figure goes to stdout,
progress to stderr. The data folder is made once and kept; a real server process on loopback
answers. By the wall clock, so it needs a quiet machine; the server's processor time stands beside
it, which other work hardly changes. Linux only.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from benchmarks import bench_near, grid_scroll, workbench_requests
from benchmarks.bench_exports import HASH_ALL, compare_exports, system
from benchmarks.bench_server import ROOT, Running, running_server, tell
from benchmarks.large_dataset import LargeDataset, prepare
from benchmarks.workbench_requests import Times
from server.media.near import Look

FOLDER = ROOT / "build" / "bench" / "workbench"
PARTS = ("lists", "near", "scroll", "snapshot", "exports")
WAIT_S = 600.0  # of a snapshot beside much other work
FIRST_PAGE_MS, LIST_MS, NEAR_MS, MOST_MB = 150, 200, 5, 400
SNAPSHOT_RATIO, EXPORT_RATIO = 1.5, 0.7
FRAME_RATE, FRAME_SLACK = 60, 0.5  # the clock of the frames is no better
SHOWN = 5  # of the slowest lists, by name

Line = tuple[str, str, str, str]


@dataclass(frozen=True)
class Bench:
    """What is measured, and how often."""

    server: Running
    client: httpx2.Client
    data: Path
    made: LargeDataset
    turns: int

    @property
    def dataset(self) -> str:
        """Return the dataset's path."""
        return f"/api/v1/datasets/{self.made.dataset_id}"


def verdict(is_met: bool) -> str:
    """Return how a target is said to be met."""
    return "met" if is_met else "missed"


def line(name: str, all_times: Sequence[Times], most_ms: float) -> Line:
    """Return the row of some answers: the slowest median by the clock counts."""
    slowest = max(all_times, key=lambda times: times.median_ms)
    most = max(max(times.wall_ms) for times in all_times)
    cpu_ms = max(statistics.fmean(times.cpu_ms) for times in all_times)
    name = name if len(all_times) == 1 else f"{name}, {len(all_times)} of them: the slowest"
    said = f"{slowest.median_ms:.0f} ms (at most {most:.0f}); processor {cpu_ms:.0f} ms"
    said = said if len(all_times) == 1 else f"{said}: {slowest.name}"
    return name, said, f"under {most_ms:.0f} ms", verdict(slowest.median_ms < most_ms)


def measure_lists(bench: Bench) -> list[Line]:
    """Return rows on what the pages ask for."""
    tell("asking for lists")

    def ask(name: str, path: str, params: workbench_requests.Params) -> Times:
        arguments = (bench.client, bench.server.pid, name, path, params)
        workbench_requests.measure(*arguments, turns=1)  # what is read from disk once
        return workbench_requests.measure(*arguments, turns=bench.turns)

    def page(name: str, path: str, params: workbench_requests.Params) -> Times:
        limit = {"limit": str(workbench_requests.PAGE)}
        return ask(name, f"{bench.dataset}/{path}", {**params, **limit})

    lists = [page(name, "images", wanted) for name, wanted in workbench_requests.lists(bench.made)]
    first = [page("first page", "images", {})]
    jump = [page("jump", "images", {"skip": str(bench.made.count - workbench_requests.PAGE)})]
    pairs = [times for times in lists if " + " in times.name]
    single = [times for times in lists if " + " not in times.name]
    slowest = sorted(lists, key=lambda times: -times.median_ms)[:SHOWN]
    tell("; ".join(f"{times.name}: {times.median_ms:.0f} ms" for times in slowest))
    doubts = [
        page(f"suspicions {wanted}", "suspicions", wanted)
        for wanted in workbench_requests.suspicions()
    ]
    return [
        line("first page of the grid", first, FIRST_PAGE_MS),
        line("last page, by skip", jump, LIST_MS),
        line("every filter with every sort", single, LIST_MS),
        line("every two filters", pairs, LIST_MS),
        line("facets", [ask("facets", f"{bench.dataset}/facets", {})], LIST_MS),
        line("stacks", [page("stacks", "stacks", {})], LIST_MS),
        line("conflicts", [page("conflicts", "conflicts", {})], LIST_MS),
        line("suspicions", doubts, LIST_MS),
    ]


def measure_near(bench: Bench) -> list[Line]:
    """Return the row on finding the look-alike of one new image."""
    tell("looking for look-alikes")
    chance = random.Random(bench.made.count)  # noqa: S311 - the same each time
    looks = [Look(chance.getrandbits(64), chance.getrandbits(64)) for _ in range(bench.made.count)]
    figure = bench_near.measure("ours", bench_near.build_exact, looks)
    said = f"{figure.median_ms:.3f} ms (at most {figure.worst_ms:.2f})"
    is_met = figure.median_ms < NEAR_MS
    name = f"look-alike of a new image, {figure.recall:.0%} found"
    return [(name, said, f"under {NEAR_MS} ms", verdict(is_met))]


def measure_scroll(bench: Bench) -> list[Line]:
    """Return rows on frames in Chromium."""
    tell("scrolling")
    with tempfile.TemporaryDirectory(prefix="bowerbird-bench-") as profile:
        found = grid_scroll.measure(
            Path(profile), bench.client, bench.server.url, bench.made.dataset_id
        )
    lines = []
    for name, seen in found.items():
        rate, long = seen.frames_per_second, len(seen.long_ms)
        slow = f"of 100 frames one took over {seen.slow_ms:.0f} ms"
        said = f"{rate:.1f}/s; {slow}; processor {seen.cpu_ms:.1f} ms a frame"
        is_met = rate > FRAME_RATE - FRAME_SLACK
        lines.append((f"frames, {name}", said, f"{FRAME_RATE}/s", verdict(is_met)))
        most = f", at most {max(seen.long_ms):.0f} ms" if long else ""
        told = f"… tasks over {grid_scroll.LONG_TASK_MS} ms"
        lines.append((told, f"{long}{most}", "0", verdict(long == 0)))
    return lines


def measure_snapshots(bench: Bench) -> list[Line]:
    """Return the row on snapshots beside ``sha256sum``."""
    tell("taking snapshots")
    blobs = bench.data / "blobs"
    ours, base = [], []
    for _ in range(bench.turns):
        base.append(system(HASH_ALL, blobs))
        started_s = time.perf_counter()
        bench.client.post(f"{bench.dataset}/snapshots", json={}).raise_for_status()
        ours.append(time.perf_counter() - started_s)
    ratio = statistics.median(one / other for one, other in zip(ours, base, strict=True))
    said = (
        f"{statistics.median(ours):.2f} s, sha256sum {statistics.median(base):.2f} s: {ratio:.2f}"
    )
    limit = f"at most {SNAPSHOT_RATIO}"
    return [("snapshot", said, limit, verdict(ratio <= SNAPSHOT_RATIO))]


def measure_exports(bench: Bench) -> list[Line]:
    """Return rows on exports beside ``zip -0`` and ``tar``."""
    tell("exporting")
    url = f"{bench.server.url}/api/v1/snapshots/{bench.made.snapshot_id}/export?format="
    out = bench.data.with_name("out")
    compared = compare_exports(url, bench.server.token, bench.data / "blobs", out, bench.turns)
    lines = []
    for name in dict.fromkeys(each.name for each in compared):
        turns = [each for each in compared if each.name == name]
        ratio = statistics.median(each.speed_ratio for each in turns)
        ours_s = statistics.median(each.ours_s for each in turns)
        tool_s = statistics.median(each.tool_s for each in turns)
        said = f"{ours_s:.2f} s, {turns[0].tool} {tool_s:.2f} s: {ratio:.0%} of its speed"
        limit = f"at least {EXPORT_RATIO:.0%}"
        lines.append((f"export, {name}", said, limit, verdict(ratio >= EXPORT_RATIO)))
    return lines


def read_peak_mb(pid: int) -> float:
    """Return the most memory that a process has held, in 10^6 bytes."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def forget_snapshots(data: Path, kept_id: str) -> None:
    """Remove the snapshots that were taken here, so that the next run finds what this one did."""
    with closing(sqlite3.connect(data / "bowerbird.db")) as connection, connection:
        connection.execute("DELETE FROM snapshots WHERE id <> ?", [kept_id])
    for path in (data / "snapshots").iterdir():
        if not path.name.startswith(kept_id):
            path.unlink()


MEASURES: dict[str, Callable[[Bench], list[Line]]] = {
    "lists": measure_lists,
    "near": measure_near,
    "scroll": measure_scroll,
    "snapshot": measure_snapshots,
    "exports": measure_exports,
}


def measure(data: Path, made: LargeDataset, parts: Sequence[str], turns: int) -> list[Line]:
    """Return all rows, each part's after the other's."""
    lines: list[Line] = []
    peak_mb = 0.0
    with running_server(data) as server, server.client() as client:
        client.timeout = WAIT_S
        bench = Bench(server, client, data, made, turns)
        for part in parts:
            lines += MEASURES[part](bench)
            peak_mb = read_peak_mb(server.pid)
            tell(f"the server has held {peak_mb:.0f} MB")
        said, limit = f"{peak_mb:.0f} MB", f"under {MOST_MB} MB"
        lines.append(("memory of the server, highest", said, limit, verdict(peak_mb < MOST_MB)))
    forget_snapshots(data, made.snapshot_id)
    return lines


def main() -> None:
    """Parse options, measure, print."""
    parser = argparse.ArgumentParser(description="Measure the workbench with a large dataset.")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--mean-bytes", type=int, default=5_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--data", type=Path, default=FOLDER, help="Made if it is not there.")
    wanted = parser.parse_args()
    tell(f"preparing {wanted.count:,} images in {wanted.data}")
    wanted.data.parent.mkdir(parents=True, exist_ok=True)
    made = prepare(wanted.data, wanted.count, wanted.mean_bytes)
    load = os.getloadavg()[0]
    lines = measure(wanted.data, made, wanted.only, wanted.turns)
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}, Python "
        f"{platform.python_version()}; {wanted.count:,} images, median of {wanted.turns}, load "
        f"average {load:.1f} before and {os.getloadavg()[0]:.1f} after\n\n"
        "| what | measured | target | |\n| --- | --- | --- | --- |\n"
    )
    for row in lines:
        sys.stdout.write(f"| {' | '.join(row)} |\n")


if __name__ == "__main__":
    main()

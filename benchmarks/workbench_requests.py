"""What the workbench's pages ask of a server with a large dataset, and how long it takes.

Every filter alone, with each sort, and every two of them; facets, stacks, suspicions. May import
``bench_server`` and the large dataset.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import httpx2

from benchmarks.large_dataset import LABELS, QUERIES, LargeDataset

PAGE = 200  # as the grid asks
TICKS = os.sysconf("SC_CLK_TCK")
SORTS = ("oldest", "newest", "luma_p99", "-sharpness", "entropy_bits", "-aspect", "size", "-size")
Params = Mapping[str, str]


@dataclass
class Times:
    """What answers took, in milliseconds by the client's clock; ``cpu_ms`` by the server's."""

    name: str
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    @property
    def median_ms(self) -> float:
        """Return the median by the clock."""
        return statistics.median(self.wall_ms)


def filters(made: LargeDataset) -> dict[str, Params]:
    """Return a value of each filter that has many images, and one that has few where it differs."""
    return {
        "label": {"label": LABELS[0]},
        "rare label": {"label": LABELS[-1]},
        "status": {"status": "ready"},
        "reason": {"reason": "http-status"},
        "excluded": {"excluded": "true"},
        "included": {"excluded": "false"},
        "reviewed": {"reviewed": "true"},
        "not reviewed": {"reviewed": "false"},
        "engine": {"engine": "google"},
        "query": {"query": QUERIES[0]},
        "site": {"site": made.site},
        "min_px": {"min_px": "500"},
        "max_px": {"max_px": "500"},
        "captured": {"captured_from": "2026-03-01", "captured_to": "2026-05-31"},
        "split": {"snapshot": made.snapshot_id, "split": "train"},
        "near_group": {"near_group": made.near_group},
        "hint": {"hint": "blurry"},
        "q, common": {"q": "feather"},
        "q, rare": {"q": "4711"},
        "q, two letters": {"q": "ea"},
        "q, nothing": {"q": "no such words"},
    }


def lists(made: LargeDataset) -> Iterator[tuple[str, Params]]:
    """Yield names and parameters: each filter with each sort, then pairs of filters."""
    single = filters(made)
    for sort in SORTS:
        yield f"all, {sort}", {"sort": sort}
        for name, wanted in single.items():
            yield f"{name}, {sort}", {**wanted, "sort": sort}
    for first, second in combinations(single, 2):
        if not single[first].keys() & single[second].keys():
            for sort in ("oldest", "-sharpness"):
                both = {**single[first], **single[second], "sort": sort}
                yield f"{first} + {second}, {sort}", both


def read_cpu_ms(pid: int) -> float:
    """Return the processor time of a process, all its threads; to ten milliseconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def measure(
    client: httpx2.Client, pid: int, name: str, path: str, params: Params, turns: int
) -> Times:
    """Ask ``turns`` times, one after the other."""
    times = Times(name)
    for _ in range(turns):
        cpu_ms, started_s = read_cpu_ms(pid), time.perf_counter()
        client.get(path, params=params).raise_for_status()
        times.wall_ms.append((time.perf_counter() - started_s) * 1000)
        times.cpu_ms.append(read_cpu_ms(pid) - cpu_ms)
    return times


def suspicions() -> list[Params]:
    """Return what the cleaner asks of suspicions, unfiltered and filtered."""
    one = {"label": LABELS[1]}
    both = {"reviewed": "false", "split": "train"}
    return [{}, one, {"split": "valid"}, {"reviewed": "false"}, {"reviewed": "true"}, one | both]

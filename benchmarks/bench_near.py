"""How fast a picture's look is found among many, beside other ways to look for it.

Run ``python benchmarks/bench_near.py`` from a checkout: a Markdown table goes to stdout. Hashes are
random; each query is a kept one with some bits flipped, so that there is something to find. May
import ``server.media``.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import sys
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.media.near import Look, NearIndex

QUERY_COUNT = 200
FLIPPED_BITS = 8
DISTANCE = 10
BAND_BITS = 16


@dataclass(frozen=True)
class Figure:
    """What one way took: build seconds, milliseconds a query, share found, megabytes."""

    name: str
    count: int
    build_s: float
    median_ms: float
    worst_ms: float
    recall: float
    megabytes: float


Find = Callable[[Look], object]


def build_exact(looks: Sequence[Look]) -> Find:
    """Ours: every hash is compared."""
    index = NearIndex((look, f"{number:064x}") for number, look in enumerate(looks))
    return index.find


def build_loop(looks: Sequence[Look]) -> Find:
    """A plain loop over Python's own integers."""
    hashes = [look.dhash for look in looks]

    def find(wanted: Look) -> object:
        return [n for n, each in enumerate(hashes) if (each ^ wanted.dhash).bit_count() <= DISTANCE]

    return find


def build_bands(looks: Sequence[Look]) -> Find:
    """Four tables by 16 bits each, looked up with at most one bit flipped: not exact."""
    tables: list[dict[int, list[int]]] = [defaultdict(list) for _ in range(64 // BAND_BITS)]
    hashes = [look.dhash for look in looks]
    mask = (1 << BAND_BITS) - 1
    for number, value in enumerate(hashes):
        for band, table in enumerate(tables):
            table[value >> (band * BAND_BITS) & mask].append(number)
    flips = [0, *(1 << bit for bit in range(BAND_BITS))]

    def find(wanted: Look) -> object:
        near = {
            number
            for band, table in enumerate(tables)
            for flip in flips
            for number in table.get((wanted.dhash >> (band * BAND_BITS) & mask) ^ flip, ())
        }
        return [n for n in near if (hashes[n] ^ wanted.dhash).bit_count() <= DISTANCE]

    return find


def flip_some(value: int, generator: random.Random) -> int:
    """Return ``value`` with some bits flipped."""
    for place in generator.sample(range(64), FLIPPED_BITS):
        value ^= 1 << place
    return value


def measure(name: str, build: Callable[[Sequence[Look]], Find], looks: Sequence[Look]) -> Figure:
    """Build an index and ask it."""
    generator = random.Random(1)  # noqa: S311 - the same queries each time
    queries = [generator.choice(looks) for _ in range(QUERY_COUNT)]
    queries = [Look(flip_some(look.dhash, generator), look.phash) for look in queries]
    tracemalloc.start()
    started = time.perf_counter()
    find = build(looks)
    build_s = time.perf_counter() - started
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    times_ms, found = [], 0
    for query in queries:
        started = time.perf_counter()
        found += bool(find(query))
        times_ms.append((time.perf_counter() - started) * 1e3)
    return Figure(
        name,
        len(looks),
        build_s,
        statistics.median(times_ms),
        max(times_ms),
        found / QUERY_COUNT,
        megabytes,
    )


def say(line: str) -> None:
    """Print a line as soon as it is known."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    counts = parser.parse_args().counts
    generator = random.Random(0)  # noqa: S311 - the same hashes each time
    looks = [Look(generator.getrandbits(64), generator.getrandbits(64)) for _ in range(max(counts))]
    say(f"{platform.platform()}, Python {platform.python_version()}")
    say("| way | hashes | build s | ms a query, median | … worst | found | MB |")
    say("| --- | --- | --- | --- | --- | --- | --- |")
    ways = {"ours, exact": build_exact, "16-bit bands": build_bands, "plain loop": build_loop}
    for count in counts:
        for name, build in ways.items():
            f = measure(name, build, looks[:count])
            say(
                f"| {f.name} | {f.count:,} | {f.build_s:.2f} | {f.median_ms:.3f} | "
                f"{f.worst_ms:.2f} | {f.recall:.1%} | {f.megabytes:.0f} |"
            )


if __name__ == "__main__":
    main()

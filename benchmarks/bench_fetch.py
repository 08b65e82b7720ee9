"""How fast images are fetched and verified, beside img2dataset, fastai and the bare limit.

Run ``make bench-fetch``, or ``python benchmarks/bench_fetch.py`` from a checkout: Markdown tables
go to stdout, progress to stderr. nginx serves one corpus on loopback; the programs take turns for
several rounds; medians are printed. The peers get environments of their own below ``build/bench``,
made at the first run. Linux only. May import ``server.config`` and what the server itself installs.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fetching import corpus, peers, programs, site
from fetching.corpus import Entry
from fetching.measured import Run
from fetching.programs import Program

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"


@dataclass(frozen=True)
class Setting:
    """One table: which addresses, and how they are reached."""

    title: str
    entries: Sequence[Entry]
    origin_of: Callable[[int, str], str]


@dataclass
class Row:
    """What was measured of one program in one setting."""

    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    whole_cpu_ms: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    false_accepts: int | None = None
    false_rejects: int | None = None

    def add(self, result: Run, entries: Sequence[Entry], urls: Sequence[str]) -> None:
        """Note a run."""
        self.rates.append(len(entries) / result.seconds)
        self.cpu_ms.append(result.cpu_s * 1000 / len(entries))
        self.whole_cpu_ms.append((result.cpu_s + result.start_cpu_s) * 1000 / len(entries))
        self.peak_mb.append(result.peak_mb)
        if result.kept is None:
            return
        judged = [
            (entry.is_usable, url in result.kept or entry.sha256 in result.kept)
            for entry, url in zip(entries, urls, strict=True)
        ]
        # The worst round counts.
        accepts = sum(kept and not usable for usable, kept in judged)
        rejects = sum(usable and not kept for usable, kept in judged)
        self.false_accepts = max(self.false_accepts or 0, accepts)
        self.false_rejects = max(self.false_rejects or 0, rejects)


def measure(setting: Setting, chosen: Sequence[Program], rounds: int, work: Path) -> dict[str, Row]:
    """Let the programs take turns; return a row for each, by name.

    What a program wrote is emptied, and stays there: for minutes ext4 does not give the numbers of
    deleted files to new ones, and passing them over costs whoever comes next up to 1.5 ms a file.
    """
    rows = {program.name: Row() for program in chosen}
    urls = list(corpus.urls_of(setting.entries, setting.origin_of))
    for number in range(rounds):
        for program in chosen:
            tell(f"{setting.title}: round {number + 1} of {rounds}, {program.name}")
            folder = Path(tempfile.mkdtemp(dir=work))
            rows[program.name].add(program.run(urls, folder), setting.entries, urls)
            empty_files(folder)
    return rows


def empty_files(folder: Path) -> None:
    """Give the room of all files back, but not the files."""
    for parent, _, names in os.walk(folder):
        for name in names:
            os.truncate(Path(parent) / name, 0)


def tell(text: str) -> None:
    """Say what goes on, beside the result."""
    sys.stderr.write(f"{text} …\n")
    sys.stderr.flush()


def spread(values: Sequence[float], form: str) -> str:
    """Return median and range, each written as ``form`` says."""
    shown = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return "{} ({} to {})".format(*shown)


def write_table(setting: Setting, rows: dict[str, Row]) -> str:
    """Return a Markdown table."""
    count = len(setting.entries)
    columns = ["program", "images/s", "CPU ms an image", "… with its start", "peak MB"]
    columns += ["false accepts", "false rejects"]
    lines = [
        f"### {setting.title}, {count:,} addresses",
        "",
        f"| {' | '.join(columns)} |",
        "|" + " --- |" * len(columns),
    ]
    for name, row in rows.items():
        wrong = ("-" if n is None else str(n) for n in (row.false_accepts, row.false_rejects))
        figures = (
            spread(row.rates, "{:.0f}"),
            spread(row.cpu_ms, "{:.1f}"),
            spread(row.whole_cpu_ms, "{:.1f}"),
            spread(row.peak_mb, "{:.0f}"),
            *wrong,
        )
        lines.append(f"| {name} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure downloading beside the peers.")
    parser.add_argument("--images", type=int, default=2500, help="addresses by HTTP")
    parser.add_argument("--https-images", type=int, default=1000, help="addresses by HTTPS")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program")
    parser.add_argument("--only", nargs="+", help="programs, by the beginning of their names")
    parser.add_argument(
        "--settings", nargs="+", default=["clean", "dirty", "https", "apart"], help="which tables"
    )
    return parser.parse_args()


def main() -> int:
    """Parse options, measure, print.

    Returns:
        The exit code.
    """
    options = parse_options()
    if missing := site.missing_programs():
        sys.stderr.write(f"Needed and not found: {', '.join(missing)}. On Debian: apt install\n")
        return 2
    root = BUILD / "corpus"
    tell(f"drawing {options.images:,} photos, those that are not there yet")
    clean = corpus.make_clean(root, options.images)
    dirty = corpus.make_dirty(root, clean)
    environments = peers.prepare(BUILD, tell)
    python = platform.python_version()
    sys.stdout.write(
        f"{datetime.now(UTC).date()}, {platform.system()} {platform.machine()}, Python {python}; "
        f"{options.rounds} rounds, median (range)\n\n"
    )
    with tempfile.TemporaryDirectory(prefix="bowerbird-bench-") as folder:
        work = Path(folder)
        nginx = work / "nginx"
        nginx.mkdir()
        with site.serving(root, nginx) as served:
            apart = clean[: options.https_images]
            settings = {
                "clean": Setting("HTTP, clean", clean, served.http),
                "dirty": Setting("HTTP, dirty", dirty, served.http_by_folder),
                "https": Setting("HTTPS, one host", apart, served.https),
                "apart": Setting("HTTPS, a host each", apart, served.https_apart),
            }
            chosen = [
                program
                for program in programs.make_programs(environments, served)
                if not options.only or program.name.startswith(tuple(options.only))
            ]
            for name in options.settings:
                rows = measure(settings[name], chosen, options.rounds, work)
                sys.stdout.write(write_table(settings[name], rows) + "\n")
                sys.stdout.flush()
        shutil.rmtree(nginx)
    return 0


if __name__ == "__main__":
    sys.exit(main())

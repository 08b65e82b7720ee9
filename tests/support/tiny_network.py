"""A network of a few thousand weights with everything a backbone has, for tests of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from server.contract.preprocess import Preprocessing
from tests.support.snapshots import make_snapshot
from trainer.backbones.loading import LoadedBackbone
from trainer.data.pictures import PictureStore
from trainer.fine_tuning.loop import Material
from trainer.fine_tuning.run import Start, gather
from trainer.head import Head

SIDE_PX = 32
NUMBERS = Preprocessing(size_px=SIDE_PX, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def tiny_backbone(seed: int = 0) -> LoadedBackbone:
    """Return a backbone of two layers; the same seed gives the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2),
            nn.ReLU(),
            nn.Dropout(0.5),  # must have no say: networks learn in evaluation mode
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
    return LoadedBackbone(
        "tiny", module.eval(), "0" * 64, 16, NUMBERS.mean, NUMBERS.std, late=("3.",)
    )


def tiny_start(folder: Path, images: Mapping[str, Sequence[bytes]]) -> Start:
    """Return where a fine-tuning of the tiny backbone begins: its head knows nothing."""
    snapshot = make_snapshot(folder / "blobs", images)
    count = len(snapshot.manifest.classes)
    head = Head(torch.zeros(count, 16).double().numpy(), torch.zeros(count).double().numpy(), 1, 1)
    valid_count = int(snapshot.is_valid().sum())
    logits = torch.zeros(valid_count, count).double().numpy()
    return Start(snapshot, tiny_backbone(), NUMBERS, head, logits)


def tiny_material(start: Start, store: PictureStore) -> Material:
    """Return the images of a start."""
    return gather(start, store, lambda *_: None)

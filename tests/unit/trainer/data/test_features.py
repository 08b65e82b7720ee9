"""Features: computed once, in the manifest's order, resumed after a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

from server.contract.preprocess import Preprocessing, preprocess
from tests.support.snapshots import coloured, make_snapshot
from trainer.backbones.loading import LoadedBackbone
from trainer.data.features import Extractor
from trainer.data.store import open_store
from trainer.errors import JobFailedError, JobStoppedError

pytestmark = pytest.mark.slow

_NUMBERS = Preprocessing(size_px=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


class _Means(nn.Module):
    """A backbone of three features, the channels' means, that counts the images it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen += len(images)
        return images.mean(dim=(2, 3))


def _extractor(weights: str = "a" * 64, batch_size: int = 4) -> Extractor:
    backbone = LoadedBackbone("means", _Means(), weights, 3, (0.5,) * 3, (0.5,) * 3)
    return Extractor(backbone, _NUMBERS, batch_size)


def _seen(extractor: Extractor) -> int:
    return cast(_Means, extractor.backbone.module).seen


def _ignore(done: int, total: int) -> None:
    """Take progress and do nothing."""


class _Small(_Means):
    """Has room for two images at once."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if len(images) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return super().forward(images)


def test_batches_are_halved_when_memory_runs_out(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(3))
    roomy, small = _extractor(batch_size=7), _extractor(batch_size=7)
    small = replace(small, backbone=replace(small.backbone, module=_Small()))
    with open_store(tmp_path / "a.sqlite") as store, open_store(tmp_path / "b.sqlite") as other:
        expected = roomy.extract(snapshot, store, _ignore)
        np.testing.assert_array_equal(
            small.extract(snapshot, other, _ignore).features, expected.features
        )
    assert _seen(small) == 9


def test_features_follow_the_manifest(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(3))
    steps: list[tuple[int, int]] = []
    with open_store(tmp_path / "f.sqlite") as store:
        result = _extractor().extract(snapshot, store, lambda *step: steps.append(step))
    for row, item in enumerate(snapshot.items):
        expected = preprocess(snapshot.path(item), _NUMBERS).mean(axis=(1, 2))
        np.testing.assert_allclose(result.features[row], expected, atol=1e-6)
        strongest = ("red", "green", "blue")[int(result.pixels[row].mean(axis=(0, 1)).argmax())]
        assert strongest == item.label
    assert result.pixels.shape == (9, 32, 32, 3)
    assert steps == [(0, 9), (4, 9), (8, 9), (9, 9)]


def test_cached_features_are_not_computed_again(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(2))
    first, second = _extractor(), _extractor()
    with open_store(tmp_path / "f.sqlite") as store:
        one = first.extract(snapshot, store, _ignore)
    with open_store(tmp_path / "f.sqlite") as store:
        two = second.extract(snapshot, store, _ignore)
    assert (_seen(first), _seen(second)) == (6, 0)
    np.testing.assert_array_equal(one.features, two.features)
    np.testing.assert_array_equal(one.pixels, two.pixels)


def test_a_larger_snapshot_computes_only_what_is_new(tmp_path: Path) -> None:
    with open_store(tmp_path / "f.sqlite") as store:
        _extractor().extract(make_snapshot(tmp_path, coloured(2)), store, _ignore)
        again = _extractor()
        again.extract(make_snapshot(tmp_path, coloured(3)), store, _ignore)
    assert _seen(again) == 3


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(4))

    def stop_at_eight(done: int, total: int) -> None:
        if done >= 8:
            raise JobStoppedError("cancelled")

    with open_store(tmp_path / "f.sqlite") as store:
        with pytest.raises(JobStoppedError):
            _extractor().extract(snapshot, store, stop_at_eight)
        again = _extractor()
        again.extract(snapshot, store, _ignore)
    assert _seen(again) == 4


def test_other_weights_and_numbers_have_their_own_features(tmp_path: Path) -> None:
    other_numbers = Preprocessing(size_px=64, mean=_NUMBERS.mean, std=_NUMBERS.std)
    base = _extractor()
    variants = {
        base.variant,
        _extractor("b" * 64).variant,
        Extractor(base.backbone, other_numbers, 4).variant,
    }
    assert len(variants) == 3
    assert _extractor(batch_size=9).variant == base.variant


def test_an_image_that_cannot_be_read_fails_the_job_by_name(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(2))
    bad = snapshot.items[3]
    snapshot.path(bad).write_bytes(b"no image")
    with open_store(tmp_path / "f.sqlite") as store, pytest.raises(JobFailedError) as caught:
        _extractor().extract(snapshot, store, _ignore)
    assert caught.value.kind == "blob-unreadable"
    assert bad.sha256 in caught.value.detail

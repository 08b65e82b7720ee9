"""The training: it learns, it is the same again, and a kill changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from server.contract.recipes import FineTuneRecipe
from server.contract.training import TrainingStage
from tests.support.snapshots import coloured
from tests.support.tiny_network import tiny_material, tiny_start
from trainer.data.pictures import PictureStore, open_pictures
from trainer.errors import JobStoppedError
from trainer.fine_tuning import loop
from trainer.fine_tuning.checkpoint import Checkpoint
from trainer.fine_tuning.loop import FineTuner, Progress, evaluate, stages_of
from trainer.fine_tuning.run import Start, unfreeze

pytestmark = pytest.mark.slow

_RECIPE = FineTuneRecipe(
    size_px=64, train_size_px=32, updates=12, batch_size=5, lr=1e-2, mixup=0.2, ema_decay=0.8
)


def _train(
    folder: Path, start: Start, recipe: FineTuneRecipe = _RECIPE, stop_at: int | None = None
) -> tuple[nn.Module, Progress]:
    """Train; with ``stop_at``, die at the first word of that update."""

    def step(done: int, _total: int) -> None:
        if done == stop_at:
            raise JobStoppedError("cancelled")

    with open_pictures(folder / "pictures.sqlite", 1 << 24) as store:
        network, groups = unfreeze(start)
        tuner = _tuner(network, groups, recipe, start, store, folder)
        return network, tuner.run(step)


def _tuner(network, groups, recipe, start, store: PictureStore, folder: Path) -> FineTuner:
    material = tiny_material(start, store)
    return FineTuner(network, groups, recipe, material, Checkpoint(folder / "checkpoints", "k"))


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Coloured pictures and a head that knows nothing."""
    return tiny_start(tmp_path, coloured(6))


def _assert_same(first: nn.Module, second: nn.Module) -> None:
    for (name, tensor), other in zip(
        first.state_dict().items(), second.state_dict().values(), strict=True
    ):
        assert torch.equal(tensor, other), name


def test_eight_images_are_learned_by_heart(tmp_path: Path) -> None:
    recipe = _RECIPE.model_copy(
        update={"updates": 60, "batch_size": 8, "augmentation": "none", "mixup": 0.0}
    )
    start = tiny_start(tmp_path, coloured(6))
    with open_pictures(tmp_path / "pictures.sqlite", 1 << 24) as store:
        material = tiny_material(start, store)
        material = replace(
            material, train=material.train[:8], train_labels=material.train_labels[:8]
        )
        network, groups = unfreeze(start)
        checkpoint = Checkpoint(tmp_path / "checkpoints", "k")
        progress = FineTuner(network, groups, recipe, material, checkpoint).run(lambda *_: None)
        logits = evaluate(network, material.pictures, material.train, lambda *_: None)
    assert len(material.train) == 8
    assert (logits.argmax(axis=1) == material.train_labels).all()
    assert progress.stages[-1]["train_loss"] < 0.1 < progress.stages[0]["train_loss"]


def test_the_same_seed_gives_the_same_network(tmp_path: Path, start: Start) -> None:
    first, progress = _train(tmp_path / "a", start)
    again, _ = _train(tmp_path / "b", start)
    other, _ = _train(tmp_path / "c", start, _RECIPE.model_copy(update={"seed": 1}))
    _assert_same(first, again)
    assert not torch.equal(first.head.weight, other.head.weight)
    assert [stage["update"] for stage in progress.stages] == [2, 3, 4, 6, 8, 9, 10, 12]


@pytest.mark.parametrize("stop_at", [1, 7, 11])
def test_a_training_that_was_killed_ends_as_if_it_had_not_been(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    monkeypatch.setattr(loop, "_SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(loop, "_SAVE_SHARE", float("inf"))
    whole, expected = _train(tmp_path / "whole", start)
    with pytest.raises(JobStoppedError):
        _train(tmp_path / "cut", start, stop_at=stop_at)
    told: list[int] = []
    shown: list[tuple[TrainingStage, ...]] = []
    with open_pictures(tmp_path / "pictures.sqlite", 1 << 24) as store:
        network, groups = unfreeze(start)
        tuner = _tuner(network, groups, _RECIPE, start, store, tmp_path / "cut")
        progress = tuner.run(lambda done, _total: told.append(done), shown.append)
    assert min(told) == stop_at - 1  # the word came after the update and before it was kept
    _assert_same(whole, network)
    assert progress.stages == expected.stages
    stages = stages_of(expected)
    # Those that were kept are shown at once; where none was, the first one is the first.
    kept = sum(stage.update < stop_at for stage in stages) or 1
    assert shown == [stages[:count] for count in range(kept, len(stages) + 1)]


def test_frozen_updates_change_the_head_alone(tmp_path: Path, start: Start) -> None:
    recipe = _RECIPE.model_copy(update={"updates": 3, "frozen_updates": 3, "ema_decay": 0.0})
    network, _ = _train(tmp_path, start, recipe)
    for weight, before in zip(
        network.backbone.parameters(), start.backbone.module.parameters(), strict=True
    ):
        assert torch.equal(weight, before)
    assert network.head.weight.abs().max() > 0


def test_early_layers_learn_more_slowly(tmp_path: Path, start: Start) -> None:
    recipe = _RECIPE.model_copy(update={"updates": 2, "first_lr_ratio": 0.01, "ema_decay": 0.0})
    network, _ = _train(tmp_path, start, recipe)
    moved = [
        (weight - before).abs().max().item()
        for weight, before in zip(
            network.backbone.parameters(), start.backbone.module.parameters(), strict=True
        )
    ]
    # Adam's steps are as long as the learning rate: ten times longer in the late group.
    assert moved[0] < moved[4] / 3


def test_a_time_budget_becomes_a_number_of_updates(tmp_path: Path, start: Start) -> None:
    recipe = _RECIPE.model_copy(update={"updates": None, "time_budget_s": 1.0})
    before = [weight.clone() for weight in start.backbone.module.parameters()]
    _, progress = _train(tmp_path, start, recipe)
    assert progress.done == progress.total >= 1
    for weight, kept in zip(start.backbone.module.parameters(), before, strict=True):
        assert torch.equal(weight, kept)  # a copy is trained


def test_small_classes_may_count_as_much_as_large_ones(tmp_path: Path) -> None:
    pictures = coloured(8)
    pictures["red"] = pictures["red"][:2]
    start = tiny_start(tmp_path, pictures)
    recipe = _RECIPE.model_copy(update={"updates": 2, "ema_decay": 0.0, "mixup": 0.0})
    plain, _ = _train(tmp_path / "a", start, recipe)
    balanced, _ = _train(
        tmp_path / "b", start, recipe.model_copy(update={"class_weights": "balanced"})
    )
    assert not np.allclose(plain.head.bias.detach(), balanced.head.bias.detach())

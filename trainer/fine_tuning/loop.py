"""The fine-tuning itself: from a network with a fitted head to the tuned network.

Reads top to bottom: plan, then update by update, with a look at the validation images at each
stage. Everything random is a function of the seed and the number of the update. May import torch,
``trainer.data``, ``trainer.optimisation``, ``trainer.phases`` and the rest of this package.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from server.contract.preprocess import normalise
from server.contract.recipes import MAX_UPDATES, FineTuneRecipe
from server.contract.snapshot import Item
from server.contract.training import TrainingStage
from trainer.data import augmentation
from trainer.data.batches import batch_of, generator_of, read_ahead
from trainer.data.pictures import Pictures
from trainer.errors import JobFailedError
from trainer.fine_tuning.checkpoint import Checkpoint
from trainer.fine_tuning.updates import DIVERGED, LossRules, Updater
from trainer.metrics import Floats, Labels
from trainer.optimisation.adamw import make_adamw, set_lr, set_pace
from trainer.optimisation.averaging import WeightAverage
from trainer.optimisation.lr_finder import STEPS, Point, sweep
from trainer.optimisation.schedules import OneCycle, geometric
from trainer.optimisation.targets import balanced_weights, mix, one_hot
from trainer.phases import Show, show_nobody

log = logging.getLogger(__name__)

_MAX_STAGES = 8  # looks at the validation images: some 5 % of the time of a small training
_EVALUATION_BATCH = 16  # as for features: more does not speed up a CPU
_SAVE_EVERY_S = 20.0  # what a kill loses at most
_SAVE_SHARE = 0.05  # of the time that saving may take: large networks are saved less often

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Material:
    """What is learned from and looked at.

    Attributes:
        pictures: Of both splits, at the size of the finished model.
        train: Images to learn from.
        train_labels: Their class indices.
        valid: Images to look at.
        valid_labels: Theirs.
        class_count: Number of classes.
    """

    pictures: Pictures
    train: Sequence[Item]
    train_labels: Labels
    valid: Sequence[Item]
    valid_labels: Labels
    class_count: int


@dataclass
class Progress:
    """How far the training is; kept in the checkpoint.

    Attributes:
        total: Updates to do.
        done: Updates done.
        losses: Of each update since the last stage.
        stages: So far.
        parts: That an update is computed in.
        seconds: Spent on updates.
    """

    total: int
    done: int = 0
    losses: list[float] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)
    parts: int = 1
    seconds: float = 0.0


class FineTuner:
    """One training.

    Args:
        network: ``[N, 3, H, W]`` → logits ``[N, C]``, on its device; changed in place.
        layer_groups: Its parameters from the input to the head, the head's last.
        recipe: How.
        material: With what.
        checkpoint: Where its state is kept.
    """

    def __init__(
        self,
        network: nn.Module,
        layer_groups: Sequence[Sequence[nn.Parameter]],
        recipe: FineTuneRecipe,
        material: Material,
        checkpoint: Checkpoint,
    ) -> None:
        self._network = network.eval()
        self._groups = layer_groups
        self._recipe = recipe
        self._material = material
        self._checkpoint = checkpoint
        self._device = next(network.parameters()).device
        lrs = geometric(recipe.lr * recipe.first_lr_ratio, recipe.lr, len(layer_groups))
        self._optimiser = make_adamw(layer_groups, lrs, recipe.weight_decay)
        self._average = WeightAverage(network, recipe.ema_decay) if recipe.ema_decay else None
        self._schedule = OneCycle()
        self._augmentation = augmentation.Augmentation(recipe.augmentation, recipe.min_scale)
        self._progress = Progress(recipe.updates_for(len(material.train)))

    def run(self, step: Step, show: Show = show_nobody) -> Progress:
        """Train to the end; the network then has its final weights.

        Args:
            step: Told (done, total) between the parts of updates; may raise to stop, and the same
                training is then taken up from its last checkpoint.
            show: Given all stages so far after each; and at once those that a training had when
                it is taken up again.

        Raises:
            JobFailedError: ``diverged``, ``out-of-memory`` or ``blob-unreadable``.
        """
        updater = Updater(self._network, self._optimiser, self._rules(), lambda: self._tell(step))
        if self._resume(updater):
            show(stages_of(self._progress))
        elif self._recipe.time_budget_s is not None:
            self._progress.total = self._fitting(self._recipe.time_budget_s)
        progress, saved_at, saving_s = self._progress, time.monotonic(), 0.0
        # Closed whatever happens: its thread must not read from a store that is closed after it.
        with closing(read_ahead(self._read, progress.done, progress.total)) as batches:
            for pixels, labels in batches:
                started = time.monotonic()
                self._update(updater, pixels, labels)
                progress.seconds += time.monotonic() - started
                self._tell(step)
                if progress.done in self._stage_ends():
                    progress.stages.append(self._look(step))
                    progress.losses.clear()
                    show(stages_of(progress))
                if time.monotonic() - saved_at >= max(_SAVE_EVERY_S, saving_s / _SAVE_SHARE):
                    started = time.monotonic()
                    self._save(updater)
                    saved_at = time.monotonic()
                    saving_s = saved_at - started
        if self._average is not None:
            self._average.apply()
        return progress

    def find_lr(self, step: Step) -> list[Point]:
        """Learn at ever higher learning rates; the network is of no use afterwards.

        Args:
            step: Told (done, total) before each update; may raise to stop.

        Raises:
            JobFailedError: ``out-of-memory`` or ``blob-unreadable``.
        """
        updater = Updater(self._network, self._optimiser, self._rules(), lambda: None)

        def learn(lr: float, number: int) -> float:
            step(number, STEPS)
            set_lr(self._optimiser, lr)
            images, targets = self._batch(number, *self._read(number))
            try:
                return updater.update(images, targets)
            except JobFailedError as error:
                if error.kind != DIVERGED:
                    raise
                return math.inf

        return sweep(learn)

    def _tell(self, step: Step) -> None:
        step(self._progress.done, self._progress.total)

    def _rules(self) -> LossRules:
        recipe, weights = self._recipe, None
        if recipe.class_weights == "balanced":
            weights = balanced_weights(self._material.train_labels, self._material.class_count)
            weights = weights.to(self._device)
        return LossRules(recipe.label_smoothing, weights, recipe.max_gradient_norm)

    # --- updates

    def _read(self, update: int) -> tuple[NDArray[np.uint8], Labels]:
        material = self._material
        chosen = batch_of(update, self._recipe.batch_size, len(material.train), self._recipe.seed)
        pixels = material.pictures.read([material.train[place] for place in chosen.tolist()])
        return pixels, material.train_labels[chosen]

    def _update(self, updater: Updater, pixels: NDArray[np.uint8], labels: Labels) -> None:
        progress = self._progress
        position = progress.done / progress.total
        set_pace(
            self._optimiser, self._schedule.lr_ratio(position), self._schedule.momentum(position)
        )
        self._freeze(progress.done < self._recipe.frozen_updates)
        images, targets = self._batch(progress.done, pixels, labels)
        progress.losses.append(updater.update(images, targets))
        progress.parts = updater.parts
        if self._average is not None:
            self._average.update(progress.done)
        progress.done += 1

    def _freeze(self, is_frozen: bool) -> None:
        for group in self._groups[:-1]:
            for parameter in group:
                parameter.requires_grad_(not is_frozen)
                if is_frozen:
                    parameter.grad = None

    def _batch(
        self, update: int, pixels: NDArray[np.uint8], labels: Labels
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return augmented, mixed and normalised images with their targets."""
        recipe = self._recipe
        generator = generator_of(update, recipe.seed)
        pictures = torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2).float() / 255
        changes = self._augmentation.draw(len(pictures), generator)
        changed = augmentation.apply(pictures, changes, recipe.training_side_px)
        targets = one_hot(labels, self._material.class_count)
        mixed, targets = mix(changed, targets, recipe.mixup, generator)
        numbers = self._material.pictures.preprocessing
        mean, std = (
            torch.tensor(values, device=self._device)[:, None, None]
            for values in (numbers.mean, numbers.std)
        )
        return (mixed - mean) / std, targets

    def _fitting(self, budget_s: float) -> int:
        """Return how many updates fit a budget, by computing two that change nothing."""
        images, targets = self._batch(0, *self._read(0))
        still = torch.optim.SGD(self._network.parameters(), lr=0.0)
        probe = Updater(self._network, still, self._rules(), lambda: None)
        probe.update(images, targets)  # the first one also allocates
        started = time.monotonic()
        probe.update(images, targets)
        seconds = time.monotonic() - started
        self._network.zero_grad(set_to_none=True)
        return min(MAX_UPDATES, max(1, math.floor(budget_s / seconds)))

    # --- looks

    def _stage_ends(self) -> set[int]:
        total = self._progress.total
        count = min(_MAX_STAGES, total)
        return {round(total * place / count) for place in range(1, count + 1)}

    def _look(self, step: Step) -> dict[str, float]:
        material, progress = self._material, self._progress
        logits = evaluate(
            self._network, material.pictures, material.valid, lambda *_: self._tell(step)
        )
        labels = material.valid_labels
        lowered = logits - logits.max(axis=1, keepdims=True)
        losses = np.log(np.exp(lowered).sum(axis=1)) - lowered[np.arange(len(labels)), labels]
        stage = {
            "update": progress.done,
            "epoch": progress.done * self._recipe.batch_size / len(material.train),
            "lr": max(group["lr"] for group in self._optimiser.param_groups),
            "train_loss": float(np.mean(progress.losses)),
            "valid_loss": float(losses.mean()),
            "valid_error_rate": float(np.mean(logits.argmax(axis=1) != labels)),
        }
        log.info("training.stage", extra=stage)
        return stage

    # --- checkpoints

    def _save(self, updater: Updater) -> None:
        self._checkpoint.save(
            {
                "progress": vars(self._progress) | {"parts": updater.parts},
                "network": self._network.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "average": self._average.tensors if self._average else [],
                "scaling": updater.scaling,
            }
        )

    def _resume(self, updater: Updater) -> bool:
        """Take up what an earlier process left; return whether there was anything."""
        state = self._checkpoint.find()
        if state is None:
            return False
        self._restore(state)
        updater.parts = self._progress.parts
        updater.scaling = state["scaling"]
        log.info("training.resumed", extra={"done": self._progress.done})
        return True

    def _restore(self, state: dict[str, Any]) -> None:
        self._network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._average is not None:
            self._average.load(state["average"])
        self._progress = Progress(**state["progress"])


def stages_of(progress: Progress) -> tuple[TrainingStage, ...]:
    """Return the stages in the form that the bundle keeps."""
    return tuple(
        TrainingStage(**(stage | {"update": int(stage["update"])})) for stage in progress.stages
    )


def evaluate(network: nn.Module, pictures: Pictures, items: Sequence[Item], step: Step) -> Floats:
    """Return logits ``[N, C]`` of images under the one evaluation preprocessing.

    Args:
        network: In evaluation mode.
        pictures: At the size of the finished model.
        items: N of them; above 0.
        step: Told (done, total) after each batch; may raise to stop.
    """
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode():
        for start in range(0, len(items), _EVALUATION_BATCH):
            squares = pictures.read(items[start : start + _EVALUATION_BATCH])
            images = np.stack([normalise(square, pictures.preprocessing) for square in squares])
            parts.append(network(torch.from_numpy(images).to(device)).float().cpu().numpy())
            step(min(start + _EVALUATION_BATCH, len(items)), len(items))
    result: Floats = np.concatenate(parts).astype(np.float64)
    return result

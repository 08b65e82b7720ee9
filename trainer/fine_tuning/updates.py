"""One update of a network: forward, backward, step. May import torch and ``trainer.optimisation``.

The network stays in evaluation mode while it learns: BatchNorm keeps the statistics it was trained
with (measured on 495 images in 10 classes: better than letting them follow batches of 32), and
neither dropout nor stochastic depth draws random numbers, so that the same seed gives the same
network. It also means that a batch computed in parts gives the gradient of the whole.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from trainer.errors import JobFailedError
from trainer.failures import is_out_of_memory
from trainer.optimisation.targets import loss_of

log = logging.getLogger(__name__)

DIVERGED = "diverged"  # a kind of failure


@dataclass(frozen=True)
class LossRules:
    """How wrong an answer is: see `server.contract.recipes.FineTuneRecipe`."""

    label_smoothing: float = 0.0
    class_weights: torch.Tensor | None = None
    max_gradient_norm: float | None = None


class Updater:
    """Takes a network from one update to the next.

    Args:
        network: ``[N, 3, H, W]`` → logits ``[N, C]``; on its device already.
        optimiser: Of its parameters.
        rules: How wrong an answer is.
        check: Called between the parts of an update; may raise to stop.
    """

    def __init__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        rules: LossRules,
        check: Callable[[], None],
    ) -> None:
        self._network = network
        self._optimiser = optimiser
        self._rules = rules
        self._check = check
        self._device = next(network.parameters()).device
        self._is_mixed = self._device.type == "cuda"  # half precision pays on its cores alone
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=self._is_mixed)
        self.parts = 1

    @property
    def scaling(self) -> dict[str, Any]:
        """The state of the loss scaling, which decides which updates are skipped; empty on CPUs."""
        return dict(self._scaler.state_dict())

    @scaling.setter
    def scaling(self, state: dict[str, Any]) -> None:
        if state:
            self._scaler.load_state_dict(state)

    def update(self, images: torch.Tensor, targets: torch.Tensor) -> float:
        """Change the weights once; return the loss in nats.

        When memory does not suffice, the same update is computed in twice as many parts, and so
        are all that follow.

        Args:
            images: ``[B, 3, H, W]``.
            targets: ``[B, C]``.

        Raises:
            JobFailedError: ``diverged``: the loss is no number; ``out-of-memory``: not even one
                image at a time.
        """
        loss: float | None = None
        while loss is None:
            try:
                loss = self._accumulate(images, targets)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(len(images))
        self._step()
        return loss

    def _accumulate(self, images: torch.Tensor, targets: torch.Tensor) -> float:
        """Leave the batch's gradient in the parameters; return the batch's loss."""
        self._optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for part, wanted in zip(
            images.tensor_split(self.parts), targets.tensor_split(self.parts), strict=True
        ):
            share = len(part) / len(images)
            with torch.autocast(self._device.type, enabled=self._is_mixed):
                logits = self._network(part.to(self._device))
            wanted_here = wanted.to(self._device)
            rules = self._rules
            loss = loss_of(logits, wanted_here, rules.label_smoothing, rules.class_weights) * share
            total += float(loss.detach())
            if not math.isfinite(total):
                raise _diverged()
            self._check()
            self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            self._check()
        return total

    def _step(self) -> None:
        limit = self._rules.max_gradient_norm
        if limit is not None:
            self._scaler.unscale_(self._optimiser)
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), limit)
        self._scaler.step(self._optimiser)
        self._scaler.update()

    def _shrink(self, image_count: int) -> None:
        self._optimiser.zero_grad(set_to_none=True)
        if self.parts >= image_count:
            raise JobFailedError(
                "out-of-memory",
                "The trainer's memory does not suffice for a single image. Close other programs, "
                "choose smaller images (size_px, train_size_px) or a smaller backbone.",
            )
        self.parts = min(2 * self.parts, image_count)
        log.warning("update.split", extra={"parts": self.parts})
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def _diverged() -> JobFailedError:
    return JobFailedError(
        DIVERGED,
        "The loss became infinite: the learning rate is too high for these images. Train again "
        "with a tenth of it; `bowerbird lr-find` shows which ones work.",
    )

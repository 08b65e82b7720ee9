"""The fine-tuning of a job: from the fitted head to the network that is kept.

May import the rest of this package, ``trainer.backbones``, ``data``, ``head``, ``network``,
``phases``, ``snapshot`` and the contract.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from server.contract.files import canonical_json, sha256_of
from server.contract.preprocess import Preprocessing
from server.contract.recipes import FineTuneRecipe, LrFindRecipe, Recipe
from server.contract.training import FineTuning
from trainer.backbones.loading import LoadedBackbone
from trainer.data.pictures import Pictures, PictureStore
from trainer.device import find_device
from trainer.errors import CANCELLED, JobStoppedError
from trainer.fine_tuning.checkpoint import Checkpoint
from trainer.fine_tuning.choice import Judged, choose, deal_validation, judge
from trainer.fine_tuning.loop import FineTuner, Material, Progress, evaluate, stages_of
from trainer.head import Head
from trainer.metrics import Floats
from trainer.network import Classifier, MirrorAveraged
from trainer.optimisation.lr_finder import Point, Suggestions, suggest
from trainer.phases import Show, show_nobody
from trainer.snapshot import LocalSnapshot

_FORM = 2  # of checkpoints and of what they are part of; counted up when either changes

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Start:
    """Where a fine-tuning begins.

    Attributes:
        backbone: Left as it is.
        head: Fitted on the training images' features.
        valid_logits: ``[V, C]`` of the validation images, by that head.
    """

    snapshot: LocalSnapshot
    backbone: LoadedBackbone
    preprocessing: Preprocessing
    head: Head
    valid_logits: Floats


@dataclass(frozen=True)
class Tuned:
    """What came of it.

    Attributes:
        network: The one that is kept, on the CPU, in evaluation mode.
        judged: The validation images, by the fine-tuned network; None when the head is kept.
        history: How it went.
    """

    network: nn.Module
    judged: Judged | None
    history: FineTuning


@contextmanager
def checkpointed(recipe: Recipe, start: Start, folder: Path) -> Iterator[Checkpoint]:
    """Keep the state of a training for as long as it may be taken up again.

    That is until the block has ended well, or the job is cancelled: a training that ends otherwise
    (killed, its lease lost, the disk full while the result was written) goes on where it was when
    the same comes again.

    Args:
        recipe: How.
        start: From where.
        folder: Of all checkpoints.
    """
    checkpoint = Checkpoint(folder, _key(recipe, start))
    try:
        yield checkpoint
    except JobStoppedError as error:
        if error.reason == CANCELLED:
            checkpoint.delete()
        raise
    checkpoint.delete()


def fine_tune(
    recipe: FineTuneRecipe,
    start: Start,
    store: PictureStore,
    checkpoint: Checkpoint,
    step: Step,
    show: Show = show_nobody,
) -> Tuned:
    """Fine-tune, and keep the result if it beats the head that it began with.

    Args:
        recipe: How.
        start: From where.
        store: Of pictures.
        checkpoint: Where its state is kept: see `checkpointed`.
        step: Told (done, total) often; may raise to stop. The same job goes on from its last
            checkpoint, to the same result.
        show: Given all stages so far, after each.

    Raises:
        JobFailedError: ``device-missing``, ``diverged``, ``out-of-memory``, ``blob-unreadable``.
    """
    material = gather(start, store, step)
    network, groups = unfreeze(start)
    network.to(find_device(recipe.device))
    progress = FineTuner(network, groups, recipe, material, checkpoint).run(step, show)
    finished = MirrorAveraged(network) if recipe.tta == "flip" else network
    # Its images are no updates: who follows the updates sees them all done.
    logits = evaluate(
        finished,
        material.pictures,
        material.valid,
        lambda *_: step(progress.done, progress.total),
    )
    groups_of = [item.group for item in material.valid]
    fold_of = deal_validation(material.valid_labels, groups_of, recipe.seed)
    judged = judge(logits, material.valid_labels, fold_of)
    head = judge(start.valid_logits, material.valid_labels, fold_of)
    choice = choose(head, judged, material.valid_labels, fold_of)
    history = FineTuning(
        updates=progress.done,
        epochs=progress.done * recipe.batch_size / len(material.train),
        image_count=len(material.train),
        device=next(network.parameters()).device.type,
        seconds_per_update=progress.seconds / progress.done,
        stages=stages_of(progress),
        choice=choice,
        notes=_notes(progress, recipe),
    )
    if choice.kept == "head":
        return Tuned(Classifier(start.backbone, start.head).eval(), None, history)
    return Tuned(finished.cpu().eval(), judged, history)


def find_lr(
    recipe: LrFindRecipe, start: Start, store: PictureStore, folder: Path, step: Step
) -> tuple[list[Point], Suggestions]:
    """Find learning rates for fine-tuning; ``start`` is left as it is.

    Args:
        recipe: How.
        start: From where.
        store: Of pictures.
        folder: Of checkpoints; none is made.
        step: Told (done, total) often; may raise to stop.

    Raises:
        JobFailedError: ``curve-too-short``, and as `fine_tune`.
    """
    material = gather(start, store, step)
    network, groups = unfreeze(start)
    network.to(find_device(recipe.device))
    tuning = recipe.as_fine_tune()
    checkpoint = Checkpoint(folder, _key(tuning, start))
    points = FineTuner(network, groups, tuning, material, checkpoint).find_lr(step)
    return points, suggest(points)


def gather(start: Start, store: PictureStore, step: Step) -> Material:
    """Return the images of both splits, decoded as far as the store has room.

    Args:
        start: Its snapshot and preprocessing are used.
        store: Of pictures.
        step: Told (done, total) after each chunk; may raise to stop.
    """
    snapshot = start.snapshot
    pictures = Pictures(snapshot, start.preprocessing, store)
    pictures.prepare(snapshot.items, step)
    is_valid, labels = snapshot.is_valid(), snapshot.labels()
    items = np.array(snapshot.items, dtype=object)
    return Material(
        pictures=pictures,
        train=items[~is_valid].tolist(),
        train_labels=labels[~is_valid],
        valid=items[is_valid].tolist(),
        valid_labels=labels[is_valid],
        class_count=len(snapshot.manifest.classes),
    )


def unfreeze(start: Start) -> tuple[Classifier, list[list[nn.Parameter]]]:
    """Return a copy of the network that may change, and its layer groups: early, late, head."""
    backbone = copy.deepcopy(start.backbone)
    network = Classifier(backbone, start.head).eval().requires_grad_(requires_grad=True)
    return network, [*backbone.groups(), list(network.head.parameters())]


def _key(recipe: Recipe, start: Start) -> str:
    """Return a name for all that the result depends on."""
    parts = {
        "form": _FORM,
        "recipe": recipe.model_dump(mode="json"),
        "manifest": start.snapshot.manifest.sha256,
        "weights": start.backbone.weights_sha256,
    }
    return sha256_of(canonical_json(parts))


def _notes(progress: Progress, recipe: FineTuneRecipe) -> tuple[str, ...]:
    if progress.parts == 1:
        return ()
    split = (
        f"Memory did not suffice for {recipe.batch_size} images at once: each update was computed "
        f"in {progress.parts} parts, which gives the same network."
    )
    return (split,)

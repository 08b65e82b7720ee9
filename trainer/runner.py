"""One job end to end: from a snapshot on this machine to a bundle. No network.

May import all of the trainer's parts but client and worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import torch

from server.contract.bundle import (
    EVALUATION_JSON,
    HISTORY_JSON,
    MODEL_CARD,
    MODEL_ONNX,
    Backbone,
    BundleManifest,
    Calibration,
    SnapshotRef,
    write_bundle,
)
from server.contract.evaluation import Quantisation
from server.contract.files import canonical_json
from server.contract.preprocess import Preprocessing
from server.contract.recipes import FineTuneRecipe, LrFindRecipe, Recipe
from server.contract.schema import StrictModel
from server.contract.snapshot import Split
from server.contract.training import LrFinding, LrPoint
from trainer import baselines, report
from trainer.allocation import keep_freed_memory
from trainer.backbones.loading import LoadedBackbone, load_backbone
from trainer.card import material_of, write_card
from trainer.data.cache_file import FEATURES_FILE, PICTURES_FILE
from trainer.data.features import Extracted, Extractor, Step
from trainer.data.pictures import open_pictures
from trainer.data.store import open_store
from trainer.errors import JobFailedError
from trainer.export import OnnxModel, check_parity, export_onnx
from trainer.fine_tuning import run as fine_tuning
from trainer.fine_tuning.checkpoint import Checkpoint
from trainer.fine_tuning.run import Start, Tuned
from trainer.frozen_export import FrozenCheck, find_graph, join_head
from trainer.judgement import Trained, judge, labelled
from trainer.phases import Clock, Show, Tell, show_nobody
from trainer.quantisation import quantise
from trainer.selection import select
from trainer.snapshot import LocalSnapshot
from trainer.versions import installed_versions

_WEIGHTS_FOLDER = "weights"
_CHECKPOINTS_FOLDER = "checkpoints"
_GRAPHS_FOLDER = "graphs"
_MIN_CLASSES = 2

# One at most: a worker's next training mostly begins with the backbone of the last, and nothing
# changes one.
_loaded: dict[tuple[str, Path], LoadedBackbone] = {}


@dataclass(frozen=True)
class RunOptions:
    """How this machine trains; changes nothing about the result.

    Attributes:
        work: Folder of cached features.
        batch_size: Images per forward pass.
        threads: Of the arithmetic; 0 = one per core.
        max_pictures_bytes: Of the file of pictures at training size.
        note: Told of the file that keeps a training's state, which is of no use without it.
    """

    work: Path
    batch_size: int = 16
    threads: int = 0
    max_pictures_bytes: int = 4 << 30
    note: Callable[[Path], None] = lambda _: None

    @property
    def pictures(self) -> tuple[Path, int]:
        """The file of pictures at training size, and its cap in bytes."""
        return self.work / PICTURES_FILE, self.max_pictures_bytes


def run(
    recipe: Recipe,
    snapshot: LocalSnapshot,
    options: RunOptions,
    out: Path,
    tell: Tell,
    show: Show = show_nobody,
) -> Path:
    """Train on a snapshot, write the bundle and return where it is.

    The same snapshot and recipe give the same predictions on the same machine; across machines
    they agree to rounding.

    Args:
        recipe: What to train.
        snapshot: Its blobs must be in its folder.
        options: See `RunOptions`.
        out: The zip to write.
        tell: Told (phase, done, total) often; may raise to stop the run.
        show: Given the stages of a fine-tuning so far, after each.

    Raises:
        JobFailedError: ``too-few-classes``, ``no-validation-images``, ``blob-unreadable``,
            ``backbone-unknown``, ``weights-unavailable``, ``weights-unusable`` or
            ``export-mismatch``; when fine-tuning also those of ``trainer.fine_tuning.run``.
    """
    clock = Clock(tell, show)
    backbone, preprocessing, arrays = _see(recipe, snapshot, options, clock)
    is_valid, labels = snapshot.is_valid(), snapshot.labels()
    with clock.phase("baselines"):
        reached = baselines.measure(arrays.pixels, labels, is_valid, recipe.seed)
    with clock.phase("head") as step:
        data = labelled(snapshot, arrays, ~is_valid)
        selection = select(data, recipe.folds, recipe.seed, step, recipe.l2)
    logits = selection.head.logits(arrays.features[is_valid])
    start = Start(snapshot, backbone, preprocessing, selection.head, logits)
    folder = options.work / _CHECKPOINTS_FOLDER
    with fine_tuning.checkpointed(recipe, start, folder) as checkpoint:
        options.note(checkpoint.path)
        trained = Trained(selection, logits, _tune(recipe, start, options, checkpoint, clock))
        with clock.phase("export") as step:
            model, difference = _export(start, arrays, trained, options, step)
            model, trained, cost = _narrow(recipe, model, trained, start, step)
        found = judge(snapshot, arrays, recipe, trained, reached, clock)
        results = report.Results(
            snapshot=snapshot,
            selection=selection,
            valid_probabilities=trained.judged.probabilities,
            out_of_fold=found.out_of_fold,
            baselines=reached,
            abstention=found.abstention,
            analysis=found.analysis,
            export_max_difference=difference,
            phase_seconds=clock.seconds,
            quantisation=cost,
        )
        tuned = trained.tuned
        manifest = _of_tuned(_manifest(recipe, backbone, preprocessing, results), tuned)
        return _write(out, manifest, model, results, tuned)


def _export(
    start: Start, arrays: Extracted, trained: Trained, options: RunOptions, step: Step
) -> tuple[bytes, float]:
    """Return the model as ONNX, and how far its answers are from the trained one's."""
    snapshot, judged = start.snapshot, trained.judged
    size_px = start.preprocessing.size_px
    if trained.tuned is not None and not trained.is_head:
        model = export_onnx(trained.tuned.network, size_px)
        items = snapshot.manifest.items_of(Split.VALID)
        answers = OnnxModel(model).logits(snapshot, items, start.preprocessing, step)
    else:
        graph = find_graph(start.backbone, size_px, options.work / _GRAPHS_FOLDER)
        model = join_head(graph, start.head)
        with open_store(options.work / FEATURES_FILE) as store:
            check = FrozenCheck(graph, start.preprocessing, store)
            answers = check.logits(model, start.head, snapshot, arrays, step)
    return model, check_parity(judged.logits, answers, judged.temperature)


def _narrow(
    recipe: Recipe, model: bytes, trained: Trained, start: Start, step: Step
) -> tuple[bytes, Trained, Quantisation | None]:
    """Return the model as the recipe wants it, what it answers, and what eight bits cost."""
    if isinstance(recipe, LrFindRecipe) or recipe.precision != "int8":
        return model, trained, None
    narrow = quantise(model, trained, start.snapshot, start.preprocessing, recipe.seed, step)
    return narrow.onnx, narrow.trained, narrow.cost


def _tune(
    recipe: Recipe, start: Start, options: RunOptions, checkpoint: Checkpoint, clock: Clock
) -> Tuned | None:
    """Fine-tune when the recipe says so."""
    if not isinstance(recipe, FineTuneRecipe):
        return None
    with clock.phase("fine-tune") as step, open_pictures(*options.pictures) as pictures:
        return fine_tuning.fine_tune(recipe, start, pictures, checkpoint, step, clock.show)


def find_lr(
    recipe: LrFindRecipe, snapshot: LocalSnapshot, options: RunOptions, tell: Tell
) -> LrFinding:
    """Find learning rates for fine-tuning on a snapshot.

    Args:
        recipe: How.
        snapshot: Its blobs must be in its folder.
        options: See `RunOptions`.
        tell: Told (phase, done, total) often; may raise to stop.

    Raises:
        JobFailedError: As `run`, and ``curve-too-short``.
    """
    clock = Clock(tell)
    backbone, preprocessing, arrays = _see(recipe, snapshot, options, clock)
    is_valid = snapshot.is_valid()
    with clock.phase("head") as step:
        data = labelled(snapshot, arrays, ~is_valid)
        head = select(data, recipe.folds, recipe.seed, step, recipe.l2).head
    start = Start(snapshot, backbone, preprocessing, head, head.logits(arrays.features[is_valid]))
    with clock.phase("lr-find") as step, open_pictures(*options.pictures) as pictures:
        checkpoints = options.work / _CHECKPOINTS_FOLDER
        points, found = fine_tuning.find_lr(recipe, start, pictures, checkpoints, step)
    return LrFinding(
        points=tuple(LrPoint(**vars(point)) for point in points),
        **vars(found),
        seconds=round(sum(clock.seconds.values()), 3),
    )


def _see(
    recipe: Recipe, snapshot: LocalSnapshot, options: RunOptions, clock: Clock
) -> tuple[LoadedBackbone, Preprocessing, Extracted]:
    """Load the backbone and return what it sees in every image."""
    check_trainable(snapshot)
    keep_freed_memory()
    if options.threads:
        torch.set_num_threads(options.threads)
    backbone = _load(
        recipe.backbone, options.work / _WEIGHTS_FOLDER, lambda: clock.tell("features", 0, 0)
    )
    preprocessing = Preprocessing(
        size_px=recipe.size_px, mean=backbone.mean, std=backbone.std, resize=recipe.resize
    )
    with clock.phase("features") as step, open_store(options.work / FEATURES_FILE) as store:
        extractor = Extractor(backbone, preprocessing, options.batch_size)
        arrays = extractor.extract(snapshot, store, step)
    return backbone, preprocessing, arrays


def _load(name: str, folder: Path, check: Callable[[], None]) -> LoadedBackbone:
    """Return what `load_backbone` does, at once when it was the last one asked for."""
    if (name, folder) not in _loaded:
        _loaded.clear()
        _loaded[name, folder] = load_backbone(name, folder, check)
    return _loaded[name, folder]


def _write(
    out: Path,
    manifest: BundleManifest,
    model: bytes,
    results: report.Results,
    tuned: Tuned | None,
) -> Path:
    history = report.tell_history(results)
    if tuned is not None:
        added = {"kind": manifest.recipe.kind, "fine_tuning": tuned.history}
        history = history.model_copy(update=added)
    parts = {
        MODEL_ONNX: model,
        EVALUATION_JSON: _json(report.evaluate(results)),
        HISTORY_JSON: _json(history),
        MODEL_CARD: write_card(manifest, material_of(results.snapshot), results.analysis).encode(),
    }
    write_bundle(out, manifest, parts)
    return out


def _of_tuned(manifest: BundleManifest, tuned: Tuned | None) -> BundleManifest:
    """Return the manifest with what is not the head's when the fine-tuned network is kept."""
    if tuned is None or tuned.judged is None:
        return manifest
    # The folds judged heads on frozen features: nothing that this network is.
    metrics = manifest.metrics.model_copy(update={"cross_validation_error_rate": None})
    return manifest.model_copy(
        update={
            "metrics": metrics,
            "calibration": Calibration(
                temperature=tuned.judged.temperature, fitted_on=_fitted_on(tuned)
            ),
        }
    )


def _fitted_on(tuned: Tuned) -> Literal["validation", "none"]:
    # Without folds there were too few images to fit a temperature, too: it is 1.
    return "none" if tuned.history.choice.cross_fitted_error_rate is None else "validation"


def check_trainable(snapshot: LocalSnapshot) -> None:
    """Refuse a snapshot that no classifier can be trained or judged on.

    Raises:
        JobFailedError: ``too-few-classes`` or ``no-validation-images``.
    """
    is_valid = snapshot.is_valid()
    trained = {
        item.label for item, valid in zip(snapshot.items, is_valid, strict=True) if not valid
    }
    if len(trained) < _MIN_CLASSES:
        raise JobFailedError(
            "too-few-classes",
            f"Only {len(trained)} label(s) have training images, and a classifier needs at least "
            f"{_MIN_CLASSES}. Collect images of another label and take a new snapshot.",
        )
    if not is_valid.any():
        raise JobFailedError(
            "no-validation-images",
            "The snapshot has no validation images, so the model could not be judged. Collect more "
            "images, or take a snapshot with a larger valid_ratio.",
        )


def _manifest(
    recipe: Recipe,
    backbone: LoadedBackbone,
    preprocessing: Preprocessing,
    results: report.Results,
) -> BundleManifest:
    source, selection = results.snapshot.manifest, results.selection
    return BundleManifest(
        dataset=source.dataset,
        snapshot=SnapshotRef(id=source.snapshot_id, manifest_sha256=source.sha256),
        classes=source.classes,
        preprocessing=preprocessing,
        backbone=Backbone(
            name=backbone.name,
            weights_sha256=backbone.weights_sha256,
            feature_count=backbone.feature_count,
        ),
        recipe=recipe,
        metrics=report.measure(results),
        calibration=Calibration(
            temperature=selection.temperature,
            fitted_on="out-of-fold" if selection.best else "none",
        ),
        abstention=results.abstention,
        versions=installed_versions(),
        created_at=datetime.now(UTC),
    )


def _json(model: StrictModel) -> bytes:
    return canonical_json(model.model_dump(mode="json", by_alias=True))

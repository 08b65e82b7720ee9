"""One job end to end on drawn pictures, with the real backbone and the real exporter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from server.contract.bundle import Bundle, read_bundle
from server.contract.calibration import probabilities
from server.contract.preprocess import preprocess
from server.contract.recipes import FineTuneRecipe, HeadRecipe, LrFindRecipe
from server.contract.snapshot import Split
from server.inference.session import check_bundle
from tests.support.snapshots import coloured, make_snapshot
from trainer.errors import JobFailedError
from trainer.runner import RunOptions, check_trainable, find_lr, run
from trainer.snapshot import LocalSnapshot

pytestmark = pytest.mark.slow

_RECIPE = HeadRecipe(size_px=64)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Compute on one thread: with images this small, two wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass
class _Run:
    snapshot: LocalSnapshot
    bundle: Bundle
    told: list[tuple[str, int, int]]


def _run(folder: Path, recipe: HeadRecipe = _RECIPE) -> _Run:
    snapshot = make_snapshot(folder / "blobs", coloured(8))
    told: list[tuple[str, int, int]] = []
    out = run(
        recipe, snapshot, RunOptions(folder), folder / "b.zip", lambda *step: told.append(step)
    )
    return _Run(snapshot, read_bundle(out), told)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> _Run:
    """A finished run."""
    return _run(tmp_path_factory.mktemp("run"))


def test_colours_are_learned_and_judged_beside_baselines(trained: _Run) -> None:
    metrics = trained.bundle.manifest.metrics
    assert metrics.error_rate <= 0.1
    assert metrics.error_rate_interval[0] <= metrics.error_rate <= metrics.error_rate_interval[1]
    assert metrics.baselines.majority > 0.3
    assert metrics.baselines.pixel_similarity == 0  # even colours are what it can tell apart
    assert metrics.train_count + metrics.valid_count == 24
    assert metrics.export_max_difference < 1e-4
    assert sum(map(sum, metrics.confusion)) == metrics.valid_count


def test_the_bundle_says_where_it_comes_from(trained: _Run) -> None:
    manifest = trained.bundle.manifest
    assert manifest.snapshot.manifest_sha256 == trained.snapshot.manifest.sha256
    assert manifest.recipe == _RECIPE
    assert manifest.classes == ("blue", "green", "red")
    assert manifest.preprocessing.size_px == 64
    assert manifest.backbone.feature_count == 1280
    assert {"torch", "onnx", "timm"} <= set(manifest.versions)
    assert manifest.calibration.fitted_on == "out-of-fold"


def test_every_image_is_evaluated(trained: _Run) -> None:
    items = trained.bundle.evaluation.items
    assert [item.sha256 for item in items] == [item.sha256 for item in trained.snapshot.items]
    valid = [item for item in items if item.split is Split.VALID]
    errors = sum(item.label != item.predicted for item in valid)
    assert errors / len(valid) == trained.bundle.manifest.metrics.error_rate
    assert np.mean([item.loss for item in valid]) == pytest.approx(
        trained.bundle.manifest.metrics.log_loss, abs=1e-5
    )


def test_images_of_both_splits_are_judged_by_heads_that_never_saw_them(trained: _Run) -> None:
    for item in trained.bundle.evaluation.items:
        judged = item.out_of_fold
        assert judged is not None
        assert judged.loss == pytest.approx(-np.log(judged.label_probability), abs=1e-3)
        assert judged.probability >= judged.label_probability
        assert (judged.predicted == item.label) == (judged.probability == judged.label_probability)


def test_the_evaluation_goes_beyond_the_metrics(trained: _Run) -> None:
    said = trained.bundle.evaluation.analysis
    assert said is not None
    assert said.reliability is not None
    assert sum(each.count for each in said.reliability.bins) == 10
    assert said.learning_curve is not None
    assert said.learning_curve.points[-1].train_count == 14
    assert said.learning_curve.points[-1].error_rate == trained.bundle.manifest.metrics.error_rate
    assert said.slices is not None
    assert said.slices.rows == ()  # all of one size and shape
    assert said.shortcuts is not None
    assert [clue.name for clue in said.shortcuts.clues] == []
    assert [finding.kind for finding in said.findings] != []
    assert trained.bundle.manifest.abstention.score == "max_probability"


def test_phases_are_told_in_order(trained: _Run) -> None:
    phases = list(dict.fromkeys(phase for phase, _, _ in trained.told))
    assert phases == ["features", "baselines", "head", "export", "out-of-fold", "evaluation"]
    assert set(trained.bundle.history.phase_seconds) == set(phases)


def test_the_bundle_alone_is_enough_to_predict(trained: _Run) -> None:
    bundle = trained.bundle
    session = onnxruntime.InferenceSession(bundle.onnx, providers=["CPUExecutionProvider"])
    by_hash = {item.sha256: item for item in bundle.evaluation.items}
    for item in trained.snapshot.manifest.items_of(Split.VALID):
        images = preprocess(trained.snapshot.path(item), bundle.manifest.preprocessing)[None]
        logits = session.run(["logits"], {"images": images})[0][0]
        shown = probabilities(logits, bundle.manifest.calibration.temperature)
        assert bundle.manifest.classes[int(shown.argmax())] == by_hash[item.sha256].predicted
        assert shown.max() == pytest.approx(by_hash[item.sha256].probability, abs=1e-4)


def test_the_same_snapshot_and_recipe_give_the_same_predictions(
    trained: _Run, tmp_path: Path
) -> None:
    again = _run(tmp_path)
    assert again.bundle.evaluation == trained.bundle.evaluation
    assert again.bundle.manifest.calibration == trained.bundle.manifest.calibration


def test_a_model_in_eight_bits_is_judged_as_it_is_served(trained: _Run, tmp_path: Path) -> None:
    recipe, whole = HeadRecipe(size_px=64, precision="int8"), trained.bundle
    options = RunOptions(trained.snapshot.folder.parent)  # where features and graph are
    out = run(recipe, trained.snapshot, options, tmp_path / "b.zip", lambda *_: None)
    bundle = check_bundle(out)  # as the server does
    cost = bundle.manifest.metrics.quantisation
    assert cost is not None
    assert whole.manifest.metrics.quantisation is None
    assert cost.float_error_rate == whole.manifest.metrics.error_rate
    assert cost.float_bytes == len(whole.onnx)
    assert cost.model_bytes == len(bundle.onnx) < 0.4 * len(whole.onnx)
    assert cost.calibration_count == 14, "training images alone"
    session = onnxruntime.InferenceSession(bundle.onnx, providers=["CPUExecutionProvider"])
    by_hash = {item.sha256: item for item in bundle.evaluation.items}
    for item in trained.snapshot.manifest.items_of(Split.VALID):
        images = preprocess(trained.snapshot.path(item), bundle.manifest.preprocessing)[None]
        logits = session.run(["logits"], {"images": images})[0][0]
        shown = probabilities(logits, bundle.manifest.calibration.temperature)
        assert shown.max() == pytest.approx(by_hash[item.sha256].probability, abs=1e-4)
    assert "It computes in eight bits" in bundle.card


def test_one_image_a_class_still_makes_a_model(tmp_path: Path) -> None:
    # With this seed each class has one image on each side.
    snapshot = make_snapshot(tmp_path, coloured(2), valid_ratio=0.5, seed=0)
    out = run(_RECIPE, snapshot, RunOptions(tmp_path), tmp_path / "b.zip", lambda *_: None)
    bundle = read_bundle(out)
    assert bundle.history.folds == 0
    assert bundle.manifest.calibration.fitted_on == "none"
    assert bundle.manifest.metrics.cross_validation_error_rate is None
    assert {item.split for item in bundle.evaluation.items} == {Split.VALID}


def test_a_fine_tuned_network_is_exported_as_it_was_judged(tmp_path: Path) -> None:
    # The head's penalty is so strong that it answers by chance, and fine-tuning must beat it.
    recipe = FineTuneRecipe(
        size_px=64, l2=1e4, updates=12, batch_size=8, lr=1e-3, tta="flip", augmentation="flip"
    )
    snapshot = make_snapshot(tmp_path / "blobs", coloured(8))
    told: list[str] = []
    out = run(
        recipe, snapshot, RunOptions(tmp_path), tmp_path / "b.zip",
        lambda phase, _done, _total: told.append(phase),
    )  # fmt: skip
    bundle = read_bundle(out)
    manifest, tuning = bundle.manifest, bundle.history.fine_tuning
    assert list(dict.fromkeys(told)) == [
        "features", "baselines", "head", "fine-tune", "export", "out-of-fold", "evaluation",
    ]  # fmt: skip
    assert manifest.recipe == recipe
    assert tuning is not None
    assert (tuning.choice.kept, tuning.updates, len(tuning.stages)) == ("fine-tuned", 12, 8)
    assert manifest.metrics.error_rate == tuning.choice.fine_tuned_error_rate
    assert manifest.metrics.error_rate < tuning.choice.head_error_rate
    assert manifest.metrics.export_max_difference < 1e-4
    assert manifest.metrics.cross_validation_error_rate is None
    assert manifest.calibration.fitted_on == "validation"
    assert not list((tmp_path / "checkpoints").glob("*"))  # done: nothing to take up again
    session = onnxruntime.InferenceSession(bundle.onnx, providers=["CPUExecutionProvider"])
    for item in snapshot.manifest.items_of(Split.VALID):
        images = preprocess(snapshot.path(item), manifest.preprocessing)[None]
        predicted = manifest.classes[int(session.run(["logits"], {"images": images})[0].argmax())]
        [said] = [one for one in bundle.evaluation.items if one.sha256 == item.sha256]
        assert said.predicted == predicted


def test_the_head_is_kept_when_fine_tuning_does_not_beat_it(tmp_path: Path) -> None:
    recipe = FineTuneRecipe(size_px=64, updates=2, batch_size=8, lr=0.3)
    snapshot = make_snapshot(tmp_path / "blobs", coloured(8))
    out = run(recipe, snapshot, RunOptions(tmp_path), tmp_path / "b.zip", lambda *_: None)
    bundle = read_bundle(out)
    tuning = bundle.history.fine_tuning
    assert tuning is not None
    assert tuning.choice.kept == "head"
    assert bundle.manifest.metrics.error_rate == tuning.choice.head_error_rate == 0
    assert bundle.manifest.calibration.fitted_on == "out-of-fold"
    assert bundle.manifest.metrics.export_max_difference < 1e-4


def test_learning_rates_are_found_and_nothing_is_left_behind(tmp_path: Path) -> None:
    recipe = LrFindRecipe(size_px=64, train_size_px=32, batch_size=4)
    snapshot = make_snapshot(tmp_path / "blobs", coloured(6))
    told: list[str] = []
    finding = find_lr(recipe, snapshot, RunOptions(tmp_path), lambda phase, *_: told.append(phase))
    assert list(dict.fromkeys(told)) == ["features", "head", "lr-find"]
    assert finding.points[0].lr == pytest.approx(1e-7)
    assert 1e-7 < finding.valley < 10
    assert finding.points[-1].lr < 10  # the loss exploded before the end
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize(
    ("labels", "valid_ratio", "kind"),
    [(("red",), 0.3, "too-few-classes"), (("red", "blue"), 1e-9, "no-validation-images"),
     (("red", "blue"), 1 - 1e-9, "too-few-classes")],
)  # fmt: skip
def test_what_cannot_be_trained_is_said(
    tmp_path: Path, labels: tuple[str, ...], valid_ratio: float, kind: str
) -> None:
    snapshot = make_snapshot(tmp_path, coloured(3, labels), valid_ratio=valid_ratio)
    with pytest.raises(JobFailedError) as caught:
        check_trainable(snapshot)
    assert caught.value.kind == kind
    assert "snapshot" in caught.value.detail

"""A finished model on images that it was not trained on, with a real, tiny network."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.contract.bundle import Bundle, read_bundle
from server.contract.snapshot import Manifest, Split
from tests.support.bundles import make_bundle
from tests.support.snapshots import COLOURS, coloured, make_snapshot, picture
from trainer.errors import JobFailedError
from trainer.reevaluation import Finished, evaluate, list_unseen
from trainer.snapshot import LocalSnapshot

pytestmark = pytest.mark.slow  # torch


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A model that tells blue, green and red apart."""
    make_bundle(tmp_path / "bundle.zip")
    return read_bundle(tmp_path / "bundle.zip")


def _judge(bundle: Bundle, snapshot: LocalSnapshot, trained_on: Manifest | None = None):
    model = Finished("01JDMODEL", bundle, trained_on or _nothing(snapshot.manifest))
    items = list_unseen(snapshot.manifest, model.trained_on)
    return evaluate(model, snapshot, items, lambda *_: None)


def _nothing(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"items": ()})


def test_what_is_wrong_is_counted_named_and_ordered(bundle: Bundle, tmp_path: Path) -> None:
    pictures = {label: list(images) for label, images in coloured(5).items()}
    wrong = [picture(COLOURS["red"], 77), picture(COLOURS["red"], 78)]
    pictures["blue"] += wrong
    said = _judge(bundle, make_snapshot(tmp_path / "blobs", pictures))
    assert (said.count, said.seen_count) == (17, 0)
    assert said.error_rate == pytest.approx(2 / 17)
    assert said.error_rate_interval[0] < 2 / 17 < said.error_rate_interval[1]
    assert said.majority_error_rate == pytest.approx(10 / 17)
    assert [(one.label, one.predicted, one.count) for one in said.confused] == [("blue", "red", 2)]
    assert [(one.label, one.predicted) for one in said.worst] == [("blue", "red")] * 2
    assert said.worst[0].loss >= said.worst[1].loss > 0.5
    blue, green, red = said.per_class
    assert (blue.label, blue.support, blue.recall) == ("blue", 7, pytest.approx(5 / 7))
    assert (green.precision, red.precision) == (1.0, pytest.approx(5 / 7))
    assert said.told_error_rate == bundle.manifest.metrics.error_rate
    assert said.foreign is None


def test_training_images_and_their_likes_are_left_out(bundle: Bundle, tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path / "blobs", coloured(6))
    trained = snapshot.manifest.items_of(Split.TRAIN)
    [alike] = snapshot.manifest.items_of(Split.VALID)[:1]
    items = tuple(
        item.model_copy(update={"group": trained[0].group}) if item == alike else item
        for item in snapshot.manifest.items
    )
    grown = snapshot.manifest.model_copy(update={"items": items})
    said = _judge(bundle, LocalSnapshot(grown, snapshot.folder), snapshot.manifest)
    assert said.seen_count == len(trained) + 1
    assert said.count == len(items) - len(trained) - 1
    assert said.error_rate == 0


def test_labels_that_the_model_lacks_are_counted_apart(bundle: Bundle, tmp_path: Path) -> None:
    pictures = coloured(3) | {"grey": [picture((120, 120, 120), number) for number in range(4)]}
    said = _judge(bundle, make_snapshot(tmp_path / "blobs", pictures))
    assert said.count == 9
    assert said.foreign is not None
    assert (said.foreign.labels, said.foreign.count) == (("grey",), 4)
    assert said.foreign.abstained_ratio == 1  # three logits alike: no class reaches the threshold
    assert said.abstained_ratio == 0
    assert said.answered_error_rate == said.error_rate == 0


def test_nothing_to_evaluate_is_said(bundle: Bundle, tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path / "blobs", {"grey": [picture((120, 120, 120), 1)]})
    with pytest.raises(JobFailedError, match="blue, green, red") as caught:
        _judge(bundle, snapshot)
    assert caught.value.kind == "nothing-to-evaluate"

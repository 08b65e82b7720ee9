"""The model card says what must be known, and labels cannot break it."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.contract.analysis import Analysis
from server.contract.bundle import BundleManifest
from server.contract.evaluation import Quantisation
from server.contract.origins import Origin
from tests.support.analyses import an_analysis
from tests.support.bundles import bundle_manifest
from tests.support.snapshots import coloured, make_snapshot
from trainer.card import Material, material_of, write_card
from trainer.snapshot import LocalSnapshot

_NOTHING = Material({}, {}, {}, {})


def _card(manifest: BundleManifest, analysis: Analysis | None = None) -> str:
    return write_card(manifest, _NOTHING, analysis or Analysis())


def test_the_error_rate_stands_beside_its_interval_and_baselines() -> None:
    card = _card(bundle_manifest())
    assert "| **this model** | **0.0 %** |" in card
    assert "| always the most frequent class | 66.7 % |" in card
    assert "| nearest class mean image, pixel by pixel | 20.0 % |" in card
    assert "between 0.0 % and\n40.0 %" in card
    assert "| green | 100.0 % | 100.0 % | 2 |" in card
    assert "figures are anecdotes: blue, green, red" in card
    assert "float32 `[N, 3, 32, 32]`" in card


@pytest.mark.parametrize(
    ("label", "shown"),
    [("a|b", r"a\|b"), ("<script>", r"\<script\>"), ("two\nlines", "two lines"), ("*x*", r"\*x\*")],
)
def test_labels_are_escaped(label: str, shown: str) -> None:
    card = _card(bundle_manifest((label, "other")))
    assert f"| {shown} | 100.0 % |" in card
    assert label not in card


def test_eight_bits_stand_beside_what_they_cost() -> None:
    manifest = bundle_manifest()
    cost = Quantisation(
        float_error_rate=0.1, changed_ratio=0.05, calibration_count=14, model_bytes=4_900_000,
        float_bytes=17_000_000,
    )  # fmt: skip
    metrics = manifest.metrics.model_copy(update={"quantisation": cost})
    card = _card(manifest.model_copy(update={"metrics": metrics}))
    assert "| the same in float32 | 10.0 % |" in card
    assert "has 4.9 MB instead of 17.0" in card
    assert "5.0 % get another answer" in card
    assert "eight bits" not in _card(manifest)


def test_a_wide_confusion_matrix_is_left_to_the_json() -> None:
    card = _card(bundle_manifest(tuple(f"class {number:02}" for number in range(25))))
    assert "The confusion matrix is in `bundle.json`" in card


def test_it_says_what_the_images_are(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(4))
    first, second = (item.sha256 for item in snapshot.items[:2])
    origins = {
        first: Origin(sha256=first, engine="bing", site="a.example", license="CC-BY | 4.0"),
        second: Origin(sha256=second, engine="bing", site="b.example"),
    }
    material = material_of(LocalSnapshot(snapshot.manifest, snapshot.folder, origins))
    card = write_card(bundle_manifest(), material, Analysis())
    assert "- Search engines: unknown 10, bing 2." in card
    assert "- Sites: unknown 10, a.example 1, b.example 1." in card
    assert "CC-BY \\| 4.0 1" in card
    assert sum(material.train_counts.values()) == sum(
        item.split.value == "train" for item in snapshot.items
    )


def test_what_is_not_known_of_the_images_is_said() -> None:
    assert "Where the images come from is not known" in _card(bundle_manifest())


def test_it_says_where_it_fails() -> None:
    card = _card(bundle_manifest(), an_analysis())
    assert "| site: bad.example | 20 | 50.0 % | 30.0 % to 70.0 % | yes |" in card
    assert "- The site **gives the label away**: by it alone 90.0 % are guessed right" in card
    assert "- The border is no shortcut: 40.0 %" in card
    assert "With half of the training images (12) the error rate is 20.0 %" in card
    assert "More images would help most of: blue." in card
    assert "- Nothing looks wrong" in card


def test_it_says_what_abstaining_was_tried_on() -> None:
    assert "was not measured" in _card(bundle_manifest(), an_analysis())
    manifest = bundle_manifest(("background", "bear"))
    rule = manifest.abstention.model_copy(
        update={"background": "background", "background_passed": 0.25, "score": "margin"}
    )
    card = _card(manifest.model_copy(update={"abstention": rule}), an_analysis())
    assert "of a class other than background less the highest of the remaining" in card
    assert "is below 0.40" in card
    assert "when background is the most probable class" in card
    assert "Of 40 images of background that were held out, 25.0 % are answered all the same" in card
    assert "| margin to the next | 0.900 | 25.0 % |\n| highest probability | 0.850 |" in card
    assert "| 50.0 % | 99.0 % | 5.0 % |\n| 100.0 % | 90.0 % | 100.0 % |" in card
    assert "none of its classes\n" not in _card(bundle_manifest())

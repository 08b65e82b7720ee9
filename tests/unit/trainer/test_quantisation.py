"""Eight bits: whose answers count, and what is measured on. Whole models: ``test_runner``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from server.contract.snapshot import Split
from tests.support.bundles import a_fine_tuning
from tests.support.snapshots import coloured, make_snapshot
from trainer.fine_tuning.choice import Judged
from trainer.fine_tuning.run import Tuned
from trainer.head import Head
from trainer.judgement import Trained
from trainer.quantisation import MAX_CALIBRATION_IMAGES, answering, choose_images
from trainer.selection import Selection

pytestmark = pytest.mark.slow

_LABELS = np.repeat([0, 1, 2], 20)
_GROUPS = [str(place) for place in range(60)]
_BEFORE = np.eye(3)[_LABELS]
_AFTER = np.eye(3)[_LABELS] * 7 + np.random.default_rng(0).normal(0, 2, (60, 3))


def _trained(tuned: Tuned | None) -> Trained:
    head = Head(np.zeros((3, 4)), np.zeros(3), 0.1, 1)
    return Trained(Selection(head, (), None, 0), _BEFORE, tuned)


def test_a_head_answers_anew_and_keeps_its_temperature() -> None:
    found = answering(_trained(None), _AFTER, _LABELS, _GROUPS, 0)
    np.testing.assert_array_equal(found.judged.logits, _AFTER)
    assert found.judged.temperature == 1.0


def test_a_fine_tuned_network_is_calibrated_anew() -> None:
    before = Judged(_BEFORE, _BEFORE, 1.0)
    tuned = Tuned(nn.Identity(), before, a_fine_tuning())
    found = answering(_trained(tuned), _AFTER, _LABELS, _GROUPS, 0)
    np.testing.assert_array_equal(found.judged.logits, _AFTER)
    assert found.judged.temperature > 1.0
    assert found.tuned is not None
    assert found.tuned.history == tuned.history


def test_ranges_are_measured_on_a_part_of_the_training_images(tmp_path: Path) -> None:
    snapshot = make_snapshot(tmp_path, coloured(80))
    chosen = choose_images(snapshot, 7)
    assert len({item.sha256 for item in chosen}) == MAX_CALIBRATION_IMAGES
    assert {item.split for item in chosen} == {Split.TRAIN}
    assert chosen == choose_images(snapshot, 7) != choose_images(snapshot, 8)

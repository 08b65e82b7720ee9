"""Out-of-fold probabilities of all images: what they rank first, and what must not help them."""

from __future__ import annotations

import numpy as np
import pytest

from trainer import out_of_fold
from trainer.errors import JobStoppedError
from trainer.head import Problem
from trainer.out_of_fold import DEALINGS, judge
from trainer.selection import TrainingSet

pytestmark = pytest.mark.slow

_L2 = 0.1


def _ignore(done: int, total: int) -> None:
    """Take progress and do nothing."""


def _data(per_class: int = 30, classes: int = 3, seed: int = 0) -> TrainingSet:
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), per_class)
    centres = generator.normal(0, 2, (classes, 16))
    features = centres[labels] + generator.normal(0, 1, (len(labels), 16))
    groups = [f"group {number}" for number in range(len(labels))]
    return TrainingSet(features.astype(np.float32), labels, groups, classes)


def test_flipped_labels_come_first() -> None:
    data = _data()
    flipped = np.arange(0, 90, 10)
    labels = data.labels.copy()
    labels[flipped] = (labels[flipped] + 1) % 3
    judged = judge(TrainingSet(data.features, labels, data.groups, 3), 5, 42, _L2, _ignore)
    assert judged is not None
    assert judged.sum(axis=1) == pytest.approx(1)
    own = judged[np.arange(90), labels]
    assert set(np.argsort(own)[: len(flipped)]) == set(flipped)


def test_a_near_duplicate_under_the_same_wrong_label_does_not_vouch_for_it() -> None:
    data = _data()
    # Ten copies of one image of class 0, all called 1.
    features = np.concatenate([data.features, np.repeat(data.features[:1], 10, axis=0)])
    labels = np.concatenate([data.labels, np.full(10, 1)])
    alone = [f"copy {number}" for number in range(10)]
    own = {}
    for name, groups in (("together", ["group 0"] * 10), ("apart", alone)):
        held = TrainingSet(features, labels, [*data.groups, *groups], 3)
        judged = judge(held, 5, 42, _L2, _ignore)
        assert judged is not None
        own[name] = judged[90:, 1].max()
    assert own["together"] < 0.2
    assert own["apart"] > 0.5


def test_the_seed_alone_decides() -> None:
    first, again, other = (judge(_data(), 5, seed, _L2, _ignore) for seed in (1, 1, 9))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_image_is_judged_in_every_dealing() -> None:
    told: list[tuple[int, int]] = []
    judge(_data(), 5, 42, _L2, lambda *step: told.append(step))
    assert told == [(step, 5 * DEALINGS) for step in range(1, 5 * DEALINGS + 1)]


def test_many_images_are_dealt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_fold, "_MANY_IMAGES", 89)
    told: list[tuple[int, int]] = []
    judge(_data(), 5, 42, _L2, lambda *step: told.append(step))
    assert told[-1] == (5, 5)


def test_a_head_is_fitted_on_no_more_images_than_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    class Watched(Problem):
        def __init__(self, inputs, chosen, labels, class_count):  # type: ignore[no-untyped-def]
            sizes.append(len(labels))
            super().__init__(inputs, chosen, labels, class_count)

    monkeypatch.setattr(out_of_fold, "Problem", Watched)
    monkeypatch.setattr(out_of_fold, "MAX_FITTED", 40)
    judged = judge(_data(), 5, 42, _L2, _ignore)
    assert set(sizes) == {40}
    assert judged is not None
    assert (judged.argmax(axis=1) == _data().labels).mean() > 0.9


def test_too_few_images_for_folds_are_not_judged() -> None:
    assert judge(_data(per_class=1), 5, 42, _L2, _ignore) is None


def test_a_class_of_one_image_is_suspicious() -> None:
    data = _data()
    kept = np.r_[0:61]  # one image of the last class
    alone = TrainingSet(data.features[kept], data.labels[kept], data.groups[:61], 3)
    judged = judge(alone, 5, 42, _L2, _ignore)
    assert judged is not None
    own = judged[np.arange(61), data.labels[kept]]
    assert own.argmin() == 60


def test_it_can_be_stopped() -> None:
    def stop(done: int, total: int) -> None:
        raise JobStoppedError("cancelled")

    with pytest.raises(JobStoppedError):
        judge(_data(), 5, 42, _L2, stop)

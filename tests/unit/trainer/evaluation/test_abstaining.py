"""When to say "none of these": thresholds, and the choice of a score by background images."""

from __future__ import annotations

import numpy as np
import pytest

from server.contract.abstaining import find_background, known_score
from trainer.evaluation.abstaining import Unseen, choose, nearness, trace
from trainer.metrics import Floats


def _unseen(
    logits: Floats, labels: np.ndarray, classes: tuple[str, ...], features: Floats | None = None
) -> Unseen:
    kept = np.zeros((len(labels), 2)) if features is None else features
    groups = [str(number) for number in range(len(labels))]
    return Unseen(logits, 1.0, labels, classes, kept.astype(np.float32), groups)


def _logits(labels: np.ndarray, sharpness: float, seed: int = 0) -> Floats:
    noise = np.random.default_rng(seed).normal(0, 1, (len(labels), 3))
    result: Floats = np.eye(3)[labels] * sharpness + noise
    return result


def test_without_images_that_no_model_saw_it_always_answers() -> None:
    rule, trials = choose(None)
    assert (rule.threshold, rule.coverage, trials) == (0.0, 1.0, None)


def test_the_threshold_keeps_the_promised_share() -> None:
    labels = np.arange(200) % 3
    rule, trials = choose(_unseen(_logits(labels, 2), labels, ("a", "b", "c")))
    assert 0.95 <= rule.coverage <= 0.96
    assert rule.score == "max_probability"
    assert trials is None
    assert rule.background_passed is None


def test_what_is_likely_is_answered_however_easy_the_classes_are() -> None:
    labels = np.arange(200) % 3
    rule, _ = choose(_unseen(_logits(labels, 9), labels, ("a", "b", "c")))
    assert rule.threshold == 0.8
    assert rule.coverage > 0.99


def test_a_background_class_is_found_by_its_name() -> None:
    assert find_background(("Grizzly", " None of these ")) == " None of these "
    assert find_background(("negative", "positive")) is None


def test_background_images_are_withheld_and_not_counted_as_known() -> None:
    labels = np.repeat([0, 1, 2], [60, 60, 40])
    rule, trials = choose(_unseen(_logits(labels, 5), labels, ("a", "b", "background")))
    assert rule.background == "background"
    assert rule.background_passed is not None
    assert rule.background_passed < 0.2
    assert 0.95 <= rule.coverage <= 1
    assert trials is not None
    assert trials.background_count == 40
    served = next(point for point in trials.curve if point.coverage >= rule.coverage)
    assert served.passed >= rule.background_passed
    assert [trial.score for trial in trials.trials][-1] == "knn"
    assert {trial.score for trial in trials.trials} == {
        "max_probability", "margin", "energy", "knn",
    }  # fmt: skip


def test_the_score_that_tells_the_background_apart_is_chosen() -> None:
    # Known images have large logits and foreign ones small ones, in the same proportions: only the
    # energy sees it.
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 60, 60])
    logits = generator.normal(0, 0.1, (180, 3))
    known = labels < 2
    logits[known, labels[known]] += 1
    logits[known] += 5
    foreign = np.flatnonzero(~known)
    logits[foreign, generator.integers(0, 2, 60)] += 1
    rule, trials = choose(_unseen(logits, labels, ("a", "b", "background")))
    assert trials is not None
    assert rule.score == trials.trials[0].score == "energy"
    assert rule.background_passed == trials.trials[0].passed == 0
    assert trials.trials[0].auroc == 1


def test_the_curve_tells_what_stricter_thresholds_give() -> None:
    # Ten known images, the surer the higher, the two least sure wrong; four foreign among them,
    # one of which is taken for the background.
    score = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.05, 0.45, 0.85, 0.95])
    is_known = np.arange(14) < 10
    is_right = is_known & (np.arange(14) >= 2)
    points = trace(score, np.arange(14) != 13, is_right, is_known)
    told = {point.coverage: (point.accuracy, point.passed) for point in points}
    assert told[1.0] == (0.8, 0.75)
    assert told[0.8] == (1.0, 0.5)
    assert [point.threshold for point in points] == sorted(
        (point.threshold for point in points), reverse=True
    )


def test_few_background_images_choose_nothing() -> None:
    labels = np.repeat([0, 1, 2], [60, 60, 5])
    rule, trials = choose(_unseen(_logits(labels, 3), labels, ("a", "b", "background")))
    assert trials is None
    assert rule.score == "max_probability"
    assert rule.background_passed is None


def test_neighbours_tell_foreign_images_by_their_features() -> None:
    labels = np.repeat([0, 1, 2], [30, 30, 30])
    generator = np.random.default_rng(0)
    centres = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    features = centres[labels] + generator.normal(0, 0.1, (90, 3))
    _, trials = choose(_unseen(_logits(labels, 0.5), labels, ("a", "b", "background"), features))
    assert trials is not None
    assert trials.trials[-1].score == "knn"
    assert trials.trials[-1].auroc > 0.99


@pytest.mark.parametrize(
    ("score", "expected"),
    [("max_probability", 0.6), ("margin", 0.3), ("energy", float(np.log(0.6 + 0.1)))],
)
def test_scores_look_at_the_known_classes(score: str, expected: float) -> None:
    logits = np.log([[0.6, 0.1, 0.3]])
    assert known_score(logits, 1.0, score, 2)[0] == pytest.approx(expected)  # type: ignore[arg-type]


def test_no_margin_is_left_where_the_background_is_likelier() -> None:
    assert known_score(np.log([[0.3, 0.1, 0.6]]), 1.0, "margin", 2)[0] == 0


def test_neighbours_that_do_not_count_are_passed_over() -> None:
    known = np.array([[1.0, 0.0], [0.0, 2.0]], dtype=np.float32)
    one = np.array([[3.0, 0.0]], dtype=np.float32)
    assert nearness(one, known[:1])[0] == pytest.approx(0)
    assert nearness(one, known)[0] == pytest.approx(-1), "the 2nd of two is the farther"
    assert nearness(one, known[:1], np.array([[True]]))[0] == -2

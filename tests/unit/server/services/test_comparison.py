"""Two models on the same images: counts, interval, p-value, and the sentence."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from server.services.comparison import compare, mcnemar_p, paired_difference


def _names(text: str) -> np.ndarray:
    return np.array(list(text), dtype=object)


def test_both_are_judged_by_the_labels_as_they_are_now() -> None:
    found = compare(
        before=_names("aabbcc"),
        after=_names("aabbca"),
        labels_before=_names("abbbcc"),
        labels=_names("aabbcb"),
        classes_before="abc",
    )
    assert (found.image_count, found.corrected_count) == (6, 2)
    assert (found.before_error_count, found.after_error_count) == (1, 1)
    assert found.as_labelled_error_count == 1
    assert (found.fixed_count, found.broken_count) == (0, 0)


def test_the_p_value_is_that_of_a_fair_coin() -> None:
    for fixed, broken in itertools.product(range(8), range(8)):
        tosses, fewer = fixed + broken, min(fixed, broken)
        tail = sum(math.comb(tosses, k) for k in range(fewer + 1)) / 2**tosses
        assert mcnemar_p(fixed, broken) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar_p(0, 0) == 1
    assert mcnemar_p(5000, 4000) < 1e-20


def test_the_interval_follows_its_source() -> None:
    # Bonett and Price 2012: (b + 1)/(n + 2) and (c + 1)/(n + 2) in place of the rates.
    difference, (low, high) = paired_difference(fixed_count=10, broken_count=2, count=100)
    assert difference == pytest.approx(-0.08)
    better, worse = 11 / 102, 3 / 102
    half = 1.959964 * math.sqrt((better + worse - (worse - better) ** 2) / 102)
    assert (low, high) == pytest.approx((worse - better - half, worse - better + half), abs=1e-6)


def test_the_interval_holds_what_it_promises() -> None:
    generator = np.random.default_rng(0)
    shares, rounds = (0.06, 0.14), 4000  # newly wrong, put right
    drawn = generator.multinomial(60, [*shares, 1 - sum(shares)], rounds)
    truth = shares[0] - shares[1]
    held = 0
    for broken, fixed, _ in drawn.tolist():
        low, high = paired_difference(fixed, broken, 60)[1]
        held += low <= truth <= high
    assert 0.93 < held / rounds < 0.985


def test_no_common_image_says_nothing() -> None:
    nothing = _names("")
    found = compare(nothing, nothing, nothing, nothing, "ab")
    assert found.interval == (-1.0, 1.0)
    assert "cannot be compared" in found.sentence


@pytest.mark.parametrize(
    ("fixed", "broken", "count", "start", "chance"),
    [
        (0, 0, 100, "No better and no worse", True),
        (4, 1, 100, "Better (4 put right, 1 newly wrong), but that could be chance", True),
        (1, 4, 100, "Worse (1 put right, 4 newly wrong), but that could be chance", True),
        (20, 2, 100, "Better (20 put right, 2 newly wrong), by more than chance", False),
        (2, 20, 100, "Worse (2 put right, 20 newly wrong), by more than chance", False),
    ],
)
def test_the_sentence_is_honest(
    fixed: int, broken: int, count: int, start: str, *, chance: bool
) -> None:
    same = count - fixed - broken
    before = _names("x" * fixed + "a" * broken + "a" * same)
    after = _names("a" * fixed + "x" * broken + "a" * same)
    labels = _names("a" * count)
    found = compare(before, after, labels, labels, "ax")
    assert found.sentence.startswith(start)
    assert found.could_be_chance is chance


def test_few_images_are_called_few() -> None:
    labels = _names("a" * 12)
    found = compare(labels, labels, labels, labels, "a")
    assert found.sentence.endswith(" 12 images are few: collect more to know.")
    assert compare(labels[:1], labels[:1], labels[:1], labels[:1], "a").sentence.endswith(
        " 1 image is too few: collect more to know."
    )


def test_a_model_that_answers_alike_is_told_from_one_that_is_wrong_elsewhere() -> None:
    labels = _names("a" * 40)
    same = compare(labels, labels, labels, labels, "ab")
    assert same.sentence == "No better and no worse: both give the same answer on every image."
    before, after = _names("b" + "a" * 39), _names("a" * 39 + "b")
    assert compare(before, after, labels, labels, "ab").sentence == (
        "No better and no worse (1 put right, 1 newly wrong): both make as many mistakes."
    )
    both_wrong = compare(_names("b" * 40), _names("c" * 40), labels, labels, "abc")
    assert both_wrong.changed_answer_count == 40
    assert "the same answer" not in both_wrong.sentence


def test_a_label_that_the_former_model_does_not_know_is_told_of() -> None:
    labels = _names("n" * 10 + "a" * 30)
    found = compare(_names("a" * 40), labels, _names("a" * 40), labels, "ab")
    assert found.unknown_label_count == 10
    assert found.sentence == (
        "Better (10 put right, 0 newly wrong), by more than chance would explain. 10 of the 40 "
        "images have labels that the former model does not know: it could not be right there."
    )

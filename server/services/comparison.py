"""Two models on the same validation images: what became better, and whether it could be chance.

Pure: numbers in, numbers and a sentence out.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point
_CHANCE = 0.05  # the customary level; the sentence says the interval beside it
FEW_IMAGES = 30  # below, even a large difference is mostly chance, and the sentence says so


@dataclass(frozen=True)
class Comparison:
    """What two models make of the same images, all of which neither was trained on.

    Attributes:
        image_count: Images in both validation splits.
        corrected_count: Those whose label changed between the two trainings.
        before_error_count: Wrong answers of the former model, by the labels as they are now.
        after_error_count: Wrong answers of the later one.
        as_labelled_error_count: Of the former model, by the labels as they were then.
        fixed_count: Images that only the former got wrong.
        broken_count: Images that only the later gets wrong.
        changed_answer_count: Images that the two answer differently, right or wrong.
        unknown_label_count: Images whose label the former model does not know, and so gets wrong.
        difference: Error rate after - before, -1..1; below 0 is better.
        interval: Of the difference, 95 %.
        p_value: Of the exact McNemar test: how often as uneven a division of the images on which
            the two disagree comes about when neither is better.
    """

    image_count: int
    corrected_count: int
    before_error_count: int
    after_error_count: int
    as_labelled_error_count: int
    fixed_count: int
    broken_count: int
    changed_answer_count: int
    unknown_label_count: int
    difference: float
    interval: tuple[float, float]
    p_value: float

    @property
    def could_be_chance(self) -> bool:
        """Whether the difference is no more than chance gives now and then."""
        low, high = self.interval
        return self.p_value >= _CHANCE or low <= 0 <= high

    @property
    def is_worse(self) -> bool:
        """Whether the later model is worse, by more than chance would explain."""
        return self.difference > 0 and not self.could_be_chance

    @property
    def sentence(self) -> str:
        """What to conclude, for people."""
        if self.image_count == 0:
            return (
                "The two models have no validation image in common, so they cannot be compared. "
                "Train with the same share and seed of validation images."
            )
        return f"{self._finding}{self._reservations}"

    @property
    def _finding(self) -> str:
        if self.changed_answer_count == 0:
            return "No better and no worse: both give the same answer on every image."
        counts = f"({self.fixed_count} put right, {self.broken_count} newly wrong)"
        if self.difference == 0:
            return f"No better and no worse {counts}: both make as many mistakes."
        word = "Better" if self.difference < 0 else "Worse"
        if self.could_be_chance:
            return f"{word} {counts}, but that could be chance."
        return f"{word} {counts}, by more than chance would explain."

    @property
    def _reservations(self) -> str:
        text = ""
        if self.unknown_label_count:
            verb = "has a label" if self.unknown_label_count == 1 else "have labels"
            text += (
                f" {self.unknown_label_count} of the {self.image_count} images {verb} that the "
                "former model does not know: it could not be right there."
            )
        if self.image_count < FEW_IMAGES:
            few = "1 image is too" if self.image_count == 1 else f"{self.image_count} images are"
            text += f" {few} few: collect more to know."
        return text


def compare(
    before: NDArray[np.object_],
    after: NDArray[np.object_],
    labels_before: NDArray[np.object_],
    labels: NDArray[np.object_],
    classes_before: Collection[str],
) -> Comparison:
    """Compare the answers of two models on the same images.

    Args:
        before: ``[N]`` names that the former model answers.
        after: ``[N]`` names that the later one answers.
        labels_before: ``[N]`` labels when the former was trained.
        labels: ``[N]`` labels now, by which both are judged.
        classes_before: What the former model can answer at all.
    """
    wrong_before, wrong_after = before != labels, after != labels
    fixed = int(np.sum(wrong_before & ~wrong_after))
    broken = int(np.sum(~wrong_before & wrong_after))
    difference, interval = paired_difference(fixed, broken, len(labels))
    return Comparison(
        image_count=len(labels),
        corrected_count=int(np.sum(labels_before != labels)),
        before_error_count=int(np.sum(wrong_before)),
        after_error_count=int(np.sum(wrong_after)),
        as_labelled_error_count=int(np.sum(before != labels_before)),
        fixed_count=fixed,
        broken_count=broken,
        changed_answer_count=int(np.sum(before != after)),
        unknown_label_count=int(np.sum(~np.isin(labels, list(classes_before)))),
        difference=difference,
        interval=interval,
        p_value=mcnemar_p(fixed, broken),
    )


def mcnemar_p(fixed_count: int, broken_count: int) -> float:
    """Return the two-sided p of the exact McNemar test: a fair coin for each disagreement.

    Source: McNemar 1947, https://doi.org/10.1007/BF02295996; as recommended for two classifiers on
    one test set by Dietterich 1998, https://doi.org/10.1162/089976698300017197
    """
    tosses, fewer = fixed_count + broken_count, min(fixed_count, broken_count)
    # By logarithms: 2 ** -tosses is 0 from some thousand disagreements on.
    tail = sum(
        math.exp(
            math.lgamma(tosses + 1)
            - math.lgamma(k + 1)
            - math.lgamma(tosses - k + 1)
            - tosses * math.log(2)
        )
        for k in range(fewer + 1)
    )
    return min(1.0, 2 * tail)


def paired_difference(
    fixed_count: int, broken_count: int, count: int, z: float = _Z_95
) -> tuple[float, tuple[float, float]]:
    """Return the difference of two error rates on the same images, and its interval.

    One image is added to each kind of disagreement for the interval alone, without which it would
    have no width when nothing changed.

    Args:
        fixed_count: Images that only the former got wrong.
        broken_count: Images that only the later gets wrong.
        count: All images.
        z: Half width in standard deviations; the default gives 95 %.

    Source: Bonett and Price 2012, Adjusted Wald Confidence Interval for a Difference of Binomial
    Proportions Based on Paired Data, https://doi.org/10.3102/1076998611411915
    """
    if count == 0:
        return 0.0, (-1.0, 1.0)
    worse, better = (broken_count + 1) / (count + 2), (fixed_count + 1) / (count + 2)
    centre = worse - better
    half = z * math.sqrt((worse + better - centre * centre) / (count + 2))
    low, high = max(-1.0, centre - half), min(1.0, centre + half)
    return (broken_count - fixed_count) / count, (low, high)

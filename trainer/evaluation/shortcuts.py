"""Whether the label can be guessed without looking at the subject.

If the site alone tells bears apart, a model may learn the site's watermark. Each trait guesses the
label by itself, cross-validated, and is compared with its guesses of shuffled labels.
Pure; may import ``traits``, ``trainer.selection`` and ``trainer.metrics`` (array types).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from server.contract.analysis import Clue, Shortcuts
from trainer.evaluation.traits import Traits
from trainer.metrics import Labels
from trainer.selection import deal_folds

Name = Literal["site", "engine", "size", "shape", "border"]

_SHUFFLES = 200  # with the highest of 200, one clue of five is a false alarm in 40 datasets
_FOLDS = 5
# Part of the way from chance to certainty below which a clue, however sure, is too weak to matter.
_WORTH_RATIO = 0.15
_MAX_IMAGES = 5_000  # guessed at most: more do not change the answer, and each costs 1000 guesses


def check_shortcuts(
    traits: Traits, labels: Labels, groups: Sequence[str], class_count: int, seed: int
) -> Shortcuts | None:
    """Return how well each trait guesses the label, beside chance.

    One image of each group of near-duplicates is guessed, so that shuffling its label is a fair
    draw; folds keep nothing else together, for to know a site from other images is the very thing.

    Args:
        traits: Of N images.
        labels: ``[N]``.
        groups: N names.
        class_count: Classes.
        seed: Of the folds and of the shuffles.

    Returns:
        None when there are too few images for folds.

    Source: Ojala and Garriga 2010, Permutation tests for studying classifier performance, JMLR 11.
    """
    places = np.array(sorted({group: at for at, group in enumerate(groups)}.values()))
    if len(places) > _MAX_IMAGES:
        places = np.sort(np.random.default_rng(seed).choice(places, _MAX_IMAGES, replace=False))
    own = labels[places]
    fold_of = deal_folds(own, [groups[place] for place in places], _FOLDS, seed)
    if fold_of is None:
        return None
    clues = []
    for name in get_args(Name):
        words = traits.words.get(name)
        if words is None:
            continue
        _, codes = np.unique([words[place] for place in places], return_inverse=True)
        if codes.max() > 0:
            clues.append(_judge(name, codes, own, fold_of, (class_count, seed)))
    clues.sort(key=lambda clue: -(clue.accuracy - clue.chance))
    return Shortcuts(image_count=len(places), shuffles=_SHUFFLES, clues=tuple(clues))


def _judge(
    name: Name,
    codes: NDArray[np.int64],
    labels: Labels,
    fold_of: Labels,
    sizes: tuple[int, int],
) -> Clue:
    class_count, seed = sizes
    generator = np.random.default_rng(seed)
    accuracy = _guess(codes, labels, fold_of, class_count)
    shuffled = [
        _guess(codes, generator.permutation(labels), fold_of, class_count) for _ in range(_SHUFFLES)
    ]
    chance, limit = float(np.mean(shuffled)), max(shuffled)
    is_worth = accuracy - chance >= _WORTH_RATIO * (1 - chance)
    return Clue(
        name=name,
        accuracy=accuracy,
        chance=chance,
        chance_limit=limit,
        value_count=int(codes.max()) + 1,
        is_shortcut=bool(accuracy > limit and is_worth),
    )


def _guess(codes: NDArray[np.int64], labels: Labels, fold_of: Labels, class_count: int) -> float:
    """Return the accuracy of answering each value's most frequent label in the other folds."""
    value_count = int(codes.max()) + 1
    right = 0
    for fold in range(int(fold_of.max()) + 1):
        inside = fold_of == fold
        pairs = codes[~inside] * class_count + labels[~inside]
        table = np.bincount(pairs, minlength=value_count * class_count).astype(np.float64)
        table = table.reshape(value_count, class_count)
        # A value that is new, or undecided, is answered by the labels' own frequency.
        table += table.sum(axis=0) / (2 * len(pairs))
        right += int(np.sum(table.argmax(axis=1)[codes[inside]] == labels[inside]))
    return right / len(labels)

"""Errors by where images come from and how they look. Pure; may import ``traits``, ``metrics``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from server.contract.analysis import Slice
from trainer import metrics
from trainer.evaluation.traits import Traits

Dimension = Literal["engine", "site", "size", "shape"]

_MIN_COUNT = 5  # below it a rate is an anecdote
_MAX_VALUES = 12  # of a dimension, the most frequent ones; the others are put together
_OTHERS = "others"
# 99 % on one side, not 95: some ten slices are looked at, and one of twenty would be a false alarm.
_Z_WORSE = 2.3263


def cut(traits: Traits, is_wrong: NDArray[np.bool_]) -> tuple[Slice, ...]:
    """Return error rates by each dimension's values, most images first.

    A dimension with one value says nothing and is left out.

    Args:
        traits: Of N images.
        is_wrong: ``[N]``.
    """
    found: list[Slice] = []
    for dimension in get_args(Dimension):
        words = traits.words.get(dimension)
        if words is not None:
            found.extend(_slices(dimension, _gathered(words), is_wrong))
    return tuple(found)


def _gathered(words: Sequence[str]) -> NDArray[np.str_]:
    """Return the words, rare ones called `_OTHERS`."""
    common = [
        word for word, count in Counter(words).most_common(_MAX_VALUES) if count >= _MIN_COUNT
    ]
    return np.array([word if word in common else _OTHERS for word in words])


def _slices(
    dimension: Dimension, words: NDArray[np.str_], is_wrong: NDArray[np.bool_]
) -> list[Slice]:
    values = Counter(words.tolist())
    if len(values) < 2:  # noqa: PLR2004 - one value is the whole
        return []
    rows = []
    for value, count in values.most_common():
        inside = words == value
        errors = int(is_wrong[inside].sum())
        rest = float(is_wrong[~inside].mean())
        rows.append(
            Slice(
                dimension=dimension,
                value=value,
                count=count,
                error_rate=errors / count,
                error_rate_interval=metrics.wilson_interval(errors, count),
                is_worse=metrics.wilson_interval(errors, count, _Z_WORSE)[0] > rest,
            )
        )
    return rows

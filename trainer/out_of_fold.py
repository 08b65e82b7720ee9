"""What heads that never saw an image say of it: the order in which labels are suspected.

The penalty's cross-validation sees the training split alone. Here training and validation images
alike are held out once in each of several dealings, together with what looks like them: a near
copy under the same wrong label would vouch for it.
May import ``trainer.selection``, ``trainer.head``, ``trainer.metrics`` and the contract.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from server.contract.calibration import probabilities
from trainer.head import ROUGH, Inputs, Problem, few_threads
from trainer.metrics import Floats
from trainer.selection import TrainingSet, deal_folds, fit_temperature

# Dealings whose logits are averaged. Flipped labels among the top n, 14 groups of food, 10 seeds:
# 71.5 % by one dealing, 73.9 % by three, 73.2 % by five, 73.4 % by ten.
DEALINGS = 3
# Above these, one dealing: with so many images an image's fold hardly changes what it is told.
_MANY_IMAGES = 5_000
# Images that one head is fitted on, which bounds its time and memory: 20,000 of 1280 features are
# 200 MB of float64, and some copies of that. Chosen by that arithmetic, not by a measurement.
MAX_FITTED = 20_000

Step = Callable[[int, int], None]


def judge(data: TrainingSet, folds: int, seed: int, l2: float, step: Step) -> Floats | None:
    """Return calibrated probabilities ``[N, C]`` of every image by heads that never saw it.

    The same arguments give the same answer. An image whose class no other fold has is judged by
    heads that do not know the class, and so comes first in the order of suspicion.

    Args:
        data: All images of the snapshot, of both splits.
        folds: At most this many in a dealing.
        seed: Of the first dealing; the next ones count on from it.
        l2: The penalty of every head: the one that the model's own head was fitted with.
        step: Told (done, total) after each fit; may raise to stop.

    Returns:
        None when there are too few images for folds: see `deal_folds`.

    Source: Northcutt, Jiang and Chuang 2021, Confident Learning, section 3 (out-of-sample
    probabilities, ranked by that of the given label), https://arxiv.org/abs/1911.00068
    """
    dealings = DEALINGS if len(data.labels) <= _MANY_IMAGES else 1
    total = np.zeros((len(data.labels), data.class_count))
    is_judged = np.ones(len(data.labels), dtype=np.bool_)
    with few_threads(len(data.labels)):
        shared = Inputs(data.features) if len(data.labels) <= MAX_FITTED else None
        for dealing in range(dealings):
            fold_of = deal_folds(data.labels, data.groups, folds, seed + dealing)
            if fold_of is None:
                return None
            count = int(fold_of.max()) + 1
            for fold in range(count):
                inside = fold_of == fold
                fitted = _fitted_on(~inside, seed + dealing)
                problem = _problem(data, shared, fitted)
                total[inside] += problem.fit(l2, ROUGH).logits(data.features[inside])
                is_judged[inside] &= np.isin(data.labels[inside], data.labels[fitted])
                step(dealing * count + fold + 1, dealings * count)
    mean = total / dealings
    temperature = fit_temperature(mean[is_judged], data.labels[is_judged])
    return probabilities(mean, temperature)


def _fitted_on(outside: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """Return ``[N]``: true for the images outside a fold, or for `MAX_FITTED` of them."""
    indices = np.flatnonzero(outside)
    if len(indices) <= MAX_FITTED:
        return outside
    chosen = np.zeros_like(outside)
    chosen[np.random.default_rng(seed).choice(indices, MAX_FITTED, replace=False)] = True
    return chosen


def _problem(data: TrainingSet, shared: Inputs | None, fitted: NDArray[np.bool_]) -> Problem:
    """Return what to fit; without ``shared``, which holds all images, with those fitted alone."""
    labels = data.labels[fitted]
    if shared is not None:
        return Problem(shared, fitted, labels, data.class_count)
    everything = np.ones(len(labels), dtype=np.bool_)
    return Problem(Inputs(data.features[fitted]), everything, labels, data.class_count)

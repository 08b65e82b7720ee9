"""The order of training images, and batches of them read ahead. May import numpy.

The order is a function of the seed and the number of the update alone, so that a training that was
interrupted goes on with the very images that would have come.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_ORDER = 0  # which random numbers: of the order of images
_CHANGES = 1  # or of what is done to them

_T = TypeVar("_T")


def batch_of(update: int, batch_size: int, image_count: int, seed: int) -> NDArray[np.int64]:
    """Return the indices of the images of an update.

    Epochs follow each other without a gap, each in an order of its own: every batch is full, and
    every image has come n times before any comes for the (n + 1)-th.

    Args:
        update: From 0.
        batch_size: Images per update; may exceed ``image_count``.
        image_count: Above 0.
        seed: Of the orders.
    """
    first = update * batch_size
    places = np.arange(first, first + batch_size)
    epochs = range(first // image_count, (first + batch_size - 1) // image_count + 1)
    orders = {
        epoch: np.random.default_rng((seed, _ORDER, epoch)).permutation(image_count)
        for epoch in epochs
    }
    picked = [orders[place // image_count][place % image_count] for place in places.tolist()]
    return np.array(picked, dtype=np.int64)


def generator_of(update: int, seed: int) -> np.random.Generator:
    """Return the source of all that is random in an update but its images."""
    return np.random.default_rng((seed, _CHANGES, update))


def read_ahead(read: Callable[[int], _T], first: int, end: int) -> Generator[_T]:
    """Yield ``read(first)`` … ``read(end - 1)``, each read by a thread while the last is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        waiting: list[Future[_T]] = []
        for place in range(first, end + 1):
            ahead = [pool.submit(read, place)] if place < end else []
            for ready in waiting:
                yield ready.result()
            waiting = ahead

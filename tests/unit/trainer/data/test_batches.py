"""The order of images: full batches, even epochs, nothing but seed and number."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.batches import batch_of, generator_of, read_ahead


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 99))
def test_every_image_comes_once_in_an_epoch(batch_size: int, image_count: int, seed: int) -> None:
    updates = -(-3 * image_count // batch_size)
    order = np.concatenate(
        [batch_of(update, batch_size, image_count, seed) for update in range(updates)]
    )
    assert len(order) == updates * batch_size
    for epoch in range(3):
        part = order[epoch * image_count : (epoch + 1) * image_count]
        assert sorted(part.tolist()) == list(range(image_count))


def test_another_seed_is_another_order() -> None:
    assert batch_of(3, 8, 100, 1).tolist() == batch_of(3, 8, 100, 1).tolist()
    assert batch_of(3, 8, 100, 1).tolist() != batch_of(3, 8, 100, 2).tolist()
    assert generator_of(3, 1).random() == generator_of(3, 1).random() != generator_of(4, 1).random()


def test_reading_ahead_keeps_the_order_and_is_one_ahead() -> None:
    read: list[int] = []
    for place in read_ahead(lambda number: read.append(number) or number, 2, 6):
        deadline = time.monotonic() + 5
        while len(read) < min(place, 4) and time.monotonic() < deadline:
            time.sleep(0.001)
        assert max(read) <= place + 1
    assert read == [2, 3, 4, 5]
    assert list(read_ahead(str, 3, 3)) == []


def test_an_error_of_reading_reaches_the_reader() -> None:
    with pytest.raises(ZeroDivisionError):
        list(read_ahead(lambda number: 1 // (2 - number), 0, 5))

"""The bound on pixels that are decoded at once, with real threads."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.media import verify as verify_module
from server.media.pixel_budget import PixelBudget
from server.media.verify import NotUsableError, verify
from tests.support import images

PATIENCE_S = 20.0  # a deadlock is not waited for


def test_small_pictures_take_nothing_and_never_wait() -> None:
    budget = PixelBudget(total_px=100, free_px=10)
    with budget.room(100), budget.room(10):
        assert budget.held_px == 100
    assert budget.held_px == 0


def test_a_picture_over_the_bound_has_it_alone() -> None:
    budget = PixelBudget(total_px=100, free_px=10)
    with budget.room(1000):
        assert budget.held_px == 100
    assert budget.held_px == 0


def test_what_fails_inside_gives_its_pixels_back() -> None:
    budget = PixelBudget(total_px=100, free_px=10)
    with pytest.raises(ValueError, match="damaged"), budget.room(60):
        raise ValueError("damaged")
    assert budget.held_px == 0


def test_a_large_picture_is_not_passed_by() -> None:
    budget = PixelBudget(total_px=100, free_px=0)
    order: list[str] = []

    def decode(name: str, pixels: int) -> None:
        with budget.room(pixels):
            order.append(name)

    threads: list[threading.Thread] = []
    with budget.room(50):
        for number, (name, pixels) in enumerate([("large", 100), ("small", 10)], 1):
            threads.append(threading.Thread(target=decode, args=(name, pixels)))
            threads[-1].start()
            while budget.waiting_count < number:
                threading.Event().wait(0.001)
        assert order == []  # there is room for the small one, but it came later
    for thread in threads:
        thread.join(PATIENCE_S)
    assert order == ["large", "small"]


@pytest.mark.parametrize("seed", range(3))
def test_many_threads_stay_under_the_bound_and_all_come_through(seed: int) -> None:
    budget = PixelBudget(total_px=100, free_px=5)
    dice = random.Random(seed)
    sizes = [dice.choice([1, 5, 6, 30, 50, 51, 99, 100, 101, 1000]) for _ in range(600)]
    lock = threading.Lock()
    held = [0]
    peaks: list[int] = []

    def decode(pixels: int) -> None:
        counted = min(pixels, 100) if pixels > 5 else 0
        with budget.room(pixels):
            with lock:
                held[0] += counted
                peaks.append(held[0])
            threading.Event().wait(0.0005 * (pixels % 3))
            with lock:
                held[0] -= counted
            if pixels == 99:
                raise OSError("damaged")

    with ThreadPoolExecutor(8) as pool:
        ends = [pool.submit(decode, pixels) for pixels in sizes]
        errors = [end.exception(PATIENCE_S) for end in ends]
    assert max(peaks) <= 100
    assert sum(error is not None for error in errors) == sizes.count(99)
    assert budget.held_px == budget.waiting_count == 0


def test_decodes_of_large_pictures_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = PixelBudget(total_px=450_000, free_px=150_000)
    monkeypatch.setattr(verify_module, "_DECODES", budget)
    waited = threading.Event()
    large = images.encode(images.photo(500, 400), "PNG")
    small = images.encode(images.photo(300, 300), "PNG")
    # A JPEG of one scan is drawn line by line, to 400 by 300; one of several holds all of itself.
    scans = images.jpeg(800, 600, progressive=True)
    with ThreadPoolExecutor(2) as pool, budget.room(300_000):
        assert verify(small)
        assert verify(images.jpeg(800, 600))
        ends = [pool.submit(verify, data) for data in (large, scans)]
        while budget.waiting_count < 2:
            waited.wait(0.001)
        assert not any(end.done() for end in ends)
    assert [end.result(PATIENCE_S).width for end in ends] == [500, 800]
    assert budget.held_px == 0


def test_a_damaged_picture_gives_its_pixels_back(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = PixelBudget(total_px=30_000, free_px=10_000)
    monkeypatch.setattr(verify_module, "_DECODES", budget)
    data = images.encode(images.photo(), "PNG")
    with pytest.raises(NotUsableError):
        verify(data[: len(data) // 2])
    assert budget.held_px == 0

"""How many statements a request runs does not depend on how much it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.support.app import Bird, running
from tests.support.images import encode, photo

COUNTS = (2, 40)


@pytest.fixture
async def bird(data_folder: Path) -> AsyncIterator[Bird]:
    async with running(data_folder, workers=False) as bird:
        yield bird


@contextmanager
def counting(bird: Bird) -> Iterator[list[str]]:
    """Yield a list that gets every statement, as often as it is run."""
    run: list[str] = []

    def note(_connection, _cursor, statement: str, parameters, _context, is_many: bool) -> None:
        # With several rows of parameters the driver runs it for each, unless it names all of them.
        is_each = is_many and "), (" not in statement
        run.extend([statement] * (len(parameters) if is_each else 1))

    engine = bird.database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_of_a_page_by_its_images(bird: Bird):
    numbers = []
    for count in COUNTS:
        dataset = await bird.dataset()
        for n in range(count):
            await bird.upload(dataset, encode(photo(20, 20, n), "PNG"), f"label {n % 5}")
        with counting(bird) as run:
            assert len(await bird.images(dataset, limit=100)) == count
        numbers.append(len(run))
    assert numbers[0] == numbers[1], run


async def test_of_a_capture_by_its_candidates(bird: Bird):
    numbers = []
    for count in COUNTS:
        dataset = await bird.dataset()
        await bird.capture(dataset, ["http://a.test/0.jpg"], "bird")  # one of them is known
        with counting(bird) as run:
            answer = await bird.capture(
                dataset, [f"http://a.test/{n}.jpg" for n in range(count)], "bird"
            )
        assert (answer["added"], answer["known"]) == (count - 1, 1)
        numbers.append(len(run))
    assert numbers[0] == numbers[1], run


async def test_of_a_change_by_its_images(bird: Bird):
    numbers = []
    for count in COUNTS:
        dataset = await bird.dataset()
        images = [
            await bird.upload(dataset, encode(photo(20, 20, n), "PNG"), "cat") for n in range(count)
        ]
        await bird.post(f"/datasets/{dataset}/labels", json={"name": "dog"})
        body = {"ids": [image["id"] for image in images], "set": {"label": "dog", "reviewed": True}}
        with counting(bird) as run:
            changed = await bird.post(f"/datasets/{dataset}/images/bulk", json=body)
            undone = await bird.post(f"/datasets/{dataset}/undo")
        assert changed.json()["changed"] == undone.json()["changed"] == count
        numbers.append(len(run))
    assert numbers[0] == numbers[1], run
    assert numbers[0] < 30, run


async def test_of_asking_what_is_known_by_the_addresses(bird: Bird):
    dataset = await bird.dataset()
    await bird.capture(dataset, [f"http://a.test/{n}.jpg" for n in range(40)])
    numbers = []
    for count in COUNTS:
        urls = [f"http://a.test/{n}.jpg" for n in range(count)]
        with counting(bird) as run:
            answer = await bird.post(f"/datasets/{dataset}/known", json={"urls": urls})
        assert len(answer.json()["known"]) == count
        numbers.append(len(run))
    assert numbers[0] == numbers[1], run

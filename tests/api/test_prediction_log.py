"""What is kept of answers: nothing, counts, or images; bounded, and forgotten when asked."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.repositories import predictions
from server.repositories.paging import PageRequest
from server.repositories.predictions import Kind, Room
from server.services.prediction_log import EDGES, Mode, PredictionLog, bin_of
from tests.support.app import Bird, Clock, in_one_task, problem, running
from tests.support.played_trainer import (
    coloured_dataset,
    plain,
    right,
    trained,
    trained_saying,
)
from tests.support.site import Site, answer
from tests.support.snapshots import COLOURS, picture


@pytest.fixture
async def logging_bird(data_folder: Path) -> AsyncIterator[Bird]:
    """Return an application that keeps images, without workers."""
    groups = {"prediction_log": {"mode": "images"}}
    async with in_one_task(lambda: running(data_folder, workers=False, **groups)) as bird:
        yield bird


def log_of(bird: Bird) -> PredictionLog:
    return bird.parts.services.monitoring.log


@asynccontextmanager
async def ruled(bird: Bird, **changes: Any) -> AsyncIterator[PredictionLog]:
    """Yield the log with other rules."""
    log = log_of(bird)
    log.rules = replace(log.rules, **changes)
    yield log


async def ask(bird: Bird, colour: str, side_px: int = 40) -> dict[str, Any]:
    response = await bird.post("/classify", files={"file": ("a.png", plain(colour, side_px))})
    assert response.status_code == 200, response.text
    said: dict[str, Any] = response.json()
    return said


async def counts(bird: Bird, model: str, **query: Any) -> dict[str, Any]:
    response = await bird.get(f"/models/{model}/prediction-counts", params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def files(bird: Bird) -> list[Path]:
    return sorted(p for p in (bird.data / "predictions").rglob("*") if p.is_file())


async def live_model(bird: Bird) -> str:
    return await trained(bird, await coloured_dataset(bird, 5))


async def test_nothing_is_kept_unless_it_is_asked_for(still: Bird):
    model = await live_model(still)
    assert (await ask(still, "red"))["prediction_id"] is None
    found = await counts(still, model)
    assert (found["mode"], found["count"], found["labels"]) == ("off", 0, [])
    assert files(still) == []


async def test_counts_hold_no_image_and_add_up(still: Bird):
    model = await live_model(still)
    async with ruled(still, mode=Mode.COUNTS) as log:
        log._clock = Clock(datetime(2026, 11, 22, 23, 59, tzinfo=UTC))
        said = [await ask(still, colour) for colour in ("red", "red", "blue")]
        assert [one["prediction_id"] for one in said] == [None] * 3
        await log.flush()
        log._clock.advance(minutes=2)
        several = {"images": [{"image_id": "nothing"}, {"image_id": "nor this"}]}
        assert (await still.post("/classify", json=several)).status_code == 200
        await ask(still, "red")
        found = await counts(still, model)
        assert found["count"] == 4
        assert {one["label"]: one["count"] for one in found["labels"]} == {"red": 3, "blue": 1}
        assert [(day["day"], day["count"]) for day in found["by_day"]] == [
            ("2026-11-22", 3), ("2026-11-23", 1),
        ]  # fmt: skip
        assert found["abstained"] == sum(one["abstained"] for one in [*said, said[0]])
        assert sum(one["count"] for one in found["confidence"]) == 4
        fullest = max(found["confidence"], key=lambda one: one["count"])
        assert fullest["low"] <= said[0]["probability"] <= fullest["high"]
        assert (await counts(still, model, days=1))["count"] == 1
        assert (await still.get(f"/models/{model}/predictions")).json()["items"] == []
        assert files(still) == []
        log._clock.advance(days=401)
        await log.prune()
        assert (await counts(still, model, days=400))["count"] == 0


async def test_images_are_kept_handed_out_and_forgotten(logging_bird: Bird):
    bird = logging_bird
    model = await live_model(bird)
    first, again = await ask(bird, "red"), await ask(bird, "red")
    assert first["prediction_id"] != again["prediction_id"]
    listed = (await bird.get(f"/models/{model}/predictions")).json()
    assert [one["id"] for one in listed["items"]] == sorted(
        (first["prediction_id"], again["prediction_id"]), reverse=True
    )
    assert len(files(bird)) == 1
    got = await bird.get(f"/predictions/{first['prediction_id']}/file")
    assert (got.content, got.headers["content-type"]) == (plain("red"), "image/png")
    assert "no-store" in got.headers["cache-control"]
    assert (await bird.delete(f"/models/{model}/predictions")).status_code == 204
    assert files(bird) == []
    assert (await counts(bird, model))["count"] == 0
    gone = await bird.get(f"/predictions/{first['prediction_id']}/file")
    problem(gone, 404, "prediction-not-found")
    problem(await bird.get("/models/nobody/predictions"), 404, "model-not-found")
    problem(await bird.delete("/models/nobody/predictions"), 404, "model-not-found")


async def test_an_image_of_a_dataset_is_not_kept_twice(logging_bird: Bird):
    dataset = await coloured_dataset(logging_bird, 5)
    await trained(logging_bird, dataset)
    image = (await logging_bird.images(dataset))[0]
    said = (await logging_bird.post("/classify", json={"image_id": image["id"]})).json()
    await log_of(logging_bird).flush()
    assert files(logging_bird) == []
    gone = await logging_bird.get(f"/predictions/{said['prediction_id']}/file")
    problem(gone, 404, "prediction-not-found")


async def test_the_oldest_go_when_there_are_too_many_too_large_or_too_old(logging_bird: Bird):
    bird = logging_bird
    model = await live_model(bird)

    async def kept() -> list[str]:
        items = (await bird.get(f"/models/{model}/predictions")).json()["items"]
        return [one["id"] for one in items]

    async with ruled(bird, room=Room(3, 1 << 30)) as log:
        asked = []
        for side_px in range(40, 46):
            asked.append((await ask(bird, "red", side_px))["prediction_id"])
            await log.flush()
        assert await kept() == asked[:-4:-1]
        assert len(files(bird)) == 3
    sizes = sorted(path.stat().st_size for path in files(bird))
    async with ruled(bird, room=Room(3, sum(sizes) - 1)) as log:
        await log.prune()
        assert len(files(bird)) == 2
    async with ruled(bird, room=Room(3, 1 << 30), keep_days=1) as log:
        clock = Clock(datetime.now(UTC))
        clock.advance(days=2)
        log._clock = clock
        await log.prune()
        assert await kept() == []
        assert files(bird) == []
    assert (await counts(bird, model))["count"] == 6


async def test_what_is_left_of_a_deleted_dataset_is_swept(logging_bird: Bird):
    bird = logging_bird
    dataset = await coloured_dataset(bird, 5)
    await trained(bird, dataset)
    await ask(bird, "red")
    await log_of(bird).flush()
    (file,) = files(bird)
    await bird.delete(f"/datasets/{dataset}")
    await log_of(bird).prune()
    assert files(bird) == [file]  # young: it might belong to an answer that is being written
    os.utime(file, (0, 0))
    await log_of(bird).prune()
    assert files(bird) == []


async def test_what_was_removed_with_its_site_leaves_the_log(logging_bird: Bird):
    bird = logging_bird
    dataset = await coloured_dataset(bird, 5)
    model = await trained(bird, dataset)
    removed, other = plain("red", 50), plain("blue", 50)
    await bird.upload(dataset, removed, "red", source_url="https://bears.example/a")
    for data in (removed, other):
        await bird.post("/classify", files={"file": ("a.png", data)})
    body = {"site": "bears.example", "dry_run": False, "block": False}
    assert (await bird.post("/sites/removal", json=body)).status_code < 300
    await log_of(bird).flush()
    await log_of(bird).prune()
    assert [file.read_bytes() for file in files(bird)] == [other]
    listed = (await bird.get(f"/models/{model}/predictions")).json()["items"]
    assert [one["label"] for one in listed] == ["blue"]
    assert (await counts(bird, model))["count"] == 2


async def test_an_answer_to_an_address_keeps_the_image_and_not_the_address(
    logging_bird: Bird, site: Site
):
    bird = logging_bird
    await live_model(bird)
    site.routes["/secret.png"] = answer(plain("red"))
    url = site.url("/secret.png")
    said = (await bird.post("/classify", json={"url": url})).json()
    await bird.client.get("/classify-url", params={"url": url})
    await log_of(bird).flush()
    got = await bird.get(f"/predictions/{said['prediction_id']}/file")
    assert got.content == plain("red")
    async with bird.database.read() as session:
        page = await predictions.list_page(session, said["model_id"], PageRequest())
    assert len(page.items) == 2
    assert not any("secret" in str(vars(row)) for row in page.items)


async def test_an_answer_never_fails_for_the_log(logging_bird: Bird, monkeypatch):
    bird = logging_bird
    model = await live_model(bird)
    log = log_of(bird)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log, "_write_files", full)
    assert (await ask(bird, "red"))["label"] == "red"
    assert (await counts(bird, model))["count"] == 0
    assert log.dropped_count == 1
    monkeypatch.undo()
    monkeypatch.setattr("server.services.prediction_log._MOST_WAITING", 2)
    said = [await ask(bird, "blue") for _ in range(4)]
    assert [one["prediction_id"] is None for one in said] == [False, False, True, True]
    assert (await counts(bird, model))["count"] == 2
    assert log.dropped_count == 3


async def test_what_waits_is_written_when_the_server_stops(logging_bird: Bird):
    bird = logging_bird
    model = await live_model(bird)
    task = asyncio.create_task(log_of(bird).run())
    await asyncio.sleep(0)
    await ask(bird, "red")
    task.cancel()
    await asyncio.wait([task])
    async with bird.database.read() as session:
        assert len(await predictions.list_counts(session, model, "2000-01-01")) == 1


def test_every_probability_has_its_bin():
    assert [bin_of(p) for p in (0.0, 0.0999, 0.1, 1.0)] == [0, 0, 1, len(EDGES)]
    assert list(EDGES) == sorted(set(EDGES))


async def drift(bird: Bird, model: str) -> dict[str, Any]:
    response = await bird.get(f"/models/{model}/drift")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


KNOWN = list(COLOURS.values())
BETWEEN = [(210, 180, 40), (40, 180, 210), (200, 40, 180)]


async def test_a_shift_of_what_is_asked_is_told(still: Bird):
    dataset = await coloured_dataset(still, 20)
    model, _ = await trained_saying(still, dataset, right, valid_ratio=0.6)
    async with ruled(still, mode=Mode.COUNTS) as log:
        none_yet = await drift(still, model)
        assert (none_yet["tests"], none_yet["is_alert"], none_yet["mode"]) == ([], False, "counts")
        assert "Too few answers to tell: 0" in none_yet["sentence"]
        assert none_yet["validation_count"] >= 20

        async def add(labels: str) -> None:
            day = log._clock().date().isoformat()
            kinds = Counter(
                Kind(model, day, label, False, bin_of(0.99)) for label in labels.split()
            )
            async with still.database.write() as session:
                await predictions.add_counts(session, kinds)

        await add("red green blue " * 20)
        same = await drift(still, model)
        assert (same["count"], same["is_alert"]) == (60, False), same
        assert [test["kind"] for test in same["tests"]] == [
            "label-mix", "confidence", "abstention",
        ]  # fmt: skip
        await add("red " * 140)
        other = await drift(still, model)
        assert other["is_alert"]
        assert [test["kind"] for test in other["tests"] if test["is_alert"]] == ["label-mix"]
        assert other["tests"][0]["sentence"].startswith("red is 80 % of the answers, and was 3")
        assert "train again" in other["sentence"]
        assert "looking at its training images" in other["notes"][0]
    problem(await still.get("/models/nobody/drift"), 404, "model-not-found")


async def test_images_that_lie_apart_are_told_though_they_are_answered_alike(still: Bird):
    """The tiny model sees how much red, green and blue there is, and names what is most."""
    dataset = await coloured_dataset(still, 40)
    model, _ = await trained_saying(still, dataset, right, valid_ratio=0.5)
    nearness = still.parts.services.monitoring.nearness

    async def ask_about(pictures: Iterable[bytes]) -> None:
        for place, data in enumerate(pictures):
            response = await still.post("/classify", files={"file": (f"{place}.png", data)})
            assert response.status_code == 200, response.text

    def like(first_seed: int, colours: Sequence[tuple[int, int, int]]) -> Iterator[bytes]:
        for number in range(60):
            yield picture(colours[number % len(colours)], first_seed + number)

    async with ruled(still, mode=Mode.COUNTS) as log:
        await ask_about(like(50_000, KNOWN))
        early = await drift(still, model)
        assert "Look again in a minute" in early["notes"][0]
        await nearness.make_wanted()
        few = await drift(still, model)
        assert "too few answers" in few["notes"][0]
        await log.forget(model)

        await ask_about(like(60_000, KNOWN))
        same = await drift(still, model)
        kinds = [test["kind"] for test in same["tests"]]
        assert (kinds[-1], same["notes"]) == ("embedding", [])
        assert not same["tests"][-1]["is_alert"], same
        assert (await log.count_nearness(model, 7)).sum() == 60
        await log.forget(model)
        assert (await log.count_nearness(model, 7)).sum() == 0

        await ask_about(like(70_000, BETWEEN))
        other = await drift(still, model)
        apart = other["tests"][-1]
        assert (apart["kind"], apart["is_alert"], other["is_alert"]) == ("embedding", True, True)
        assert apart["sentence"].startswith(
            "Half of the images are more like a training image than"
        )

"""The nightly refresh: when it begins, what it trains and tells, and that it promotes nobody."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.contract.evaluation import EvaluatedImage
from server.contract.snapshot import Item
from server.services.refresh import RefreshService
from tests.support.app import Bird, Clock, problem, running
from tests.support.played_trainer import (
    Judge,
    answer_job,
    claim,
    coloured_dataset,
    trained_saying,
)

NEXT = {"blue": "green", "green": "red", "red": "blue"}
NIGHT = datetime(2026, 11, 24, 3, 5, tzinfo=UTC)
ColouredData = Callable[[int], tuple[Path, str]]


def wrong_on_every(step: int) -> Judge:
    """Return a judge that is wrong on one image of ``step``; on none for 0."""

    def judge(place: int, item: Item) -> EvaluatedImage:
        is_wrong = step > 0 and place % step == 0
        return EvaluatedImage(
            sha256=item.sha256,
            split=item.split,
            label=item.label,
            predicted=NEXT[item.label] if is_wrong else item.label,
            loss=1.5 if is_wrong else 0.1,
            probability=0.9,
        )

    return judge


@pytest.fixture
def data_folder(tmp_path: Path, coloured_data: ColouredData) -> Path:
    return shutil.copytree(coloured_data(20)[0], tmp_path / "data")


@pytest.fixture
def dataset(coloured_data: ColouredData) -> str:
    return coloured_data(20)[1]


@pytest.fixture
def clock() -> Clock:
    return Clock(NIGHT)


def service_of(bird: Bird, clock: Clock) -> RefreshService:
    """Return the service of an application without workers, by a clock and in UTC."""
    service = bird.parts.services.refresh
    service._clock = clock
    service._local = lambda moment: moment
    return service


async def run_on(service: RefreshService) -> None:
    """Take steps until there is nothing to do at once; more than ten would be a loop."""
    for _ in range(10):
        if not await service.step():
            return
    raise AssertionError("it never ends")


async def live(bird: Bird, dataset: str, step: int = 2) -> str:
    made, _ = await trained_saying(bird, dataset, wrong_on_every(step), valid_ratio=0.6, seed=7)
    return made


async def turn_on(bird: Bird, dataset: str, **wish: Any) -> dict[str, Any]:
    body = {"is_on": True, "hour": 3, "least_new_count": 1} | wish
    response = await bird.request("PUT", f"/datasets/{dataset}/refresh", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def review(bird: Bird, dataset: str, count: int) -> None:
    for image in (await bird.images(dataset))[:count]:
        answer = await bird.patch(f"/images/{image['id']}", json={"reviewed": True})
        assert answer.status_code == 200, answer.text


async def told(bird: Bird, dataset: str) -> dict[str, Any]:
    found: dict[str, Any] = (await bird.get(f"/datasets/{dataset}/refresh")).json()
    return found


async def stages(bird: Bird, dataset: str) -> dict[str, str]:
    items = (await bird.get("/models", params={"dataset": dataset})).json()["items"]
    return {item["id"]: item["stage"] for item in items}


async def test_it_is_off_until_it_is_turned_on(still: Bird, dataset: str, clock: Clock):
    service = service_of(still, clock)
    await live(still, dataset)
    await review(still, dataset, 3)
    found = await told(still, dataset)
    assert (found["is_on"], found["hour"], found["least_new_count"]) == (False, 3, 20)
    assert (found["new_count"], found["runs"]) == (3, [])
    await run_on(service)
    assert (await told(still, dataset))["runs"] == []


async def test_a_night_trains_a_candidate_and_a_person_promotes_it(
    still: Bird, dataset: str, clock: Clock
):
    service = service_of(still, clock)
    former = await live(still, dataset)
    await review(still, dataset, 5)
    await turn_on(still, dataset, least_new_count=5)
    await run_on(service)
    (run,) = (await told(still, dataset))["runs"]
    assert (run["state"], run["is_asked"], run["new_count"]) == ("training", False, 5)
    job = await claim(still)
    assert job is not None
    assert (job["id"], job["snapshot_id"]) == (run["job_id"], run["snapshot_id"])
    snapshot = (await still.get(f"/snapshots/{job['snapshot_id']}")).json()
    assert (snapshot["valid_ratio"], snapshot["seed"]) == (0.6, 7)
    assert job["recipe"] == (await still.get(f"/models/{former}")).json()["recipe"]
    candidate = await answer_job(still, job, wrong_on_every(0))
    await run_on(service)
    found = await told(still, dataset)
    (run,) = found["runs"]
    assert (run["state"], run["model_id"]) == ("compared", candidate)
    assert run["sentence"].startswith("Better: ")
    assert run["sentence"].endswith("by more than chance would explain. Promote it?")
    assert run["comparison"]["after_error_count"] == 0
    assert found["new_count"] == 0, "what it learnt is no longer new"
    assert await stages(still, dataset) == {former: "live", candidate: "candidate"}


@pytest.mark.parametrize(
    ("step", "begins", "ends"),
    [
        (2, "No better and no worse: both make ", "validation images that both have."),
        (1, "Worse: ", "Keep the live model."),
        (60, "Better: ", "Promote it?"),
    ],
)
async def test_what_came_of_it_is_said(
    still: Bird, dataset: str, clock: Clock, step: int, begins: str, ends: str
):
    service = service_of(still, clock)
    await live(still, dataset)
    assert (await still.post(f"/datasets/{dataset}/refresh/run")).status_code == 202
    await run_on(service)
    job = await claim(still)
    assert job is not None
    await answer_job(still, job, wrong_on_every(step))
    await run_on(service)
    (run,) = (await told(still, dataset))["runs"]
    assert run["is_asked"]
    assert run["sentence"].startswith(begins), run["sentence"]
    assert run["sentence"].endswith(ends), run["sentence"]


async def test_a_night_with_too_little_is_passed_over_once(still: Bird, dataset: str, clock: Clock):
    service = service_of(still, clock)
    await live(still, dataset)
    await review(still, dataset, 2)
    await turn_on(still, dataset, least_new_count=3)
    await run_on(service)
    await run_on(service)
    (run,) = (await told(still, dataset))["runs"]
    assert run["state"] == "skipped"
    assert run["sentence"] == "Only 2 newly reviewed images, fewer than 3."
    assert await claim(still) is None
    clock.advance(days=1)
    await run_on(service)
    assert len((await told(still, dataset))["runs"]) == 2


@pytest.mark.parametrize(
    ("hour", "now", "is_due"),
    [(3, 2, False), (3, 3, True), (3, 8, True), (3, 9, False), (23, 1, True), (23, 5, False)],
)
async def test_it_begins_at_its_hour_or_a_little_later(
    still: Bird, dataset: str, clock: Clock, hour: int, now: int, is_due: bool
):
    clock.now = NIGHT.replace(hour=now)
    service = service_of(still, clock)
    await turn_on(still, dataset, hour=hour)
    await run_on(service)
    runs = (await told(still, dataset))["runs"]
    assert len(runs) == int(is_due)
    assert [run["sentence"] for run in runs] == [
        "No model is live: train one by hand first; its recipe is what is used."
    ] * is_due


async def test_a_failure_is_told_and_the_next_night_tries_again(
    still: Bird, dataset: str, clock: Clock
):
    service = service_of(still, clock)
    await live(still, dataset)
    await review(still, dataset, 4)
    await turn_on(still, dataset)
    await run_on(service)
    job = await claim(still)
    assert job is not None
    error = {"kind": "out-of-memory", "detail": "too little memory"}
    body = {"worker": "played", "error": error}
    assert (await still.post(f"/jobs/{job['id']}/fail", json=body)).status_code == 204
    await run_on(service)
    (run,) = (await told(still, dataset))["runs"]
    assert (run["state"], run["sentence"]) == ("failed", "The training failed: too little memory")
    clock.advance(days=1)
    await run_on(service)
    newest, _ = (await told(still, dataset))["runs"]
    assert (newest["state"], newest["new_count"]) == ("training", 4)


async def test_a_snapshot_that_cannot_be_made_is_told(still: Bird, dataset: str, clock: Clock):
    service = service_of(still, clock)
    await live(still, dataset)
    images = await still.images(dataset)
    for image in images:
        await still.patch(f"/images/{image['id']}", json={"excluded": True})
    await still.post(f"/datasets/{dataset}/refresh/run")
    await run_on(service)
    (run,) = (await told(still, dataset))["runs"]
    assert run["state"] == "failed"
    assert run["sentence"].startswith("It failed: ")


async def test_a_training_that_nobody_takes_up_is_cancelled(
    still: Bird, dataset: str, clock: Clock
):
    service = service_of(still, clock)
    await live(still, dataset)
    await still.post(f"/datasets/{dataset}/refresh/run")
    await run_on(service)
    problem(await still.post(f"/datasets/{dataset}/refresh/run"), 409, "refresh-running")
    clock.advance(hours=21)
    await run_on(service)
    (run,) = (await told(still, dataset))["runs"]
    assert run["sentence"].endswith("Is a trainer running?")
    assert (await still.get(f"/jobs/{run['job_id']}")).json()["state"] == "cancelled"
    assert (await still.post(f"/datasets/{dataset}/refresh/run")).status_code == 202


async def test_one_dataset_is_refreshed_at_a_time(still: Bird, dataset: str, clock: Clock):
    service = service_of(still, clock)
    other = await coloured_dataset(still, 6)
    for each in (dataset, other):
        await live(still, each)
        await still.post(f"/datasets/{each}/refresh/run")
    await run_on(service)
    states = [(await told(still, each))["runs"][0]["state"] for each in (dataset, other)]
    assert states == ["training", "waiting"]
    first = await claim(still)
    assert first is not None
    await answer_job(still, first, wrong_on_every(0))
    await run_on(service)
    states = [(await told(still, each))["runs"][0]["state"] for each in (dataset, other)]
    assert states == ["compared", "training"]


async def test_a_restart_goes_on_where_it_stood(data_folder: Path, dataset: str, clock: Clock):
    async with running(data_folder, workers=False) as bird:
        service = service_of(bird, clock)
        await live(bird, dataset)
        await bird.post(f"/datasets/{dataset}/refresh/run")
        await run_on(service)
        (run,) = (await told(bird, dataset))["runs"]
        # As if the server had been killed after the job was made, and before that was noted.
        await service._change(run["id"], state="waiting", job_id=None)
    async with running(data_folder, workers=False) as bird:
        service = service_of(bird, clock)
        await run_on(service)
        (again,) = (await told(bird, dataset))["runs"]
        assert (again["state"], again["job_id"]) == ("training", run["job_id"])
        job = await claim(bird)
        assert job is not None
        await answer_job(bird, job, wrong_on_every(0))
        await run_on(service)
        assert (await told(bird, dataset))["runs"][0]["state"] == "compared"
        assert await claim(bird) is None


async def test_the_worker_takes_up_what_a_person_asks_for(data_folder: Path, dataset: str):
    async with running(data_folder) as bird:
        await live(bird, dataset)
        await bird.post(f"/datasets/{dataset}/refresh/run")
        job = await claim(bird, wait_s=20)
        assert job is not None
        (run,) = (await told(bird, dataset))["runs"]
        assert job["snapshot_id"] == run["snapshot_id"]


@pytest.mark.parametrize("body", [{}, {"is_on": True, "hour": 24}, {"is_on": True, "least": 1}])
async def test_an_odd_wish_is_refused(still: Bird, dataset: str, body: dict[str, Any]):
    response = await still.request("PUT", f"/datasets/{dataset}/refresh", json=body)
    problem(response, 422, "invalid-request")


async def test_no_dataset_no_refresh(still: Bird):
    problem(await still.get("/datasets/none/refresh"), 404, "dataset-not-found")
    problem(await still.post("/datasets/none/refresh/run"), 404, "dataset-not-found")

"""The stream of a dataset's changes, over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from server.api.routes import events as routes
from tests.support.app import Bird, eventually, listening, problem
from tests.support.images import jpeg
from tests.support.played_trainer import claim, coloured_dataset, job, snapshot
from tests.support.site import Site, answer

Events = AsyncIterator[tuple[str, dict]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "MIN_EVENT_GAP_S", 0.01)


@asynccontextmanager
async def watching(
    bird: Bird, dataset: str, last_event_id: str | None = None
) -> AsyncIterator[Events]:
    headers = {"Authorization": f"Bearer {bird.token}"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    async with (
        listening(bird) as url,
        httpx2.AsyncClient(base_url=url, headers=headers, trust_env=False) as client,
        client.stream("GET", f"/api/v1/datasets/{dataset}/events", timeout=10) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-bowerbird"] == "1"
        yield read(response)


async def read(response: httpx2.Response) -> Events:
    """Yield each event's kind and data; ``IDS`` gets its id."""
    kind, data = "", None
    async for line in response.aiter_lines():
        name, _, value = line.partition(":")
        if line.startswith(":"):
            yield "comment", {}
        elif name == "event":
            kind = value.strip()
        elif name == "data":
            data = json.loads(value)
        elif name == "id":
            IDS.append(value.strip())
        elif not line and data is not None:
            yield kind, data
            data = None


IDS: list[str] = []  # of the events that came, the newest last


async def take(events: Events, *kinds: str) -> dict[str, dict]:
    """Return the data of the next events, which have these kinds; comments are passed over."""
    found: dict[str, dict] = {}
    while len(found) < len(kinds):
        kind, data = await anext(events)
        if kind != "comment":
            found[kind] = data
    assert tuple(found) == kinds
    return found


async def test_states_come_at_once_then_with_each_change_until_the_end(still: Bird):
    dataset = await still.dataset()
    async with asyncio.timeout(60), watching(still, dataset) as events:
        shown = await take(events, "counts", "jobs")
        assert shown["counts"] == (await still.get(f"/datasets/{dataset}")).json()
        assert shown["jobs"] == {"items": []}
        await still.capture(dataset, ["http://a.test/1", "http://a.test/2"], "cat")
        shown = await take(events, "counts")
        assert shown["counts"]["counts"]["status"]["queued"] == 2
        await still.delete(f"/datasets/{dataset}")
        assert await take(events, "deleted") == {"deleted": {"id": dataset}}
        assert [event async for event in events] == []


async def test_a_quiet_stream_says_that_it_lives(still: Bird, monkeypatch):
    monkeypatch.setattr(routes, "KEEP_ALIVE_S", 0.05)
    async with asyncio.timeout(60), watching(still, await still.dataset()) as events:
        await take(events, "counts", "jobs")
        assert (await anext(events))[0] == "comment"


async def test_images_that_settle_or_change_are_told(still: Bird, site: Site):
    dataset = await still.dataset()
    site.routes["/a.jpg"] = answer(jpeg())
    await still.capture(dataset, [site.url("/a.jpg")], "cat")
    async with asyncio.timeout(60), watching(still, dataset) as events:
        await take(events, "counts", "jobs")
        await still.download(dataset)
        kind = ""
        while kind != "images":
            kind, shown = await anext(events)
        (brief,) = shown["items"]
        assert (brief["status"], brief["label"], brief["version"]) == ("ready", "cat", 1)
        await still.patch(f"/images/{brief['id']}", json={"excluded": True})
        shown = await take(events, "counts", "images")
        (brief,) = shown["images"]["items"]
        assert (brief["excluded"], brief["version"]) == (True, 2)


async def test_jobs_are_told_as_they_go(still: Bird):
    dataset = await coloured_dataset(still)
    async with asyncio.timeout(20), watching(still, dataset) as events:
        await take(events, "counts", "jobs")
        made = await job(still, (await snapshot(still, dataset))["id"])
        shown = await take(events, "jobs")
        assert [(j["id"], j["state"]) for j in shown["jobs"]["items"]] == [(made["id"], "queued")]
        assert (
            shown["jobs"]["items"] == (await still.get(f"/jobs?dataset={dataset}")).json()["items"]
        )
        await claim(still)
        assert (await take(events, "jobs"))["jobs"]["items"][0]["state"] == "running"


async def test_a_watcher_goes_on_where_it_was_cut_off(still: Bird):
    dataset = await still.dataset()
    first = await still.upload(dataset, jpeg(), "cat")
    async with asyncio.timeout(60), watching(still, dataset) as events:
        await take(events, "counts", "jobs")
    last = IDS[-1]
    second = await still.upload(dataset, jpeg(seed=2), "cat")
    await still.patch(f"/images/{first['id']}", json={"reviewed": True})
    async with asyncio.timeout(60), watching(still, dataset, last) as events:
        shown = await take(events, "counts", "jobs", "images")
        told = [(brief["id"], brief["version"]) for brief in shown["images"]["items"]]
        assert told == [(first["id"], 2), (second["id"], 1)]
        assert shown["counts"]["counts"]["total"] == 2
    # Cut off between two events of one change: nothing of it counts as told.
    assert IDS[-3:-1] == [last, last] != [IDS[-1]] * 2
    async with asyncio.timeout(60), watching(still, dataset, IDS[-1]) as events:
        await still.patch(f"/images/{second['id']}", json={"excluded": True})
        shown = await take(events, "counts", "jobs", "images")
        assert [brief["id"] for brief in shown["images"]["items"]] == [second["id"]]


@pytest.mark.parametrize(
    "last", ["", "0", "nonsense", "01JD0000000000000000000000-1", "{}-99", "{}-" + "9" * 70]
)
async def test_a_watcher_that_was_away_too_long_is_told_to_read_anew(still: Bird, last):
    dataset = await still.dataset()
    await still.upload(dataset, jpeg(), "cat")
    last = last.format(still.parts.services.feed.epoch)
    async with asyncio.timeout(60), watching(still, dataset, last or "x") as events:
        shown = await take(events, "counts", "jobs", "images")
        assert shown["images"] == {"items": None}


async def test_changes_of_very_many_images_are_not_named(still: Bird):
    dataset = await still.dataset()
    await still.upload(dataset, jpeg(), "cat")
    async with asyncio.timeout(60), watching(still, dataset) as events:
        await take(events, "counts", "jobs")
        await still.post(f"/datasets/{dataset}/images/retry")
        kind, shown = await anext(events)
        assert (kind, shown) == ("images", {"items": None})


async def test_asking_for_what_is_not_there_leaves_nothing(still: Bird):
    for path in ("changes", "events", "changes?since=x"):
        problem(await still.get(f"/datasets/nowhere/{path}"), 404, "dataset-not-found")
    assert "nowhere" not in still.parts.services.feed._datasets


async def test_a_plain_reading_says_the_same(still: Bird):
    dataset = await still.dataset()
    before = (await still.get(f"/datasets/{dataset}/changes")).json()
    assert before["images"] == {"items": None}
    image = await still.upload(dataset, jpeg(), "cat")
    path, since = f"/datasets/{dataset}/changes", {"since": before["id"]}
    now = (await still.get(path, params=since)).json()
    assert [brief["id"] for brief in now["images"]["items"]] == [image["id"]]
    assert now["counts"] == (await still.get(f"/datasets/{dataset}")).json()
    async with asyncio.timeout(60), watching(still, dataset, before["id"]) as events:
        shown = await take(events, "counts", "jobs", "images")
        assert shown == {name: now[name] for name in ("counts", "jobs", "images")}
    again = (await still.get(path, params={"since": now["id"]})).json()
    assert (again["id"], again["images"]) == (now["id"], {"items": []})
    problem(await still.get("/datasets/none/changes"), 404, "dataset-not-found")


async def test_a_watcher_that_leaves_leaves_nothing(still: Bird, monkeypatch):
    monkeypatch.setattr(routes, "KEEP_ALIVE_S", 0.05)
    dataset = await still.dataset()
    before = len(asyncio.all_tasks())
    async with asyncio.timeout(60), watching(still, dataset) as events:
        await anext(events)
    await eventually(lambda: len(asyncio.all_tasks()) <= before)

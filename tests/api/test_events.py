"""The stream of a dataset's counts, over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from server.api.routes import datasets
from tests.support.app import Bird, eventually, listening

Events = AsyncIterator[tuple[str, dict]]


@asynccontextmanager
async def watching(bird: Bird, dataset: str) -> AsyncIterator[Events]:
    headers = {"Authorization": f"Bearer {bird.token}"}
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
    kind = ""
    async for line in response.aiter_lines():
        if line.startswith("event:"):
            kind = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield kind, json.loads(line.removeprefix("data:"))
        elif line.startswith(":"):
            yield "comment", {}


async def test_counts_come_at_once_then_with_each_change_until_the_end(still: Bird, monkeypatch):
    monkeypatch.setattr(datasets, "MIN_EVENT_GAP_S", 0.01)
    dataset = await still.dataset()
    async with asyncio.timeout(10), watching(still, dataset) as events:
        kind, shown = await anext(events)
        assert kind == "counts"
        assert shown == (await still.get(f"/datasets/{dataset}")).json()
        await still.capture(dataset, ["http://a.test/1", "http://a.test/2"], "cat")
        kind, shown = await anext(events)
        assert (kind, shown["counts"]["status"]["queued"]) == ("counts", 2)
        await still.delete(f"/datasets/{dataset}")
        assert await anext(events) == ("deleted", {"id": dataset})
        assert [event async for event in events] == []


async def test_a_quiet_stream_says_that_it_lives(still: Bird, monkeypatch):
    monkeypatch.setattr(datasets, "MIN_EVENT_GAP_S", 0.01)
    monkeypatch.setattr(datasets, "KEEP_ALIVE_S", 0.05)
    async with asyncio.timeout(10), watching(still, await still.dataset()) as events:
        assert (await anext(events))[0] == "counts"
        assert (await anext(events))[0] == "comment"


async def test_a_watcher_that_leaves_leaves_nothing(still: Bird, monkeypatch):
    monkeypatch.setattr(datasets, "MIN_EVENT_GAP_S", 0.01)
    monkeypatch.setattr(datasets, "KEEP_ALIVE_S", 0.05)
    dataset = await still.dataset()
    before = len(asyncio.all_tasks())
    async with asyncio.timeout(10), watching(still, dataset) as events:
        await anext(events)
    await eventually(lambda: len(asyncio.all_tasks()) <= before)

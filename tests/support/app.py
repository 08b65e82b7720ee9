"""The whole application over a migrated SQLite file, with real stores, fetcher and workers.

``async with running(folder) as bird: await bird.post("/datasets", json={"name": "bears"})``.
Requests go in through ASGI; `listening` puts uvicorn on a port, for what must be a real stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import uvicorn
from fastapi import FastAPI

from server.assembly import Parts, build
from server.config import Settings, load_settings
from server.main import create_server_app
from server.services.access import TokenKind

BASE_URL = "http://127.0.0.1:8000"
API = "/api/v1"
SETTLE_S = 60.0
Yielded = TypeVar("Yielded")


@dataclass
class Clock:
    """A clock that stands still until it is told."""

    now: datetime = datetime(2026, 11, 22, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class Bird:
    """A running application, a client that holds a token, and what lies behind."""

    settings: Settings
    parts: Parts
    app: FastAPI
    client: httpx2.AsyncClient
    token: str
    names: int = field(default=0)

    @property
    def data(self) -> Path:
        return self.settings.data

    @property
    def database(self) -> Any:
        return self.parts.services.datasets._database

    def anonymous(self, **headers: str) -> httpx2.AsyncClient:
        """Return a client without a token."""
        return _client(self.app, headers)

    async def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return await self.client.request(method, f"{API}{path}", **options)

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("POST", path, **options)

    async def patch(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx2.Response:
        return await self.request("DELETE", path, **options)

    async def dataset(self, name: str | None = None) -> str:
        """Make a dataset and return its id."""
        self.names += 1
        response = await self.post("/datasets", json={"name": name or f"dataset {self.names}"})
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def counts(self, dataset_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get(f"/datasets/{dataset_id}")).json()["counts"]
        return found

    async def capture(
        self, dataset_id: str, urls: list[str], label: str | None = None, key: str | None = None
    ) -> dict[str, Any]:
        """Send a capture of these addresses and return the answer."""
        self.names += 1
        body = {
            "capture_key": key or f"key-{self.names}",
            "label": label,
            "captured_at": "2026-11-22T10:00:00Z",
            "candidates": [{"url": url, "rank": rank} for rank, url in enumerate(urls)],
        }
        response = await self.post(f"/datasets/{dataset_id}/captures", json=body)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def upload(
        self, dataset_id: str, data: bytes, label: str | None = None, **fields: str
    ) -> dict[str, Any]:
        """Upload an image and return it."""
        form = fields | ({} if label is None else {"label": label})
        response = await self.post(
            f"/datasets/{dataset_id}/images", files={"file": ("a.jpg", data)}, data=form
        )
        assert response.status_code in {200, 201}, response.text
        image: dict[str, Any] = response.json()
        return image

    async def images(self, dataset_id: str, **wanted: Any) -> list[dict[str, Any]]:
        """Return the dataset's images in the order they were seen."""
        response = await self.get(f"/datasets/{dataset_id}/images", params=wanted)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["items"]
        return found

    async def download(self, dataset_id: str) -> dict[str, Any]:
        """Run the pipeline of an application without workers until all is settled."""
        worker = self.parts.downloads
        task = asyncio.gather(worker.pipeline.run(), worker._pass_signals_on())
        try:
            return await self.settled(dataset_id)
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def settled(self, dataset_id: str) -> dict[str, Any]:
        """Wait until nothing is queued or downloading; return the counts."""
        signal = self.parts.services.feed.dataset(dataset_id)
        async with asyncio.timeout(SETTLE_S):
            while True:
                seen = signal.count
                counts = await self.counts(dataset_id)
                if not counts["status"]["queued"] + counts["status"]["downloading"]:
                    return counts
                await signal.wait(seen, 1.0)


def settings_for(data: Path, **groups: Mapping[str, object]) -> Settings:
    """Return settings for a test: a folder, no trainer, loopback sites allowed."""
    values: dict[str, object] = {
        # Pauses short enough for a test, and long enough to be seen.
        "fetch": {
            "allowed_hosts": ["127.0.0.1"],
            "total_s": 5,
            "backoff_s": 0.05,
            "batch_s": 0.02,
            "max_attempts": 2,
            **groups.pop("fetch", {}),
        },
        "training": {"enabled": False, **groups.pop("training", {})},
    }
    return load_settings(data=data, **values, **groups)


@asynccontextmanager
async def running(
    data: Path, *, workers: bool = True, **groups: Mapping[str, object]
) -> AsyncIterator[Bird]:
    """Yield the application over ``data``; with its workers beside it unless told otherwise."""
    settings = settings_for(data, **groups)
    async with build(settings) as parts:
        app = create_server_app(parts, settings, None)
        token, _ = await parts.services.access.create("tests", TokenKind.API)
        async with _client(app, {"Authorization": f"Bearer {token}"}) as client:
            bird = Bird(settings, parts, app, client, token)
            if workers:
                async with app.router.lifespan_context(app):
                    yield bird
            else:
                yield bird


@asynccontextmanager
async def listening(bird: Bird) -> AsyncIterator[str]:
    """Yield the address of uvicorn serving the application on a free port."""
    config = uvicorn.Config(
        bird.app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve())
    try:
        await eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def in_one_task(
    make: Callable[[], AbstractAsyncContextManager[Yielded]],
) -> AsyncIterator[Yielded]:
    """Hold a context in a task of its own: fixtures begin and end in different tasks."""
    ready: asyncio.Future[Yielded] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def hold() -> None:
        async with make() as value:
            ready.set_result(value)
            await done.wait()

    task = asyncio.create_task(hold())
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        await task
    yield ready.result()
    done.set()
    await task


async def eventually(holds: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait until something holds that sends no signal of its own."""
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 - nothing to wait for
            await asyncio.sleep(0.01)


def problem(response: httpx2.Response, status: int, slug: str) -> dict[str, Any]:
    """Assert that a response is this problem, whole and well-formed; return its members."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-bowerbird"] == "1"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{slug}", body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert len(body["instance"]) == 26, "the id of the request, as in the log"
    return body


def _client(app: FastAPI, headers: Mapping[str, str]) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app, raise_app_exceptions=False),
        base_url=BASE_URL,
        headers=dict(headers),
        trust_env=False,
        timeout=30,
    )

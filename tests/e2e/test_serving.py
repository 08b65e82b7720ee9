"""A real server under load: models swapped under 64 clients, and ten times too much at once.

``SWAP_ANSWERS`` says how many answers are looked at while models are swapped: 600 in the suite.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.config import inherited_environment
from tests.support.colour_model import add_colour_model, deliver_colour_model
from tests.support.played_trainer import plain
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow

SWAP_ANSWERS = int(inherited_environment().get("SWAP_ANSWERS", "600"))
CLIENTS = 64
SWAPS = 20  # at least, whatever the machine does meanwhile
LIMIT_S = 240.0
MAX_WAITING = 64
CROWD = 10 * MAX_WAITING
BODY_BYTES = 1_000_000
GROWTH_BYTES = 250_000_000  # the crowd's bodies are 640 MB
# In the alphabet's order, as in the network's: red is seen by the first logit of both models.
COLOURS = ("red", "green", "blue")
RENAMED = {"red": "a red", "green": "b green", "blue": "c blue"}
CLASSIFY = "/api/v1/classify"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Return a server that lets few in, with a live model."""
    settings = {
        "BOWERBIRD_INFERENCE__MAX_WAITING": str(MAX_WAITING),
        "BOWERBIRD_INFERENCE__MAX_WAITING_PER_CLIENT": str(MAX_WAITING),
        "BOWERBIRD_INFERENCE__MAX_BODY_BYTES": str(64 * BODY_BYTES),
    }
    data = tmp_path_factory.mktemp("serving") / "data"
    with ServerProcess(data, settings, has_trainer=False) as running:
        yield running


@asynccontextmanager
async def _crowd(server: ServerProcess) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client that holds as many connections as it is asked for at once."""
    headers = {"Authorization": f"Bearer {server.token}"}
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(
        base_url=server.url, headers=headers, timeout=LIMIT_S, limits=limits, trust_env=False
    ) as client:
        yield client


@dataclass
class Swapping:
    """Clients that ask, while one swaps the live model.

    Attributes:
        expected: By model: its bundle's hash, and its class for each colour.
    """

    client: httpx2.AsyncClient
    expected: dict[str, tuple[str, dict[str, str]]]
    answered: Counter[str] = field(default_factory=Counter)
    swap_count: int = 0

    @property
    def is_done(self) -> bool:
        return self.answered.total() >= SWAP_ANSWERS and self.swap_count >= SWAPS

    async def ask(self, place: int) -> None:
        while not self.is_done:
            colour = COLOURS[place % len(COLOURS)]
            reply = await self.client.post(CLASSIFY, files={"file": ("a.png", plain(colour))})
            assert reply.status_code == 200, reply.text
            said = reply.json()
            bundle, classes = self.expected[said["model_id"]]
            assert said["bundle_sha256"] == bundle
            assert {one["label"] for one in said["predictions"]} == set(classes.values())
            assert said["label"] == classes[colour]
            self.answered[said["model_id"]] += 1

    async def swap(self) -> None:
        models = list(self.expected)
        while not self.is_done:
            wanted = models[self.swap_count % len(models)]
            path = f"/api/v1/models/{wanted}/stage"
            reply = await self.client.post(path, json={"stage": "live"})
            assert reply.status_code == 200, reply.text
            self.swap_count += 1
            # What was promoted answers the very next question.
            said = await self.client.post(CLASSIFY, files={"file": plain("red")})
            assert said.json()["model_id"] == wanted


async def test_models_are_swapped_under_load_and_no_answer_is_mixed_or_missing(server):
    with server.client() as client:
        dataset = add_colour_model(client)
        for label in client.get(f"/api/v1/datasets/{dataset}/labels").json()["items"]:
            body = {"name": RENAMED[label["name"]]}
            client.patch(f"/api/v1/labels/{label['id']}", json=body).raise_for_status()
        deliver_colour_model(client, dataset)
        models = client.get("/api/v1/models", params={"dataset": dataset}).json()["items"]
    expected = {one["id"]: (one["bundle_sha256"], _classes_by_colour(one)) for one in models}
    assert len(expected) == 2
    async with _crowd(server) as client:
        swapping = Swapping(client, expected)
        async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(swapping.swap())
            for place in range(CLIENTS - 1):  # and the one that swaps
                tasks.create_task(swapping.ask(place))
    assert set(swapping.answered) == set(expected), "both have answered"


def _classes_by_colour(model: dict[str, Any]) -> dict[str, str]:
    return {colour: next(c for c in model["classes"] if colour in c) for colour in COLOURS}


async def test_ten_times_too_much_is_turned_away_and_the_rest_is_answered(server):
    with server.client() as client:
        if not client.get("/api/v1/models").json()["items"]:
            add_colour_model(client)
    photo = plain("red") + bytes(BODY_BYTES)
    before = _memory_bytes(server, "VmRSS")
    async with _crowd(server) as client:

        async def ask() -> httpx2.Response:
            return await client.post(CLASSIFY, files={"file": ("a.png", photo)})

        async with asyncio.timeout(LIMIT_S):
            replies = await asyncio.gather(*(ask() for _ in range(CROWD)))
            statuses = Counter(reply.status_code for reply in replies)
            assert set(statuses) == {200, 503}, statuses
            for reply in replies:
                if reply.status_code == 503:
                    assert reply.json()["type"] == "/problems/too-busy"
                    assert 1 <= int(reply.headers["retry-after"]) <= 30
            # All room was given back: as much as ever is let in at once.
            files = [("file", (f"{n}.png", plain("red"))) for n in range(MAX_WAITING)]
            again = await client.post(CLASSIFY, files=files)
    assert again.status_code == 200, again.text
    assert [one["error"] for one in again.json()["answers"]] == [None] * MAX_WAITING
    assert _memory_bytes(server, "VmHWM") - before < GROWTH_BYTES


def _memory_bytes(server: ServerProcess, name: str) -> int:
    assert server.process is not None
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024

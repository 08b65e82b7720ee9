"""Models beside the live one, on a real server under traffic: stopped, promoted, rolled back."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from server.contract.snapshot import Manifest
from tests.support import workflow
from tests.support.processes import ServerProcess
from tests.support.rollouts import bundle_of, kinds, picture_of
from tests.support.snapshots import coloured

pytestmark = pytest.mark.slow

CLASSIFY = "/api/v1/classify"
CLIENTS = 4
LIMIT_S = 120.0
PAUSE_S = 0.12  # of each client: with moments in which nobody asks, so that all is compared soon
RULES = {"min_answers": 20, "share": 0.5}
RED_IS_BLUE = {"red": "blue"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Return a server without a trainer."""
    data = tmp_path_factory.mktemp("rollouts") / "data"
    with ServerProcess(data, has_trainer=False) as running:
        yield running


@dataclass
class Place:
    """A dataset and the models that were delivered for it."""

    client: httpx2.Client
    dataset: str
    bundles: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def deliver(self, sees: Mapping[str, str] | None = None, claims: float = 0.0) -> str:
        """Deliver a model that sees colours so; return its id."""
        job_id = workflow.start_job(self.client, self.dataset)
        claimed = self.client.post(
            "/api/v1/jobs/claim", json={"worker": "played", "wait_s": 0}
        ).json()["job"]
        assert claimed["id"] == job_id
        path = f"/api/v1/snapshots/{claimed['snapshot_id']}/manifest"
        manifest = Manifest.from_bytes(self.client.get(path).content)
        # No two bundles alike: what a model says of its errors differs by next to nothing.
        data = bundle_of(manifest, sees, claims=claims)
        reply = self.client.put(
            f"/api/v1/jobs/{job_id}/bundle",
            params={"worker": "played"},
            content=data,
            headers={"Content-Type": "application/zip"},
        )
        assert reply.status_code == 201, reply.text
        model_id = str(reply.json()["model_id"])
        bundle = self.client.get(f"/api/v1/models/{model_id}").json()["bundle_sha256"]
        seen = {colour: (sees or {}).get(colour, colour) for colour in manifest.classes}
        self.bundles[model_id] = (bundle, seen)
        return model_id

    def stage(self, model_id: str, stage: str, **rollout: Any) -> None:
        """Set a model's stage."""
        body = {"stage": stage} | ({"rollout": rollout} if rollout else {})
        reply = self.client.post(f"/api/v1/models/{model_id}/stage", json=body)
        assert reply.status_code == 200, reply.text

    def stage_of(self, model_id: str) -> str:
        """Return a model's stage."""
        return str(self.client.get(f"/api/v1/models/{model_id}").json()["stage"])

    def newest(self) -> dict[str, Any]:
        """Return the newest rollout."""
        path = f"/api/v1/datasets/{self.dataset}/rollouts"
        found: dict[str, Any] = self.client.get(path).json()["items"][0]
        return found


@pytest.fixture
def place(server: ServerProcess, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Return a dataset of three colours."""
    with server.client() as client:
        dataset = workflow.create_dataset(client, request.node.name)
        for label, pictures in coloured(8).items():
            for data in pictures:
                reply = client.post(
                    f"/api/v1/datasets/{dataset}/images",
                    files={"file": ("a.jpg", data)},
                    data={"label": label},
                )
                assert reply.status_code == 201, reply.text
        yield Place(client, dataset)


@dataclass
class Traffic:
    """Clients that ask until they are told to stop; every answer is held against its model."""

    place: Place
    client: httpx2.AsyncClient
    answered: Counter[str] = field(default_factory=Counter)
    is_over: bool = False
    _number: Iterator[int] = field(default_factory=itertools.count)

    async def ask(self) -> None:
        while not self.is_over:
            colour, data = picture_of(next(self._number))
            params = {"dataset": self.place.dataset}
            reply = await self.client.post(CLASSIFY, params=params, files={"file": data})
            assert reply.status_code == 200, reply.text
            said = reply.json()
            bundle, seen = self.place.bundles[said["model_id"]]
            assert said["bundle_sha256"] == bundle, "an answer of two models"
            assert said["label"] == seen[colour], "an answer of two models"
            self.answered[said["model_id"]] += 1
            await asyncio.sleep(PAUSE_S)

    async def until(self, model_id: str, stage: str) -> None:
        """Wait until the model has this stage."""
        async with asyncio.timeout(LIMIT_S):
            while await asyncio.to_thread(self.place.stage_of, model_id) != stage:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)


@asynccontextmanager
async def traffic(server: ServerProcess, place: Place) -> AsyncIterator[Traffic]:
    """Yield clients of a server that ask all the while."""
    headers = {"Authorization": f"Bearer {server.token}"}
    async with (
        httpx2.AsyncClient(
            base_url=server.url, headers=headers, timeout=LIMIT_S, trust_env=False
        ) as client,
        asyncio.TaskGroup() as tasks,
    ):
        running = Traffic(place, client)
        for _ in range(CLIENTS):
            tasks.create_task(running.ask())
        try:
            yield running
        finally:
            running.is_over = True


async def test_a_worse_model_is_stopped_in_shadow_and_answers_nobody(server, place):
    live = place.deliver()
    worse = place.deliver(RED_IS_BLUE)
    async with traffic(server, place) as running:
        place.stage(worse, "shadow", **RULES)
        await running.until(worse, "candidate")
    rollout = place.newest()
    assert (rollout["outcome"], kinds(rollout)[-1]) == ("rolled-back", "roll-back")
    assert set(running.answered) == {live}
    assert place.stage_of(live) == "live"


async def test_a_worse_model_is_stopped_in_limited_and_the_live_one_goes_on(server, place):
    live = place.deliver()
    worse = place.deliver(RED_IS_BLUE)
    async with traffic(server, place) as running:
        place.stage(worse, "limited", **(RULES | {"share": 1.0}))
        await running.until(worse, "candidate")
        before = running.answered[worse]
        await asyncio.sleep(1)
        # Those that were on their way are the last.
        assert running.answered[worse] - before <= CLIENTS
    assert place.newest()["outcome"] == "rolled-back"
    assert running.answered[worse] > 0
    assert place.stage_of(live) == "live"


async def test_a_better_model_goes_from_shadow_to_live_by_itself(server, place):
    bad = place.deliver(RED_IS_BLUE, claims=1 / 3)
    better = place.deliver()
    async with traffic(server, place) as running:
        place.stage(better, "shadow", **RULES, auto_promote=True)
        await running.until(better, "limited")
        # One token asks here: whether it is in the half is chance, so all are taken.
        place.stage(better, "limited", **(RULES | {"share": 1.0}), auto_promote=True)
        await running.until(better, "live")
        await asyncio.sleep(0.5)
    assert place.stage_of(bad) == "retired"
    assert place.newest()["outcome"] == "promoted"
    changes = place.client.get(f"/api/v1/datasets/{place.dataset}/stage-changes").json()["items"]
    assert [one["after"] for one in changes if one["kind"] == "rule"] == ["live", "limited"]
    assert "Better" in changes[0]["comparison"]["sentence"]
    assert set(running.answered) == {bad, better}


async def test_rolling_back_under_load_fails_nobody_and_mixes_nothing(server, place):
    first = place.deliver()
    second = place.deliver(RED_IS_BLUE)
    body = {"stage": "live", "force": True, "reason": "to be rolled back"}
    forced = place.client.post(f"/api/v1/models/{second}/stage", json=body)
    assert forced.status_code == 200, forced.text
    limited = place.deliver(RED_IS_BLUE, claims=0.5)
    async with traffic(server, place) as running:
        place.stage(limited, "limited", share=1.0, min_answers=1000)
        await asyncio.sleep(1)
        back = await running.client.post(f"/api/v1/datasets/{place.dataset}/rollback")
        assert back.json()["id"] == first
        # The very next question, and all that follow.
        for number in range(20):
            files = {"file": picture_of(50_000 + number)[1]}
            said = await running.client.post(
                CLASSIFY, params={"dataset": place.dataset}, files=files
            )
            assert said.json()["model_id"] == first
    assert running.answered[limited] > 0
    assert running.answered[first] > 0
    assert place.newest()["outcome"] == "replaced"
    assert place.stage_of(limited) == "candidate"

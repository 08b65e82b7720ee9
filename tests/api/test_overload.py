"""More is asked than can be answered: what is let in is answered, the rest is told when to come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from server.api.routes import predict
from server.inference.engine import Outputs
from tests.api.test_statements import counting
from tests.support.app import Bird, problem, running
from tests.support.played_trainer import coloured_dataset, plain, trained


@pytest.fixture
async def busy(data_folder: Path) -> AsyncIterator[Bird]:
    """Return an application with a live model that lets few in."""
    limits = {"max_waiting": 100, "max_waiting_per_client": 70, "at_once": 1}
    async with running(data_folder, workers=False, inference=limits) as bird:
        await trained(bird, await coloured_dataset(bird, 5))
        yield bird


async def _token_id(bird: Bird) -> str:
    return (await bird.parts.services.access.check(bird.token)).token_id


async def test_what_is_not_let_in_is_told_when_to_come_again(busy: Bird):
    admission = busy.parts.services.admission
    red = {"file": plain("red")}
    several = [("file", (f"{n}.png", plain("red"))) for n in range(64)]
    with ExitStack() as held:
        for _ in range(69):
            held.enter_context(admission.enter(await _token_id(busy), 0))
        assert (await busy.post("/classify", files=red)).status_code == 200
        refused = await busy.post("/classify", files=several)
        problem(refused, 503, "too-busy")
        held.enter_context(admission.enter(await _token_id(busy), 0))
        for refused in (
            await busy.post("/classify", files=red),
            await busy.post("/classify", json={"url": "http://a.example/b.jpg"}),
            await busy.client.get("/classify-url", params={"url": "http://a.example/b.jpg"}),
        ):
            body = problem(refused, 503, "too-busy")
            assert int(refused.headers["retry-after"]) == body["retry_after_s"] >= 1
            assert "70 images that you sent" in body["detail"]
        held.enter_context(admission.enter("another", 0))
    assert admission.image_count == 0
    assert len((await busy.post("/classify", files=several)).json()["answers"]) == 64
    assert admission.image_count == 0


async def test_a_refusal_costs_no_reading_of_the_body(busy: Bird):
    admission = busy.parts.services.admission
    read = []

    async def body():
        for _ in range(10):
            read.append(1)
            yield bytes(100_000)

    with ExitStack() as held:
        for _ in range(70):
            held.enter_context(admission.enter(await _token_id(busy), 0))
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        refused = await busy.post("/classify", content=body(), headers=headers)
        problem(refused, 503, "too-busy")
    assert not read


async def test_a_body_that_does_not_come_gives_its_room_back(busy: Bird, monkeypatch):
    monkeypatch.setattr(predict, "BODY_S", 0.05)

    async def body():
        yield b"--x\r\n"
        await asyncio.sleep(60)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    late = await busy.post("/classify", content=body(), headers=headers)
    assert "did not arrive" in problem(late, 408, "request-timeout")["detail"]
    assert busy.parts.services.admission.image_count == 0


async def test_the_database_is_asked_once_for_the_model_until_something_is_written(busy: Bird):
    red = {"file": plain("red")}
    first = (await busy.post("/classify", files=red)).json()["model_id"]
    with counting(busy) as run:
        assert (await busy.post("/classify", files=red)).json()["model_id"] == first
    assert not run
    model = await trained(busy, await coloured_dataset(busy, 5))
    assert (await busy.post("/classify", files=red)).json()["model_id"] == model


async def test_live_models_are_loaded_before_anybody_asks(busy: Bird, data_folder: Path, caplog):
    registry, store = busy.parts.answering.registry, busy.parts.answering.engines.bundles
    other = await trained(busy, await coloured_dataset(busy, 5))
    assert registry.loaded_bytes == 0
    await busy.parts.answering.warm_up()
    assert len(registry._loaded) == 2
    assert registry.loaded_bytes > 0
    sha256 = (await busy.get(f"/models/{other}")).json()["bundle_sha256"]
    registry._loaded.clear()
    store.path(sha256).write_bytes(b"PK")
    await busy.parts.answering.warm_up()  # the other one is loaded all the same
    assert len(registry._loaded) == 1
    assert "model.damaged" in caplog.text


async def test_a_network_that_answers_no_numbers_is_the_models_fault(busy: Bird, monkeypatch):
    red = {"file": plain("red")}
    assert (await busy.post("/classify", files=red)).status_code == 200
    (classifier,) = busy.parts.answering.registry._loaded.values()
    monkeypatch.setattr(
        classifier._engine, "run", lambda _: Outputs(np.full((1, 3), np.nan, np.float32), None)
    )
    said = problem(await busy.post("/classify", files=red), 409, "model-damaged")
    assert "answers no numbers" in said["detail"]

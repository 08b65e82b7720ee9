"""Which training images an answer rests on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.app import Bird, problem
from tests.support.played_trainer import coloured_dataset, right, trained_saying
from tests.support.snapshots import COLOURS, picture


@pytest.fixture
async def asked(still: Bird) -> str:
    """Return a dataset whose model has looked at its training images."""
    dataset = await coloured_dataset(still, 40)
    await trained_saying(still, dataset, right, valid_ratio=0.5)
    first = await ask(still, picture(COLOURS["red"], 90_000))
    assert first["evidence"] == {"state": "being-made", "neighbours": []}
    await still.parts.services.monitoring.nearness.make_wanted()
    return dataset


async def ask(bird: Bird, data: bytes, count: int = 5) -> dict[str, Any]:
    files = {"file": ("a.jpg", data)}
    response = await bird.post("/classify", files=files, params={"evidence": count})
    assert response.status_code == 200, response.text
    said: dict[str, Any] = response.json()
    return said


@pytest.mark.parametrize("label", list(COLOURS))
async def test_the_nearest_training_images_come_with_the_answer(still: Bird, asked: str, label):
    said = (await ask(still, picture(COLOURS[label], 91_000)))["evidence"]
    assert said["state"] == "found"
    near = said["neighbours"]
    assert [one["label"] for one in near] == [label] * 5
    alike = [one["similarity"] for one in near]
    assert alike == sorted(alike, reverse=True)
    assert 0.9 < alike[0] <= 1.0001
    for one in near:
        image = (await still.get(f"/images/{one['image_id']}")).json()
        assert (image["sha256"], image["dataset_id"]) == (one["sha256"], asked)
        shown = await still.get(f"/images/{one['image_id']}/thumbnail")
        assert shown.status_code == 200


async def test_what_is_excluded_or_deleted_since_is_not_shown(still: Bird, asked: str):
    data = picture(COLOURS["red"], 92_000)
    first, second, *_ = (await ask(still, data))["evidence"]["neighbours"]
    await still.patch(f"/images/{first['image_id']}", json={"excluded": True})
    now = (await ask(still, data))["evidence"]["neighbours"]
    assert now[0] == second
    assert first not in now
    assert len(now) == 5


async def test_it_comes_only_when_asked_for(still: Bird, asked: str):
    response = await still.post("/classify", files={"file": picture(COLOURS["red"], 1)})
    assert response.json()["evidence"] is None
    for odd in (0, 21):
        refused = await still.post(
            "/classify", files={"file": picture(COLOURS["red"], 1)}, params={"evidence": odd}
        )
        problem(refused, 422, "invalid-request")


async def test_a_model_whose_training_images_are_gone_says_that_there_is_none(still: Bird):
    await trained_saying(still, await coloured_dataset(still), right, valid_ratio=0.5)
    for path in (still.data / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    await ask(still, picture(COLOURS["red"], 5))
    await still.parts.services.monitoring.nearness.make_wanted()
    said = await ask(still, picture(COLOURS["red"], 5))
    assert said["evidence"] == {"state": "none", "neighbours": []}

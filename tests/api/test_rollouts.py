"""Models beside the live one: compared, let further out, called back, and never in the way."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from server.contract.snapshot import Manifest
from server.services.choosing import Choice
from server.services.rollouts import Feedback
from tests.support.app import Bird, problem, running
from tests.support.played_trainer import claim, deliver, job, snapshot
from tests.support.rollouts import bundle_of, kinds, picture_of

ColouredData = Callable[[int], tuple[Path, str]]
RED_IS_BLUE = {"red": "blue"}


@pytest.fixture
def data_folder(tmp_path: Path, coloured_data: ColouredData) -> Path:
    return shutil.copytree(coloured_data(20)[0], tmp_path / "data")


@pytest.fixture
def dataset(coloured_data: ColouredData) -> str:
    return coloured_data(20)[1]


async def model(
    bird: Bird, dataset: str, sees: Mapping[str, str] | None = None, claims: float = 0.0
) -> str:
    """Deliver a model; the first of a dataset goes live."""
    made = await snapshot(bird, dataset, valid_ratio=0.6)
    manifest = Manifest.from_bytes((await bird.get(f"/snapshots/{made['id']}/manifest")).content)
    queued = await job(bird, made["id"])
    assert await claim(bird) is not None
    response = await deliver(bird, queued["id"], bundle_of(manifest, sees, claims=claims))
    assert response.status_code == 201, response.text
    return str(response.json()["model_id"])


async def stage(bird: Bird, model_id: str, stage: str, **rollout: Any):
    body = {"stage": stage} | ({"rollout": rollout} if rollout else {})
    return await bird.post(f"/models/{model_id}/stage", json=body)


async def stage_of(bird: Bird, model_id: str) -> str:
    return str((await bird.get(f"/models/{model_id}")).json()["stage"])


async def newest(bird: Bird, dataset: str) -> dict[str, Any]:
    found: dict[str, Any] = (await bird.get(f"/datasets/{dataset}/rollouts")).json()["items"][0]
    return found


async def ask(bird: Bird, first: int, count: int, **params: str) -> list[dict[str, Any]]:
    """Ask so many questions, and compare what they left; return the answers."""
    said = []
    for place in range(first, first + count):
        files = {"file": ("a.png", picture_of(place)[1])}
        reply = await bird.post("/classify", files=files, params=params)
        assert reply.status_code == 200, reply.text
        said.append(reply.json())
        while await bird.parts.answering.beside.compare_next():
            pass
        if place % 20 == 19:
            await bird.parts.services.rollouts.write()
    await bird.parts.services.rollouts.write()
    return said


async def test_a_shadow_model_answers_nobody_and_its_disagreement_is_kept(still, dataset):
    live = await model(still, dataset)
    beside = await model(still, dataset, RED_IS_BLUE)
    assert (await stage(still, beside, "shadow")).status_code == 200
    said = await ask(still, 0, 9)
    assert {one["model_id"] for one in said} == {live}
    rollout = await newest(still, dataset)
    assert (rollout["model_id"], rollout["live_id"], rollout["stage"]) == (beside, live, "shadow")
    assert (rollout["figures"]["compared"], rollout["figures"]["agreed"]) == (9, 6)
    assert (rollout["not_compared"], rollout["outcome"], rollout["next_look"]) == (0, None, 50)
    differing = (await still.get(f"/rollouts/{rollout['id']}/disagreements")).json()
    assert differing["total"] == 3
    assert {(one["live_label"], one["model_label"]) for one in differing["items"]} == {
        ("red", "blue")
    }
    assert {one["prediction_id"] for one in differing["items"]} == {None}, "no log keeps images"
    assert (await still.get(f"/rollouts/{rollout['id']}")).json() == rollout


async def test_the_same_image_counts_once_and_an_image_of_the_dataset_not_at_all(still, dataset):
    await model(still, dataset)
    await stage(still, await model(still, dataset), "shadow")
    for _ in range(3):
        await ask(still, 0, 1)
    image = (await still.images(dataset))[0]["id"]
    await still.post("/classify", json={"image_id": image})
    assert not await still.parts.answering.beside.compare_next()
    assert (await newest(still, dataset))["figures"]["compared"] == 1


async def test_a_model_named_by_its_id_answers_alone(still, dataset):
    live = await model(still, dataset)
    await stage(still, await model(still, dataset), "limited", share=1.0)
    assert {one["model_id"] for one in await ask(still, 0, 3, model=live)} == {live}
    assert (await newest(still, dataset))["figures"]["compared"] == 0


async def test_a_worse_one_is_called_back_from_shadow(still, dataset):
    await model(still, dataset)
    worse = await model(still, dataset, RED_IS_BLUE)
    await stage(still, worse, "shadow", min_answers=20)
    await ask(still, 0, 40)
    rollout = await newest(still, dataset)
    assert (kinds(rollout)[-1], rollout["outcome"]) == ("roll-back", "rolled-back")
    assert "It agrees with the live model on" in rollout["decisions"][0]["sentence"]
    assert rollout["ended_at"] is not None
    assert await stage_of(still, worse) == "candidate"
    change = (await still.get(f"/datasets/{dataset}/stage-changes")).json()["items"][0]
    assert (change["kind"], change["after"]) == ("rule", "candidate")
    assert change["reason"] == rollout["decisions"][0]["sentence"]


async def test_a_worse_one_is_called_back_from_limited_and_the_live_one_answers(still, dataset):
    live = await model(still, dataset)
    worse = await model(still, dataset, RED_IS_BLUE)
    await stage(still, worse, "limited", share=1.0, min_answers=20)
    assert {one["model_id"] for one in await ask(still, 0, 20)} == {worse}
    assert {one["model_id"] for one in await ask(still, 20, 20)} <= {worse, live}
    assert (await newest(still, dataset))["outcome"] == "rolled-back"
    assert {one["model_id"] for one in await ask(still, 40, 3)} == {live}


async def test_a_better_one_goes_by_itself_from_shadow_to_live_when_told_to(still, dataset):
    live = await model(still, dataset, RED_IS_BLUE, claims=1 / 3)
    better = await model(still, dataset)
    rules = {"min_answers": 10, "auto_promote": True, "share": 0.5}
    await stage(still, better, "shadow", **rules)
    await ask(still, 0, 160)
    assert await stage_of(still, better) == "limited"
    limited = await newest(still, dataset)
    assert (limited["stage"], limited["share"]) == ("limited", 0.5)
    assert limited["rules"]["min_answers"] == 10
    # One client: whether it is among the half is chance, so all are taken.
    await stage(still, better, "limited", **(rules | {"share": 1.0}))
    await ask(still, 200, 160)
    assert await stage_of(still, better) == "live"
    assert await stage_of(still, live) == "retired"
    promoted = await newest(still, dataset)
    assert (kinds(promoted)[-1], promoted["outcome"]) == ("promote", "promoted")


async def test_without_being_told_to_it_is_proposed_and_a_person_promotes(still, dataset):
    await model(still, dataset)
    equal = await model(still, dataset)
    await stage(still, equal, "shadow", min_answers=10)
    await ask(still, 0, 160)
    rollout = await newest(still, dataset)
    assert kinds(rollout)[-1] == "propose"
    assert (await stage_of(still, equal), rollout["outcome"]) == ("shadow", None)
    await stage(still, equal, "live")
    ended = (await still.get(f"/rollouts/{rollout['id']}")).json()
    assert (ended["outcome"], kinds(ended)[-1]) == ("promoted", "promote")


async def test_what_the_comparison_finds_worse_does_not_go_live_by_rule(still, dataset):
    live = await model(still, dataset)
    worse = await model(still, dataset, claims=0.25)  # it says so itself; its network is right
    await stage(still, worse, "limited", share=1.0, min_answers=10, auto_promote=True)
    await ask(still, 0, 160)
    rollout = await newest(still, dataset)
    assert (kinds(rollout)[-1], rollout["outcome"]) == ("roll-back", "rolled-back")
    assert "mistakes and the live model" in rollout["decisions"][0]["sentence"]
    assert (await stage_of(still, live), await stage_of(still, worse)) == ("live", "candidate")


async def test_a_listed_site_and_hosts_below_it_get_the_limited_model(still, dataset):
    live = await model(still, dataset)
    limited = await model(still, dataset)
    await stage(still, limited, "limited", sites=["Shop.example"])
    for site, expected in (
        ("shop.example", limited),
        ("www.shop.example", limited),
        ("SHOP.example.", limited),
        ("workshop.example", live),
        ("shop.example.evil", live),
    ):
        said = await ask(still, 0, 1, site=site)
        assert said[0]["model_id"] == expected, site
    assert (await ask(still, 1, 1))[0]["model_id"] == live
    odd = await still.post("/classify", params={"site": "a b/c"}, json={"url": "http://a/"})
    problem(odd, 422, "invalid-request")


async def test_a_share_is_the_same_clients_each_time_and_more_when_it_is_widened(still, dataset):
    live = await model(still, dataset)
    limited = await model(still, dataset)
    await stage(still, limited, "limited", share=0.2)
    predictions = still.parts.services.predictions
    one = await predictions._chooser.choose(Choice())
    beside = still.parts.answering.beside

    async def taken() -> set[str]:
        clients = [f"client {number}" for number in range(300)]
        return {c for c in clients if (await beside.route(one, c, None)).model.id == limited}

    few = await taken()
    assert few == await taken()
    assert 30 < len(few) < 95
    await stage(still, limited, "limited", share=0.5)
    assert 110 < len(await taken()) < 190
    assert live == one.id


async def test_limited_is_widened_step_by_step(still, dataset):
    await model(still, dataset)
    limited = await model(still, dataset)
    await stage(still, limited, "limited", share=0.1, sites=["here.example"], min_answers=10)
    await ask(still, 0, 160, site="here.example")
    rollout = await newest(still, dataset)
    assert kinds(rollout)[0] == "start"
    widened = [one for one in reversed(rollout["decisions"]) if one["kind"] == "widen"]
    assert [one["share"] for one in widened][:1] == [0.2]
    for number in range(3):
        await ask(still, 1000 + 200 * number, 60, site="here.example")
    rollout = await newest(still, dataset)
    shares = [one["share"] for one in reversed(rollout["decisions"]) if one["kind"] == "widen"]
    assert shares == [0.2, 0.5, 1.0]


async def test_one_model_in_a_stage_and_a_live_one_beside_it(still, dataset):
    live = await model(still, dataset)
    first, second = await model(still, dataset), await model(still, dataset)
    assert (await stage(still, first, "shadow")).status_code == 200
    refused = problem(await stage(still, second, "shadow"), 409, "rollout-running")
    assert first in refused["detail"]
    assert await stage_of(still, second) == "candidate"
    assert (await stage(still, second, "limited")).status_code == 200
    problem(await stage(still, live, "shadow"), 409, "no-model")
    assert await stage_of(still, live) == "live", "nothing of it was done"
    odd = await stage(still, first, "retired", share=0.5)
    problem(odd, 422, "invalid-request")


async def test_going_back_ends_the_rollouts_of_the_dataset(still, dataset):
    first = await model(still, dataset)
    second = await model(still, dataset)
    await stage(still, second, "live")
    shadow, limited = await model(still, dataset), await model(still, dataset)
    await stage(still, shadow, "shadow")
    await stage(still, limited, "limited", share=1.0)
    assert (await ask(still, 0, 1))[0]["model_id"] == limited
    assert (await still.post(f"/datasets/{dataset}/rollback")).json()["id"] == first
    assert (await ask(still, 1, 1))[0]["model_id"] == first
    found = (await still.get(f"/datasets/{dataset}/rollouts")).json()["items"]
    assert {one["outcome"] for one in found} == {"replaced"}
    assert [await stage_of(still, one) for one in (shadow, limited)] == ["candidate"] * 2


async def test_stopping_ends_it_and_says_who(still, dataset):
    await model(still, dataset)
    beside = await model(still, dataset)
    await stage(still, beside, "shadow")
    body = {"stage": "candidate", "reason": "it can wait"}
    await still.post(f"/models/{beside}/stage", json=body)
    rollout = await newest(still, dataset)
    assert (rollout["outcome"], kinds(rollout)) == ("stopped", ["start", "stop"])
    assert rollout["decisions"][0]["sentence"].endswith("candidate: it can wait")


async def test_what_does_not_fit_is_counted_and_not_compared(still, dataset, monkeypatch):
    monkeypatch.setattr("server.services.beside._MOST_WAITING", 2)
    await model(still, dataset)
    await stage(still, await model(still, dataset), "shadow")
    for place in range(5):
        await still.post("/classify", files={"file": ("a.png", picture_of(place)[1])})
    await ask(still, 0, 0)
    assert (await newest(still, dataset))["not_compared"] == 3


async def test_a_bundle_that_is_gone_is_counted_and_the_live_one_answers(still, dataset):
    live = await model(still, dataset)
    beside = await model(still, dataset, RED_IS_BLUE)
    await stage(still, beside, "shadow")
    sha256 = (await still.get(f"/models/{beside}")).json()["bundle_sha256"]
    (still.data / "bundles" / f"{sha256}.zip").unlink()
    assert {one["model_id"] for one in await ask(still, 0, 3)} == {live}
    rollout = await newest(still, dataset)
    assert (rollout["figures"]["compared"], rollout["not_compared"]) == (0, 3)


async def test_images_are_shown_where_the_log_keeps_them(data_folder, dataset):
    log = {"mode": "images"}
    async with running(data_folder, workers=False, prediction_log=log) as bird:
        await model(bird, dataset)
        await stage(bird, await model(bird, dataset, RED_IS_BLUE), "shadow")
        await ask(bird, 0, 3)
        rollout = await newest(bird, dataset)
        items = (await bird.get(f"/rollouts/{rollout['id']}/disagreements")).json()["items"]
        file = await bird.get(f"/predictions/{items[0]['prediction_id']}/file")
        red = next(data for colour, data in map(picture_of, range(3)) if colour == "red")
        assert file.content == red


class Voices(Feedback):
    """What people said, by model."""

    def __init__(self, said: Mapping[str, tuple[int, int]]) -> None:
        self.said = said

    @override
    async def counts(self, model_id: str, since: datetime) -> tuple[int, int]:
        return self.said[model_id]


async def test_what_people_say_calls_it_back(still, dataset):
    live, beside = await model(still, dataset), await model(still, dataset)
    service = still.parts.services.rollouts
    service._feedback = Voices({live: (40, 0), beside: (10, 20)})
    await stage(still, beside, "limited", share=1.0, min_answers=10)
    await ask(still, 0, 10)
    rollout = await newest(still, dataset)
    assert (rollout["figures"]["model_wrong"], rollout["figures"]["live_right"]) == (20, 40)
    assert rollout["outcome"] == "rolled-back"
    assert "People called 20" in rollout["decisions"][0]["sentence"]
    assert rollout["decisions"][0]["figures"]["model_wrong"] == 20


async def test_no_more_disagreements_are_kept_than_so_many(still, dataset, monkeypatch):
    monkeypatch.setattr("server.repositories.rollouts.MOST_DISAGREEMENTS", 2)
    await model(still, dataset)
    await stage(still, await model(still, dataset, RED_IS_BLUE), "shadow")
    await ask(still, 0, 12)
    rollout = await newest(still, dataset)
    path = f"/rollouts/{rollout['id']}/disagreements"
    first = (await still.get(path, params={"limit": 1})).json()
    assert first["total"] == 2
    rest = (await still.get(path, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    newest_reds = [picture_of(place)[1] for place in range(12) if picture_of(place)[0] == "red"]
    expected = [hashlib.sha256(data).hexdigest() for data in newest_reds[:-3:-1]]
    assert [one["sha256"] for one in first["items"] + rest["items"]] == expected


async def test_a_dataset_that_is_deleted_meanwhile_takes_its_rollouts_along(still, dataset):
    await model(still, dataset)
    await stage(still, await model(still, dataset, RED_IS_BLUE), "shadow", min_answers=10)
    for place in range(12):
        await still.post("/classify", files={"file": ("a.png", picture_of(place)[1])})
    rollout = await newest(still, dataset)
    while await still.parts.answering.beside.compare_next():
        pass
    assert (await still.delete(f"/datasets/{dataset}")).status_code == 204
    await still.parts.services.rollouts.write()
    problem(await still.get(f"/rollouts/{rollout['id']}"), 404, "rollout-not-found")


async def test_unknown_ones_are_told(still, dataset):
    problem(await still.get("/rollouts/nope"), 404, "rollout-not-found")
    problem(await still.get("/rollouts/nope/disagreements"), 404, "rollout-not-found")
    problem(await still.get("/datasets/nope/rollouts"), 404, "dataset-not-found")

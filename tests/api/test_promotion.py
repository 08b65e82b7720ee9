"""Models let out and called back: the gate, the trail, the way back."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.contract.evaluation import EvaluatedImage
from server.contract.snapshot import Item
from tests.support.app import Bird, problem
from tests.support.played_trainer import Judge, trained_saying

NEXT = {"blue": "green", "green": "red", "red": "blue"}


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


async def model(bird: Bird, dataset: str, step: int) -> str:
    made, _ = await trained_saying(bird, dataset, wrong_on_every(step), valid_ratio=0.6)
    return made


async def stage(bird: Bird, model_id: str, stage: str, **more: Any):
    return await bird.post(f"/models/{model_id}/stage", json={"stage": stage, **more})


async def stage_of(bird: Bird, model_id: str) -> str:
    return str((await bird.get(f"/models/{model_id}")).json()["stage"])


async def trail(bird: Bird, dataset: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await bird.get(f"/datasets/{dataset}/stage-changes")).json()[
        "items"
    ]
    return items


ColouredData = Callable[[int], tuple[Path, str]]


@pytest.fixture
def data_folder(tmp_path: Path, coloured_data: ColouredData) -> Path:
    return shutil.copytree(coloured_data(20)[0], tmp_path / "data")


@pytest.fixture
def dataset(coloured_data: ColouredData) -> str:
    return coloured_data(20)[1]


async def test_a_better_model_goes_live_and_the_trail_says_instead_of_which(
    still: Bird, dataset: str
):
    first = await model(still, dataset, 2)
    second = await model(still, dataset, 0)
    assert (await stage(still, second, "live", reason="cleaned labels")).status_code == 200
    assert (await stage_of(still, first), await stage_of(still, second)) == ("retired", "live")
    newest, oldest = await trail(still, dataset)
    assert (oldest["model_id"], oldest["kind"], oldest["replaced_id"]) == (first, "first", None)
    assert (oldest["before"], oldest["after"], oldest["comparison"]) == ("candidate", "live", None)
    assert (newest["model_id"], newest["kind"], newest["replaced_id"]) == (second, "chosen", first)
    assert newest["reason"] == "cleaned labels"
    assert newest["comparison"]["difference"] < 0
    assert "Better" in newest["comparison"]["sentence"]


async def test_a_worse_model_goes_live_only_by_force_with_a_reason(still: Bird, dataset: str):
    live = await model(still, dataset, 0)
    worse = await model(still, dataset, 2)
    refused = problem(await stage(still, worse, "live"), 409, "model-worse")
    assert "mistakes and the live model 0" in refused["detail"]
    assert "Worse" in refused["detail"]
    assert await stage_of(still, live) == "live"
    assert len(await trail(still, dataset)) == 1
    problem(await stage(still, worse, "live", force=True), 422, "invalid-request")
    problem(await stage(still, worse, "live", force=True, reason=" "), 422, "invalid-request")
    forced = await stage(still, worse, "live", force=True, reason="the camera is another one")
    assert forced.status_code == 200
    newest = (await trail(still, dataset))[0]
    assert (newest["kind"], newest["reason"]) == ("forced", "the camera is another one")
    assert newest["comparison"]["difference"] > 0


async def test_a_difference_that_could_be_chance_bars_nobody(still: Bird, dataset: str):
    await model(still, dataset, 0)
    hardly = await model(still, dataset, 60)  # one image of all
    assert (await stage(still, hardly, "live")).status_code == 200
    assert (await trail(still, dataset))[0]["kind"] == "chosen"


async def test_other_stages_ask_no_gate_and_the_same_stage_changes_nothing(
    still: Bird, dataset: str
):
    await model(still, dataset, 0)
    worse = await model(still, dataset, 2)
    for wanted in ("shadow", "limited", "retired", "candidate", "candidate"):
        assert (await stage(still, worse, wanted)).json()["stage"] == wanted
    assert [change["after"] for change in await trail(still, dataset)] == [
        "candidate", "retired", "limited", "shadow", "live",
    ]  # fmt: skip


async def test_rolling_back_goes_step_by_step(still: Bird, dataset: str):
    models = [await model(still, dataset, 0) for _ in range(3)]
    for each in models[1:]:
        await stage(still, each, "live")
    path = f"/datasets/{dataset}/rollback"
    back = await still.post(path, json={"reason": "it is odd"})
    assert back.json()["id"] == models[1]
    assert [await stage_of(still, each) for each in models] == ["retired", "live", "retired"]
    newest = (await trail(still, dataset))[0]
    assert (newest["kind"], newest["reason"]) == ("rollback", "it is odd")
    assert newest["replaced_id"] == models[2]
    assert (await still.post(path)).json()["id"] == models[0]
    problem(await still.post(path), 409, "nothing-to-roll-back")
    assert await stage_of(still, models[0]) == "live"


async def test_what_was_chosen_again_is_a_step_of_its_own(still: Bird, dataset: str):
    first, second = [await model(still, dataset, 0) for _ in range(2)]
    for each in (second, first):
        assert (await stage(still, each, "live")).status_code == 200
    path = f"/datasets/{dataset}/rollback"
    assert [(await still.post(path)).json()["id"] for _ in range(2)] == [second, first]
    problem(await still.post(path), 409, "nothing-to-roll-back")


async def test_rolling_back_asks_no_gate(still: Bird, dataset: str):
    worse = await model(still, dataset, 2)
    better = await model(still, dataset, 0)
    await stage(still, better, "live")
    assert (await still.post(f"/datasets/{dataset}/rollback")).json()["id"] == worse


async def test_there_is_no_way_back_from_nothing(still: Bird, dataset: str):
    path = f"/datasets/{dataset}/rollback"
    problem(await still.post(path), 409, "nothing-to-roll-back")
    problem(await still.post("/datasets/nothing/rollback"), 404, "dataset-not-found")
    problem(await still.get("/datasets/nothing/stage-changes"), 404, "dataset-not-found")


async def test_a_damaged_candidate_does_not_go_live_and_a_damaged_live_one_bars_nobody(
    still: Bird, dataset: str
):
    first = await model(still, dataset, 0)
    second = await model(still, dataset, 2)

    def bundle(sha256: str):
        return still.parts.services.models._bundles.path(sha256)

    shown = (await still.get(f"/models/{second}")).json()
    path = bundle(shown["bundle_sha256"])
    kept = path.read_bytes()
    path.write_bytes(b"broken")
    problem(await stage(still, second, "live"), 409, "model-damaged")
    assert await stage_of(still, first) == "live"
    path.write_bytes(kept)
    bundle((await still.get(f"/models/{first}")).json()["bundle_sha256"]).write_bytes(b"broken")
    assert (await stage(still, second, "live")).status_code == 200
    assert (await trail(still, dataset))[0]["comparison"] is None


async def test_of_several_promoted_at_once_one_is_live_and_all_are_told_of(
    still: Bird, dataset: str
):
    models = [await model(still, dataset, 0) for _ in range(4)]
    answers = await asyncio.gather(*(stage(still, each, "live") for each in models[1:]))
    assert {answer.status_code for answer in answers} <= {200, 409}
    stages = [await stage_of(still, each) for each in models]
    assert stages.count("live") == 1
    changes = await trail(still, dataset)
    done = sum(answer.status_code == 200 for answer in answers)
    assert len(changes) == 1 + done
    assert changes[0]["model_id"] == models[stages.index("live")]
    for later, earlier in itertools.pairwise(changes):
        assert later["replaced_id"] == earlier["model_id"]

"""Suspicious labels over the API: order, filters, pages, what leaves the list; models compared."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from server.contract.evaluation import EvaluatedImage, OutOfFold
from server.contract.snapshot import Item, Manifest, Split
from tests.support.app import Bird, problem
from tests.support.played_trainer import Judge, coloured_dataset, trained_saying


def doubted(place: int, item: Item) -> EvaluatedImage:
    """Return an evaluation whose doubt rises with the place in the manifest."""
    own = 1 / (place + 2)
    judged = OutOfFold(
        predicted="green", probability=1 - own, label_probability=own, loss=-math.log(own)
    )
    return EvaluatedImage(
        sha256=item.sha256,
        split=item.split,
        label=item.label,
        predicted=item.label,
        loss=0.1,
        probability=0.9,
        out_of_fold=judged,
    )


async def train(bird: Bird, dataset: str, judge: Judge = doubted) -> tuple[str, Manifest]:
    return await trained_saying(bird, dataset, judge)


async def suspicions(bird: Bird, dataset: str, **wanted: Any) -> dict[str, Any]:
    response = await bird.get(f"/datasets/{dataset}/suspicions", params=wanted)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def digests(page: dict[str, Any]) -> list[str]:
    return [item["sha256"] for item in page["items"]]


async def test_the_most_doubted_image_comes_first(still: Bird):
    dataset = await coloured_dataset(still, 4)
    model, manifest = await train(still, dataset)
    page = await suspicions(still, dataset)
    assert page["model_id"] == model
    assert (page["total"], page["next_cursor"]) == (12, None)
    assert digests(page) == [item.sha256 for item in reversed(manifest.items)]
    first, item = page["items"][0], manifest.items[-1]
    image = (await still.get(f"/images/{first['image_id']}")).json()
    assert (image["sha256"], image["label"]) == (item.sha256, item.label)
    assert first["label_probability"] == pytest.approx(1 / 13, abs=1e-6)
    assert first["loss"] == pytest.approx(math.log(13), abs=1e-6)
    assert (first["predicted"], first["split"]) == ("green", item.split)
    assert first["reviewed_at"] is None


async def test_a_label_a_split_and_what_was_reviewed_narrow_the_list(still: Bird):
    dataset = await coloured_dataset(still, 6)
    _, manifest = await train(still, dataset)
    for label in ("red", "blue"):
        for split in Split:
            page = await suspicions(still, dataset, label=label, split=split.value)
            wanted = [i.sha256 for i in manifest.items if (i.label, i.split) == (label, split)]
            assert digests(page) == wanted[::-1]
            assert page["total"] == page["judged_count"] == len(wanted)
    everything = await suspicions(still, dataset)
    kept = everything["items"][0]
    await still.patch(f"/images/{kept['image_id']}", json={"reviewed": True})
    assert (await suspicions(still, dataset, reviewed=True))["items"] == [
        kept | {"reviewed_at": (await suspicions(still, dataset))["items"][0]["reviewed_at"]}
    ]
    assert digests(await suspicions(still, dataset, reviewed=False)) == digests(everything)[1:]
    assert (await suspicions(still, dataset, label="nothing"))["total"] == 0


async def test_what_was_relabelled_excluded_or_came_later_is_not_in_the_list(still: Bird):
    dataset = await coloured_dataset(still, 4)
    await train(still, dataset)
    first, second, third, *rest = (await suspicions(still, dataset))["items"]
    other = "red" if first["label"] != "red" else "blue"
    await still.patch(f"/images/{first['image_id']}", json={"label": other})
    await still.patch(f"/images/{second['image_id']}", json={"excluded": True})
    page = await suspicions(still, dataset)
    assert digests(page) == [third["sha256"], *(item["sha256"] for item in rest)]
    assert page["total"] == 10
    assert page["judged_count"] == 12, "two of which nobody need look at any more"
    await still.patch(f"/images/{first['image_id']}", json={"label": first["label"]})
    await still.patch(f"/images/{second['image_id']}", json={"excluded": False})
    assert (await suspicions(still, dataset))["total"] == 12


async def test_pages_hold_each_image_once_though_images_leave_the_list(still: Bird):
    dataset = await coloured_dataset(still, 4)
    _, manifest = await train(still, dataset)
    seen: list[str] = []
    cursor = None
    while True:
        wanted = {"limit": 5} | ({"cursor": cursor} if cursor else {})
        page = await suspicions(still, dataset, **wanted)
        seen += digests(page)
        for item in page["items"]:
            await still.patch(f"/images/{item['image_id']}", json={"excluded": True})
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [item.sha256 for item in reversed(manifest.items)]
    for odd in ("-1", "x", "1" * 20, "²"):
        answer = await still.get(f"/datasets/{dataset}/suspicions", params={"cursor": odd})
        problem(answer, 422, "invalid-cursor")


async def test_a_bundle_without_folds_over_both_splits_is_listed_by_its_losses(still: Bird):
    def older(place: int, item: Item) -> EvaluatedImage:
        judged = doubted(place, item)
        return replace(judged, out_of_fold=None, loss=10.0 - place / 10)

    dataset = await coloured_dataset(still, 4)
    _, manifest = await train(still, dataset, older)
    page = await suspicions(still, dataset)
    assert digests(page) == [item.sha256 for item in manifest.items]
    assert page["items"][0]["label_probability"] == pytest.approx(math.exp(-10), abs=1e-6)
    assert page["items"][0]["probability"] == 0.9


async def test_the_newest_model_is_asked_unless_another_is_named(still: Bird):
    dataset = await coloured_dataset(still, 4)
    problem(await still.get(f"/datasets/{dataset}/suspicions"), 409, "no-model")
    first, _ = await train(still, dataset)
    second, _ = await train(still, dataset)
    assert (await suspicions(still, dataset))["model_id"] == second
    assert (await suspicions(still, dataset, model=first))["model_id"] == first
    other = await coloured_dataset(still, 2)
    for path in (f"{other}/suspicions?model={first}", f"{other}/suspicions?model=nothing"):
        problem(await still.get(f"/datasets/{path}"), 404, "model-not-found")
    problem(await still.get("/datasets/nothing/suspicions"), 404, "dataset-not-found")


async def test_a_model_whose_bundle_is_gone_says_so(still: Bird):
    dataset = await coloured_dataset(still, 4)
    await train(still, dataset)
    for path in (still.data / "bundles").iterdir():
        path.unlink()
    problem(await still.get(f"/datasets/{dataset}/suspicions"), 409, "model-damaged")


async def test_two_models_are_compared_by_the_labels_as_they_are_now(still: Bird):
    def always_green(place: int, item: Item) -> EvaluatedImage:
        return replace(doubted(place, item), predicted="green")

    dataset = await coloured_dataset(still, 8)
    before, manifest = await train(still, dataset, always_green)
    valid = manifest.items_of(Split.VALID)
    corrected = next(item for item in valid if item.label == "red")
    (image,) = await still.images(dataset, sha256=corrected.sha256)
    await still.patch(f"/images/{image['id']}", json={"label": "green"})
    after, _ = await train(still, dataset)  # answers each image's label

    response = await still.get(f"/models/{after}/comparison", params={"before": before})
    assert response.status_code == 200, response.text
    found = response.json()
    wrong = [item for item in valid if item.label != "green"]
    assert (found["before_id"], found["after_id"]) == (before, after)
    assert (found["image_count"], found["corrected_count"]) == (len(valid), 1)
    assert found["as_labelled_error_rate"] == pytest.approx(len(wrong) / len(valid))
    assert found["before_error_rate"] == pytest.approx((len(wrong) - 1) / len(valid))
    assert found["after_error_rate"] == 0
    assert (found["fixed_count"], found["broken_count"]) == (len(wrong) - 1, 0)
    assert found["difference"] == pytest.approx(-(len(wrong) - 1) / len(valid))
    assert found["interval"][0] < found["difference"]
    assert found["sentence"].startswith("Better")
    problem(
        await still.get(f"/models/{after}/comparison", params={"before": "nothing"}),
        404,
        "model-not-found",
    )
    problem(await still.get(f"/models/{after}/comparison"), 422, "invalid-request")

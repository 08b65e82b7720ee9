"""Datasets and labels: names, counts, merging, deleting."""

from __future__ import annotations

import pytest

from tests.support.app import Bird, problem
from tests.support.images import jpeg


async def labels(bird: Bird, dataset: str) -> dict[str, dict]:
    items = (await bird.get(f"/datasets/{dataset}/labels")).json()["items"]
    return {label["name"]: label for label in items}


async def test_a_new_dataset_is_empty_and_shown_whole(still: Bird):
    body = {"name": "  bears \n of  Asia ", "description": "three kinds"}
    made = (await still.post("/datasets", json=body)).json()
    assert made == (await still.get(f"/datasets/{made['id']}")).json()
    assert made["name"] == "bears of Asia"
    assert made["created_at"].endswith("Z")
    assert made["live_model_id"] is None
    assert made["counts"] == {
        "total": 0,
        "excluded": 0,
        "status": dict.fromkeys(("queued", "downloading", "ready", "rejected", "duplicate"), 0),
        "labels": {},
    }


@pytest.mark.parametrize("name", ["", " \t\n", "x" * 101, "a\0b", "a\x1b[2Jb", None, 7])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_name_must_be_one(shared: Bird, name):
    problem(await shared.post("/datasets", json={"name": name}), 422, "invalid-request")


async def test_names_of_datasets_are_unique(still: Bird):
    first = await still.dataset("bears")
    problem(await still.post("/datasets", json={"name": " bears"}), 409, "dataset-exists")
    other = await still.dataset("Bears")
    problem(await still.patch(f"/datasets/{other}", json={"name": "bears"}), 409, "dataset-exists")
    changed = await still.patch(f"/datasets/{first}", json={"description": "d"})
    assert (changed.json()["name"], changed.json()["description"]) == ("bears", "d")
    renamed = await still.patch(f"/datasets/{first}", json={"name": "bears 2"})
    assert renamed.json()["name"] == "bears 2"
    assert renamed.json()["description"] == "d"


async def test_datasets_are_listed_newest_first_page_by_page(still: Bird):
    made = [await still.dataset() for _ in range(5)]
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await still.get("/datasets", params=params)).json()
        assert page["total"] == 5
        seen += [dataset["id"] for dataset in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == sorted(made, reverse=True)


async def test_a_deleted_dataset_is_gone_with_all_that_hangs_on_it(still: Bird):
    dataset, kept = await still.dataset(), await still.dataset()
    image = await still.upload(dataset, jpeg(), "cat")
    other = await still.upload(kept, jpeg(), "cat")
    await still.capture(dataset, ["http://a.test/1"], "cat")
    label = (await labels(still, dataset))["cat"]
    assert (await still.delete(f"/datasets/{dataset}")).status_code == 204
    problem(await still.get(f"/datasets/{dataset}"), 404, "dataset-not-found")
    problem(await still.get(f"/images/{image['id']}"), 404, "image-not-found")
    problem(await still.delete(f"/labels/{label['id']}"), 404, "label-not-found")
    assert (await still.get(f"/images/{other['id']}/file")).status_code == 200, "shared bytes stay"


async def test_labels_are_unique_within_a_dataset(still: Bird):
    one, other = await still.dataset(), await still.dataset()
    made = await still.post(f"/datasets/{one}/labels", json={"name": " teddy  bear "})
    assert made.status_code == 201
    assert made.json()["name"] == "teddy bear"
    again = await still.post(f"/datasets/{one}/labels", json={"name": "teddy bear"})
    problem(again, 409, "label-exists")
    elsewhere = await still.post(f"/datasets/{other}/labels", json={"name": "teddy bear"})
    assert elsewhere.status_code == 201


async def test_labels_are_listed_by_name_with_counts(still: Bird):
    dataset = await still.dataset()
    await still.upload(dataset, jpeg(seed=1), "b")
    await still.upload(dataset, jpeg(seed=2), "a")
    await still.capture(dataset, ["http://a.test/1"], "a")
    found = await labels(still, dataset)
    assert list(found) == ["a", "b"]
    assert (found["a"]["total"], found["a"]["ready"]) == (2, 1)
    assert (await still.counts(dataset))["labels"]["a"] == {"total": 2, "ready": 1}


async def test_a_label_is_renamed_but_not_onto_another(still: Bird):
    dataset = await still.dataset()
    image = await still.upload(dataset, jpeg(), "a")
    await still.post(f"/datasets/{dataset}/labels", json={"name": "b"})
    path = f"/labels/{(await labels(still, dataset))['a']['id']}"
    problem(await still.patch(path, json={"name": "b"}), 409, "label-exists")
    renamed = (await still.patch(path, json={"name": "c"})).json()
    assert (renamed["name"], renamed["ready"]) == ("c", 1)
    assert (await still.get(f"/images/{image['id']}")).json()["label"] == "c"


async def test_merging_moves_images_and_captures(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, ["http://a.test/1", "http://a.test/2"], "grizly")
    await still.capture(dataset, ["http://a.test/3"], "grizzly")
    found = await labels(still, dataset)
    merged = await still.patch(
        f"/labels/{found['grizly']['id']}", json={"merge_into": found["grizzly"]["id"]}
    )
    assert merged.json()["total"] == 3
    assert list(await labels(still, dataset)) == ["grizzly"]
    captures = (await still.get(f"/datasets/{dataset}/captures")).json()["items"]
    assert {capture["label"] for capture in captures} == {"grizzly"}


async def test_merging_needs_another_label_of_the_same_dataset(still: Bird):
    one, other = await still.dataset(), await still.dataset()
    ids = []
    for dataset in (one, other):
        made = await still.post(f"/datasets/{dataset}/labels", json={"name": "a"})
        ids.append(made.json()["id"])
    path = f"/labels/{ids[0]}"
    problem(await still.patch(path, json={"merge_into": ids[0]}), 422, "input-refused")
    problem(await still.patch(path, json={"merge_into": ids[1]}), 422, "input-refused")
    problem(await still.patch(path, json={"merge_into": "nothing"}), 404, "label-not-found")
    for body in ({}, {"name": "b", "merge_into": ids[1]}):
        problem(await still.patch(path, json=body), 422, "invalid-request")


async def test_a_label_in_use_is_not_deleted(still: Bird):
    dataset = await still.dataset()
    capture = await still.capture(dataset, ["http://a.test/1"], "a")
    path = f"/labels/{(await labels(still, dataset))['a']['id']}"
    body = problem(await still.delete(path), 409, "label-in-use")
    assert "'a'" in body["detail"]
    await still.delete(f"/captures/{capture['capture_id']}")
    assert (await still.delete(path)).status_code == 204
    assert await labels(still, dataset) == {}

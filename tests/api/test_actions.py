"""What persons do to images: as one action, undone and redone, without overwriting each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.repositories import actions as repository
from tests.support.app import Bird, problem, running
from tests.support.images import encode, jpeg, photo
from tests.support.site import Site, answer

on_shared = pytest.mark.asyncio(loop_scope="module")


async def filled(bird: Bird, count: int = 3) -> tuple[str, list[str]]:
    """Return a dataset of images under the label cat, which has dog as well, and their ids."""
    dataset = await bird.dataset()
    for name in ("cat", "dog"):
        await bird.post(f"/datasets/{dataset}/labels", json={"name": name})
    pictures = [encode(photo(20, 20, n), "PNG") for n in range(count)]
    return dataset, [(await bird.upload(dataset, data, "cat"))["id"] for data in pictures]


async def bulk(bird: Bird, dataset: str, ids: list[str], **body: Any) -> dict[str, Any]:
    response = await bird.post(f"/datasets/{dataset}/images/bulk", json={"ids": ids, **body})
    assert response.status_code == 200, response.text
    answered: dict[str, Any] = response.json()
    return answered


async def turn(bird: Bird, dataset: str, way: str, action_id: str | None = None) -> dict[str, Any]:
    body = None if action_id is None else {"action_id": action_id}
    response = await bird.post(f"/datasets/{dataset}/{way}", json=body)
    assert response.status_code == 200, response.text
    answered: dict[str, Any] = response.json()
    return answered


async def labels(bird: Bird, dataset: str) -> list[str | None]:
    return [image["label"] for image in await bird.images(dataset)]


async def version(bird: Bird, image_id: str) -> int:
    return int((await bird.get(f"/images/{image_id}")).json()["version"])


# --- versions


@on_shared
async def test_a_version_goes_up_with_each_real_change(shared: Bird):
    _, (first, *_) = await filled(shared)
    path = f"/images/{first}"
    seen = await shared.get(path)
    assert (seen.json()["version"], seen.headers["etag"]) == (1, '"1"')
    steps = [
        ({"label": "dog"}, 2),
        ({"label": "dog"}, 2),
        ({"excluded": False}, 2),
        ({"excluded": True, "reviewed": True}, 3),
        ({"reviewed": True}, 3),
        ({}, 3),
        ({"reviewed": False}, 4),
    ]
    for change, expected in steps:
        response = await shared.patch(path, json=change)
        assert (response.json()["version"], response.headers["etag"]) == (
            expected,
            f'"{expected}"',
        ), change


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        *(('"2"', 200), ('"1"', 412), ('"1", "2"', 200), ("*", 200), ('W/"2"', 412), ("2", 412)),
        *(
            ("", 412),
            ('W/"2", "2"', 200),
            ('"2", *', 200),
            ('"1", *', 412),
            ('"' + "2" * 30 + '"', 412),
        ),
    ],
)
@on_shared
async def test_a_change_to_what_others_changed_is_refused(shared: Bird, if_match, status):
    _, (first, *_) = await filled(shared)
    await shared.patch(f"/images/{first}", json={"label": "dog"})
    headers = {"If-Match": if_match}
    response = await shared.patch(f"/images/{first}", json={"excluded": True}, headers=headers)
    assert response.status_code == status
    shown = (await shared.get(f"/images/{first}")).json()
    assert shown["excluded"] is (status == 200)
    if status == 412:
        body = problem(response, 412, "version-conflict")
        assert body["version"] == 2
        assert body["current"] == {"label": "dog", "excluded": False, "reviewed_at": None}


@on_shared
async def test_a_bulk_change_leaves_what_others_changed(shared: Bird):
    dataset, ids = await filled(shared)
    await shared.patch(f"/images/{ids[1]}", json={"excluded": True})
    answered = await bulk(
        shared, dataset, ids, set={"label": "dog"}, versions=dict.fromkeys(ids[:2], 1)
    )
    assert answered["changed"] == 2
    assert answered["conflicts"] == [{"id": ids[1], "version": 2}]
    assert answered["versions"] == {ids[0]: 2, ids[1]: 2, ids[2]: 2}
    assert await labels(shared, dataset) == ["dog", "cat", "dog"]


@on_shared
async def test_two_tabs_never_overwrite_each_other_silently(shared: Bird):
    dataset, ids = await filled(shared)
    seen = dict.fromkeys(ids, 1)
    one = await bulk(shared, dataset, ids[:2], set={"label": "dog"}, versions=seen)
    other = await bulk(shared, dataset, ids[1:], set={"excluded": True}, versions=seen)
    assert (one["changed"], other["changed"]) == (2, 1)
    assert [conflict["id"] for conflict in other["conflicts"]] == [ids[1]]
    assert (await shared.counts(dataset))["excluded"] == 1


@on_shared
async def test_what_changes_nothing_is_no_action(shared: Bird):
    dataset, ids = await filled(shared)
    for change in ({"label": "cat"}, {"excluded": False}, {"reviewed": False}, {}):
        answered = await bulk(shared, dataset, ids, set=change)
        assert (answered["changed"], answered["action_id"]) == (0, None)
    assert (await shared.get(f"/datasets/{dataset}/actions")).json()["total"] == 0
    problem(await shared.post(f"/datasets/{dataset}/undo"), 409, "nothing-to-undo")


# --- undo and redo


@on_shared
async def test_undo_takes_back_the_last_act_then_the_one_before(shared: Bird):
    dataset, ids = await filled(shared)
    await bulk(shared, dataset, ids, set={"label": "dog"})
    await shared.patch(f"/images/{ids[0]}", json={"excluded": True, "reviewed": True})
    undone = await turn(shared, dataset, "undo")
    assert (undone["action"]["kind"], undone["changed"]) == ("several", 1)
    assert undone["versions"] == {ids[0]: 4}
    first = (await shared.get(f"/images/{ids[0]}")).json()
    assert (first["label"], first["excluded"], first["reviewed_at"]) == ("dog", False, None)
    assert (await turn(shared, dataset, "undo"))["changed"] == 3
    assert await labels(shared, dataset) == ["cat"] * 3
    problem(await shared.post(f"/datasets/{dataset}/undo"), 409, "nothing-to-undo")
    assert (await turn(shared, dataset, "redo"))["action"]["kind"] == "labelled"
    assert (await turn(shared, dataset, "redo"))["action"]["undone_at"] is None
    assert await labels(shared, dataset) == ["dog"] * 3
    assert (await shared.counts(dataset))["excluded"] == 1
    problem(await shared.post(f"/datasets/{dataset}/redo"), 409, "nothing-to-redo")


@on_shared
async def test_after_a_new_act_nothing_is_redone_unasked(shared: Bird):
    dataset, ids = await filled(shared)
    made = await bulk(shared, dataset, ids[:1], set={"label": "dog"})
    await turn(shared, dataset, "undo")
    await bulk(shared, dataset, ids[1:], set={"excluded": True})
    problem(await shared.post(f"/datasets/{dataset}/redo"), 409, "nothing-to-redo")
    assert (await turn(shared, dataset, "redo", made["action_id"]))["changed"] == 1
    assert await labels(shared, dataset) == ["dog", "cat", "cat"]


@on_shared
async def test_an_older_act_is_undone_but_where_a_later_one_stands(shared: Bird):
    dataset, ids = await filled(shared)
    older = await bulk(shared, dataset, ids, set={"label": "dog"})
    later = await bulk(shared, dataset, ids[:1], set={"excluded": True})
    undone = await turn(shared, dataset, "undo", older["action_id"])
    assert undone["changed"] == 2
    assert undone["conflicts"] == [{"id": ids[0], "version": 3}]
    assert await labels(shared, dataset) == ["dog", "cat", "cat"]
    again = {"action_id": older["action_id"]}
    problem(await shared.post(f"/datasets/{dataset}/undo", json=again), 409, "nothing-to-undo")
    # What was left still stands, so the later one alone goes back, and the rest comes again.
    assert (await turn(shared, dataset, "undo", later["action_id"]))["changed"] == 1
    assert (await turn(shared, dataset, "redo", older["action_id"]))["changed"] == 2
    assert await labels(shared, dataset) == ["dog"] * 3


@on_shared
async def test_a_later_act_that_was_undone_is_no_conflict(shared: Bird):
    dataset, ids = await filled(shared, 1)
    older = await bulk(shared, dataset, ids, set={"label": "dog"})
    await bulk(shared, dataset, ids, set={"label": "cat"})
    await turn(shared, dataset, "undo")
    undone = await turn(shared, dataset, "undo", older["action_id"])
    assert (undone["changed"], undone["conflicts"]) == (1, [])
    assert await labels(shared, dataset) == ["cat"]


@on_shared
async def test_a_merge_of_labels_goes_with_what_is_known_of_them(shared: Bird):
    dataset, ids = await filled(shared)
    await bulk(shared, dataset, ids[:2], set={"label": "dog"})
    found = (await shared.get(f"/datasets/{dataset}/labels")).json()["items"]
    cat, dog = (label["id"] for label in found)
    await shared.post(f"/datasets/{dataset}/labels", json={"name": "hound"})
    hound = (await shared.get(f"/datasets/{dataset}/labels")).json()["items"][2]["id"]
    await shared.patch(f"/labels/{dog}", json={"merge_into": hound})
    assert await labels(shared, dataset) == ["hound", "hound", "cat"]
    assert await version(shared, ids[0]) == 3
    assert (await turn(shared, dataset, "undo"))["changed"] == 2
    assert await labels(shared, dataset) == ["cat"] * 3
    await shared.patch(f"/labels/{cat}", json={"name": "kitten"})
    assert (await turn(shared, dataset, "redo"))["changed"] == 2
    assert await labels(shared, dataset) == ["hound", "hound", "kitten"]


@on_shared
async def test_the_way_back_to_a_label_that_is_gone_is_gone(shared: Bird):
    dataset, ids = await filled(shared, 1)
    await bulk(shared, dataset, ids, set={"label": "dog"})
    cat = (await shared.get(f"/datasets/{dataset}/labels")).json()["items"][0]["id"]
    assert (await shared.delete(f"/labels/{cat}")).status_code == 204
    undone = await turn(shared, dataset, "undo")
    assert (undone["changed"], undone["conflicts"]) == (0, [{"id": ids[0], "version": 2}])
    assert await labels(shared, dataset) == ["dog"]


async def test_duplicates_follow_there_and_back(still: Bird, site: Site):
    dataset, _ = await filled(still, 0)
    image = await still.upload(dataset, jpeg(), "cat")
    site.routes["/a.jpg"] = answer(jpeg())
    await still.capture(dataset, [site.url("/a.jpg")], "cat")
    await still.download(dataset)
    answered = await bulk(still, dataset, [image["id"]], set={"label": "dog"})
    assert answered["changed"] == 2
    assert list(answered["versions"]) == [image["id"]]
    assert await labels(still, dataset) == ["dog", "dog"]
    assert (await turn(still, dataset, "undo"))["changed"] == 2
    assert await labels(still, dataset) == ["cat", "cat"]


async def test_what_was_done_is_known_after_a_restart(data_folder: Path):
    async with running(data_folder, workers=False) as bird:
        dataset, ids = await filled(bird)
        made = await bulk(bird, dataset, ids, set={"label": "dog"})
    async with running(data_folder, workers=False) as bird:
        (action,) = (await bird.get(f"/datasets/{dataset}/actions")).json()["items"]
        assert (action["id"], action["count"], action["set"]) == (
            made["action_id"],
            3,
            {"label": "dog"},
        )
        assert (await turn(bird, dataset, "undo"))["changed"] == 3
    async with running(data_folder, workers=False) as bird:
        assert (await turn(bird, dataset, "redo"))["changed"] == 3


@on_shared
async def test_actions_are_listed_newest_first(shared: Bird):
    dataset, ids = await filled(shared)
    changes = [{"label": "dog"}, {"excluded": True}, {"excluded": False}, {"reviewed": True}]
    for change in [*changes, {"reviewed": False, "label": "cat"}]:
        await bulk(shared, dataset, ids, set=change)
    path, seen, cursor = f"/datasets/{dataset}/actions", [], None
    for _ in range(9):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await shared.get(path, params=params)).json()
        assert page["total"] == 5
        seen += [action["kind"] for action in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["several", "reviewed", "included", "excluded", "labelled"]


@on_shared
async def test_the_oldest_actions_are_forgotten(shared: Bird, monkeypatch):
    monkeypatch.setattr(repository, "MOST_CHANGES", 5)
    dataset, ids = await filled(shared)
    for number in range(6):
        await bulk(shared, dataset, ids[: 1 + number % 2], set={"excluded": number % 2 == 0})
    found = (await shared.get(f"/datasets/{dataset}/actions")).json()["items"]
    assert 0 < sum(action["count"] for action in found) <= 5
    for _ in found:
        await turn(shared, dataset, "undo")
    problem(await shared.post(f"/datasets/{dataset}/undo"), 409, "nothing-to-undo")


@on_shared
async def test_actions_of_another_dataset_are_none(shared: Bird):
    dataset, ids = await filled(shared)
    other, _ = await filled(shared)
    made = await bulk(shared, dataset, ids, set={"label": "dog"})
    body = {"action_id": made["action_id"]}
    problem(await shared.post(f"/datasets/{other}/undo", json=body), 409, "nothing-to-undo")
    for way in ("undo", "redo"):
        problem(await shared.post(f"/datasets/none/{way}"), 404, "dataset-not-found")
    problem(await shared.get("/datasets/none/actions"), 404, "dataset-not-found")


# --- history


async def test_an_image_tells_what_happened_to_it(still: Bird, site: Site):
    dataset, _ = await filled(still, 0)
    site.routes["/a.jpg"] = answer(jpeg())
    await still.capture(dataset, [site.url("/a.jpg")], "cat")
    await still.download(dataset)
    (image,) = await still.images(dataset)
    path = f"/images/{image['id']}"
    await still.patch(path, json={"label": "dog", "excluded": True})
    made = (await still.get(f"/datasets/{dataset}/actions")).json()["items"][0]["id"]
    await turn(still, dataset, "undo")
    await still.patch(path, json={"reviewed": True})
    items = (await still.get(f"{path}/history")).json()["items"]
    assert [item["kind"] for item in items[:3]] == ["captured", "tried", "settled"]
    assert [item["to"] for item in items[:3]] == [None, "ok", "ready"]
    assert all(item["action_id"] is None for item in items[:3])
    did = [(item["kind"], item["from"], item["to"], item["action_id"]) for item in items[3:7]]
    assert did == [
        ("labelled", "cat", "dog", made),
        ("excluded", False, True, made),
        ("undone", "dog", "cat", made),
        ("undone", True, False, made),
    ]
    assert items[7]["kind"] == "reviewed"
    assert items[7]["to"] is not None
    assert [item["at"] for item in items] == sorted(item["at"] for item in items)


@on_shared
async def test_an_unknown_image_has_no_history(shared: Bird):
    problem(await shared.get("/images/none/history"), 404, "image-not-found")

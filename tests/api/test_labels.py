"""One rule for new labels, whichever way they come; those of before are found as they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from server.db.ids import new_id
from server.db.models import LabelRecord
from tests.support.app import Bird, problem
from tests.support.images import jpeg

COMPOSED, APART = "b\u00e4r", "ba\u0308r"
TURNED = "gri\u202ezzly"


async def _names(bird: Bird, dataset: str) -> list[str]:
    items = (await bird.get(f"/datasets/{dataset}/labels")).json()["items"]
    return [item["name"] for item in items]


async def _store_as_before(bird: Bird, dataset: str, name: str) -> str:
    """Put a label into the database as an older revision did: as it came."""
    async with bird.database.write() as session:
        record = LabelRecord(
            id=new_id(), dataset_id=dataset, name=name, created_at=datetime.now(UTC)
        )
        session.add(record)
    return record.id


async def _make(bird: Bird, dataset: str, name: str):
    return await bird.post(f"/datasets/{dataset}/labels", json={"name": name})


async def _capture(bird: Bird, dataset: str, name: str):
    body = {
        "capture_key": new_id(),
        "label": name,
        "captured_at": "2026-11-22T10:00:00Z",
        "candidates": [{"url": f"http://127.0.0.1:9/{new_id()}.jpg"}],
    }
    return await bird.post(f"/datasets/{dataset}/captures", json=body)


async def _upload(bird: Bird, dataset: str, name: str):
    bird.names += 1  # other bytes each time: the same ones would be the same image
    files = {"file": ("a.jpg", jpeg(seed=bird.names))}
    return await bird.post(f"/datasets/{dataset}/images", files=files, data={"label": name})


async def _rename(bird: Bird, dataset: str, name: str):
    label = (await _make(bird, dataset, new_id())).json()["id"]
    return await bird.patch(f"/labels/{label}", json={"name": name})


WAYS = {"make": _make, "capture": _capture, "upload": _upload, "rename": _rename}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_a_new_label_is_composed(still: Bird, way):
    dataset = await still.dataset()
    assert (await way(still, dataset, f" {APART} ")).status_code in {200, 201}
    assert await _names(still, dataset) == [COMPOSED]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_the_length_counts_once_it_is_composed(still: Bird, way):
    dataset = await still.dataset()
    assert (await way(still, dataset, "a\u0308" * 100)).status_code in {200, 201}
    assert await _names(still, dataset) == ["\u00e4" * 100]
    refusal = problem(await way(still, dataset, "a\u0308" * 101), 422, "label-refused")
    assert "at most 100 characters; this one has 101" in refusal["detail"]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_marks_that_turn_text_around_are_refused(still: Bird, way):
    dataset = await still.dataset()
    refusal = problem(await way(still, dataset, TURNED), 422, "label-refused")
    assert refusal["detail"] == (
        "the label has an invisible mark that turns text around (U+202E); type it anew without"
    )
    counts = await still.counts(dataset)
    assert (TURNED not in counts["labels"], counts["total"]) == (True, 0), "nothing half done"


@pytest.mark.parametrize("name", [APART, TURNED], ids=["apart", "turned"])
async def test_a_label_of_before_is_found_as_it_was_written(still: Bird, name):
    dataset = await still.dataset()
    label_id = await _store_as_before(still, dataset, name)
    image = await still.upload(dataset, jpeg(), name)
    assert (await _capture(still, dataset, name)).status_code == 201
    assert image["label"] == name
    assert await _names(still, dataset) == [name], "none was made beside it"
    assert len(await still.images(dataset, label=name)) == 2
    problem(await _make(still, dataset, name), 409, "label-exists")
    other = (await _make(still, dataset, "other")).json()["id"]
    problem(await still.patch(f"/labels/{other}", json={"name": name}), 409, "label-exists")
    path = f"/images/{image['id']}"
    await still.patch(path, json={"label": "other"})
    assert (await still.patch(path, json={"label": name})).json()["label"] == name
    assert (await still.patch(f"/labels/{label_id}", json={"name": name})).json()["name"] == name


async def test_one_that_is_stored_composed_is_found_however_it_is_written(still: Bird):
    dataset = await still.dataset()
    image = await still.upload(dataset, jpeg(), COMPOSED)
    assert (await still.images(dataset, label=APART))[0]["id"] == image["id"]
    changed = await still.patch(f"/images/{image['id']}", json={"label": APART})
    assert changed.json()["label"] == COMPOSED
    problem(await _make(still, dataset, APART), 409, "label-exists")


async def test_the_one_written_so_comes_before_the_composed_one(still: Bird):
    dataset = await still.dataset()
    await _make(still, dataset, COMPOSED)
    await _store_as_before(still, dataset, APART)
    for name in (APART, COMPOSED):
        assert (await _upload(still, dataset, name)).status_code in {200, 201}
        assert (await _capture(still, dataset, name)).status_code == 201
        assert [one["label"] for one in await still.images(dataset, label=name)][-1:] == [name]


async def test_other_names_have_no_such_marks_either(still: Bird):
    refusal = problem(await still.post("/datasets", json={"name": TURNED}), 422, "invalid-request")
    assert "an invisible mark that turns text around (U+202E)" in refusal["detail"]

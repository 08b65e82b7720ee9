"""Captures: taken once, undone whole; nothing odd on a page costs them."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.support.app import Bird, problem
from tests.support.images import jpeg
from tests.support.site import Site, answer


def body_of(*candidates: dict, **members: object) -> dict:
    return {
        "capture_key": "k",
        "captured_at": "2026-11-22T11:00:00+01:00",
        "candidates": list(candidates),
    } | members


async def test_a_capture_queues_its_candidates_with_all_that_is_known(still: Bird):
    dataset = await still.dataset()
    candidate = {
        "url": "HTTP://A.test:80/a.jpg#top",
        "source_url": "https://a.test/page",
        "thumbnail_url": "https://t.test/t.jpg",
        "title": "A bear",
        "width": 1600,
        "height": 1200,
        "rank": 3,
        "license": "CC0",
    }
    body = body_of(
        candidate,
        label=" grizzly  bear",
        page_url="https://www.bing.com/images/search?q=grizzly",
        page_title="grizzly - Bing",
        engine="bing",
        query="grizzly",
        client="bowerbird-extension/0.1.0 (chromium)",
    )
    response = await still.post(f"/datasets/{dataset}/captures", json=body)
    assert response.status_code == 201
    answer_ = response.json()
    assert {k: answer_[k] for k in ("added", "known", "refused")} == {
        "added": 1,
        "known": 0,
        "refused": [],
    }
    (image,) = await still.images(dataset)
    detail = (await still.get(f"/images/{image['id']}")).json()
    assert (
        detail
        | {
            "label": "grizzly bear",
            "status": "queued",
            "reason": None,
            "url": candidate["url"],
            "declared_width": 1600,
            "declared_height": 1200,
            "title": "A bear",
            "license": "CC0",
            "sha256": None,
            "attempts": 0,
        }
        == detail
    )
    (sighting,) = detail["sightings"]
    assert sighting["rank"] == 3
    assert sighting["query"] == "grizzly"
    assert sighting["captured_at"] == "2026-11-22T10:00:00Z"
    (listed,) = (await still.get(f"/datasets/{dataset}/captures")).json()["items"]
    assert listed["id"] == answer_["capture_id"]
    assert (listed["label"], listed["added"], listed["refused_count"]) == ("grizzly bear", 1, 0)


async def test_the_same_key_again_adds_nothing_and_answers_the_same(still: Bird):
    dataset = await still.dataset()
    first = await still.capture(dataset, ["http://a.test/1", "data:x"], "a", key="k")
    again = await still.capture(dataset, ["http://a.test/2"], "b", key="k")
    assert again == first
    assert (await still.counts(dataset))["total"] == 1
    elsewhere = await still.capture(await still.dataset(), ["http://a.test/1"], "a", key="k")
    assert elsewhere["capture_id"] != first["capture_id"]


async def test_the_same_capture_sent_many_times_at_once_is_taken_once(still: Bird):
    dataset = await still.dataset()
    urls = [f"http://a.test/{n}" for n in range(50)]
    answers = await asyncio.gather(*(still.capture(dataset, urls, "a", key="k") for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["added"] == 50
    assert (await still.counts(dataset))["total"] == 50
    assert (await still.get(f"/datasets/{dataset}/captures")).json()["total"] == 1


async def test_captures_at_once_of_the_same_addresses_add_each_once(still: Bird):
    dataset = await still.dataset()
    urls = [f"http://a.test/{n}" for n in range(20)]
    answers = await asyncio.gather(*(still.capture(dataset, urls, f"l{n}") for n in range(5)))
    assert sorted(a["added"] for a in answers) == [0, 0, 0, 0, 20]
    assert (await still.counts(dataset))["total"] == 20
    (image, *_) = await still.images(dataset)
    sightings = (await still.get(f"/images/{image['id']}")).json()["sightings"]
    assert len(sightings) == 5


async def test_spellings_of_one_address_are_one_image(still: Bird):
    dataset = await still.dataset()
    urls = ["http://a.test/1", "http://A.TEST:80/1#x", "http://a.test/1?utm_source=y"]
    answer_ = await still.capture(dataset, urls)
    assert (answer_["added"], answer_["known"]) == (1, 2)


async def test_what_is_no_address_is_refused_alone_with_its_place(still: Bird):
    dataset = await still.dataset()
    odd = ["data:image/png;base64,AA", "javascript:x", "http://u:p@a.test/", "", "x" * 100_000]
    urls = ["http://a.test/0", *odd, "http://a.test/6", "http://a.test/\ud800"]
    body = body_of(*({"url": url} for url in urls))

    response = await still.post(
        f"/datasets/{dataset}/captures",
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 201, response.text
    assert response.json()["added"] == 2
    refused = response.json()["refused"]
    assert [r["index"] for r in refused] == [1, 2, 3, 4, 5, 7]
    assert {r["reason"] for r in refused} == {"bad-url"}
    assert all(r["detail"] for r in refused)
    (listed,) = (await still.get(f"/datasets/{dataset}/captures")).json()["items"]
    assert listed["refused_count"] == 6


@pytest.mark.parametrize(
    ("hint", "kept"),
    [
        ({"width": 0}, {"declared_width": None}),
        ({"width": -5}, {"declared_width": None}),
        ({"width": 1e9}, {"declared_width": None}),
        ({"width": 10**30}, {"declared_width": None}),
        ({"width": "100"}, {"declared_width": None}),
        ({"height": 10.5}, {"declared_height": None}),
        ({"source_url": "javascript:alert(1)"}, {"source_url": None}),
        ({"source_url": "http://a.test/" + "x" * 9000}, {"source_url": None}),
        ({"thumbnail_url": "data:image/png;base64,AA"}, {"thumbnail_url": None}),
        ({"title": "t" * 5000}, {"title": "t" * 1000}),
        ({"title": "half \ud83d"}, {"title": "half \ufffd"}),
        ({"license": "l" * 500}, {"license": "l" * 200}),
    ],
    ids=lambda v: str(v)[:40].encode("ascii", "replace").decode(),
)
@pytest.mark.asyncio(loop_scope="module")
async def test_odd_hints_are_dropped_and_cost_nothing(shared: Bird, hint, kept):

    dataset = await shared.dataset()
    body = body_of({"url": "http://a.test/1"} | hint)
    response = await shared.post(
        f"/datasets/{dataset}/captures",
        content=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 201, response.text
    (image,) = await shared.images(dataset)
    assert image | kept == image


@pytest.mark.parametrize(
    "members",
    [
        {"capture_key": ""},
        {"capture_key": "k" * 101},
        {"captured_at": "2026-11-22T10:00:00"},
        {"captured_at": "yesterday"},
        {"captured_at": "0001-01-01T00:00:00+14:00"},
        {"label": "  "},
        {"label": "l" * 401},
        {"colour": "red"},
        {"candidates": [{"url": "http://a.test/1"}] * 1001},
        {"candidates": [{"address": "http://a.test/1"}]},
        {"candidates": [{"url": "http://a.test/1", "rank": -1}]},
    ],
    ids=lambda m: str(m)[:40],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_client_says_is_checked_and_refused_whole(shared: Bird, members):
    dataset = await shared.dataset()
    response = await shared.post(
        f"/datasets/{dataset}/captures", json=body_of({"url": "http://a.test/2"}, **members)
    )
    problem(response, 422, "invalid-request")
    assert (await shared.counts(dataset))["total"] == 0


async def test_a_thousand_candidates_keep_their_order(still: Bird):
    dataset = await still.dataset()
    urls = [f"http://a.test/{n}" for n in range(1000)]
    assert (await still.capture(dataset, urls))["added"] == 1000
    seen, cursor = [], None
    while True:
        params = {"limit": 300} | ({"cursor": cursor} if cursor else {})
        page = (await still.get(f"/datasets/{dataset}/images", params=params)).json()
        seen += [image["url"] for image in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == urls


async def test_undo_takes_back_only_what_nothing_else_saw(still: Bird):
    dataset = await still.dataset()
    first = await still.capture(dataset, ["http://a.test/1", "http://a.test/2"], "a")
    await still.capture(dataset, ["http://a.test/2", "http://a.test/3"], "b")
    await still.upload(dataset, jpeg(), "a")
    assert (await still.delete(f"/captures/{first['capture_id']}")).status_code == 204
    left = [image["url"] for image in await still.images(dataset)]
    assert left == ["http://a.test/2", "http://a.test/3", None]
    problem(await still.delete(f"/captures/{first['capture_id']}"), 404, "capture-not-found")


async def test_undo_lets_a_duplicate_take_the_place_of_what_goes(bird: Bird, site: Site):
    same = answer(jpeg())
    site.routes |= {"/1.jpg": same, "/2.jpg": same, "/3.jpg": same}
    dataset = await bird.dataset()
    first = await bird.capture(dataset, [site.url("/1.jpg")], "a")
    await bird.settled(dataset)
    await bird.capture(dataset, [site.url("/2.jpg"), site.url("/3.jpg")], "a")
    counts = await bird.settled(dataset)
    assert counts["status"] | {"ready": 1, "duplicate": 2} == counts["status"]
    await bird.delete(f"/captures/{first['capture_id']}")
    ready, duplicate = await bird.images(dataset)
    assert (ready["status"], ready["duplicate_of"]) == ("ready", None)
    assert (duplicate["status"], duplicate["duplicate_of"]) == ("duplicate", ready["id"])


async def test_undo_of_many_images_is_whole(still: Bird):
    dataset = await still.dataset()
    taken = await still.capture(dataset, [f"http://a.test/{n}" for n in range(1000)])
    await still.delete(f"/captures/{taken['capture_id']}")
    assert (await still.counts(dataset))["total"] == 0


async def test_known_addresses_are_told_by_their_place_with_what_the_dataset_has(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, ["http://a.test/1"], "grizzly")
    await still.capture(dataset, ["http://a.test/2"], None)
    await still.capture(await still.dataset(), ["http://a.test/3"], "black")
    first, second = await still.images(dataset)
    await still.patch(f"/images/{first['id']}", json={"excluded": True})
    urls = ["http://A.test/2#x", "nothing", "http://a.test/3", "http://a.test/1", "data:,"]
    response = await still.post(f"/datasets/{dataset}/known", json={"urls": urls})
    queued = {"status": "queued"}
    assert response.json() == {
        "known": [0, 3],
        "images": [
            {"index": 0, "id": second["id"], "label": None, "excluded": False} | queued,
            {"index": 3, "id": first["id"], "label": "grizzly", "excluded": True} | queued,
        ],
    }
    too_many = await still.post(f"/datasets/{dataset}/known", json={"urls": ["x"] * 501})
    problem(too_many, 422, "invalid-request")

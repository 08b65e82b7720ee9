"""Lists narrowed, sorted and counted by where images come from and how they look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from server.api.schemas.images import QualityOut
from server.repositories.filters import ImageSort
from tests.support.app import Bird, problem
from tests.support.images import encode, jpeg, photo
from tests.support.played_trainer import coloured_dataset, snapshot
from tests.support.site import Site, answer

on_shared = pytest.mark.asyncio(loop_scope="module")
TODAY = datetime.now(UTC).date()


async def capture(
    bird: Bird, dataset: str, engine: str, query: str, tiles: list[tuple[str, str]]
) -> None:
    """Capture tiles, each an address and its page."""
    bird.names += 1
    body = {
        "capture_key": f"key-{bird.names}",
        "engine": engine,
        "query": query,
        "captured_at": "2026-11-22T10:00:00Z",
        "candidates": [{"url": url, "source_url": page} for url, page in tiles],
    }
    response = await bird.post(f"/datasets/{dataset}/captures", json=body)
    assert response.status_code == 201, response.text


async def found_on_the_web(bird: Bird) -> str:
    dataset = await bird.dataset()
    one, two = ("http://a.test/1", "https://Blog.test/x"), ("http://a.test/2", "http://a.test/")
    three = ("http://c.test/3", "https://blog.test:99/y")
    await capture(bird, dataset, "bing", "bear", [one, two])
    await capture(bird, dataset, "google", "bear", [one, three])
    await bird.upload(dataset, jpeg(), page_url="https://blog.test/z")
    return dataset


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"engine": "bing"}, 2),
        ({"engine": "google"}, 2),
        ({"query": "bear"}, 3),
        ({"query": "bear", "engine": "bing"}, 2),
        ({"engine": "yandex"}, 0),
        ({"site": "a.test"}, 2),
        ({"site": "blog.test"}, 3),
        ({"site": "BLOG.test", "engine": "google"}, 2),
        ({"site": "test"}, 0),
        ({"reviewed": "true"}, 0),
        ({"reviewed": "false"}, 4),
        ({"min_px": 1}, 1),
        ({"min_px": 5000}, 0),
        ({"max_px": 5000}, 1),
        ({"captured_from": str(TODAY)}, 4),
        ({"captured_to": str(TODAY)}, 4),
        ({"captured_from": str(TODAY + timedelta(days=1))}, 0),
        ({"captured_to": str(TODAY - timedelta(days=1))}, 0),
        ({"captured_from": "0001-01-01", "captured_to": "9999-12-30"}, 4),
        ({"hint": "dark"}, 0),
        ({"near_group": "0" * 64}, 0),
    ],
    ids=str,
)
@on_shared
async def test_images_are_found_by_where_and_when(shared: Bird, wanted, count):
    dataset = await found_on_the_web(shared)
    for sort in ("oldest", "newest"):
        page = (
            await shared.get(f"/datasets/{dataset}/images", params=wanted | {"sort": sort})
        ).json()
        assert (page["total"], len(page["items"])) == (count, count)


@pytest.mark.parametrize(
    "wanted",
    [
        {"split": "train"},
        {"hint": "ugly"},
        {"near_group": "x"},
        {"min_px": -1},
        {"captured_from": "yesterday"},
        {"sort": "-oldest"},
        {"skip": -1},
        {"skip": 1_000_001},
        {"sort": "short_side_px"},
    ],
    ids=str,
)
@on_shared
async def test_odd_filters_are_refused(shared: Bird, wanted):
    dataset = await shared.dataset()
    response = await shared.get(f"/datasets/{dataset}/images", params=wanted)
    assert response.status_code == 422, response.text


@pytest.mark.parametrize("wanted", [{}, {"sort": "newest"}, {"site": "a.test"}, {"sort": "size"}])
@on_shared
async def test_a_list_can_be_begun_anywhere(shared: Bird, wanted):
    dataset = await shared.dataset()
    tiles = [(f"http://a.test/{number}", "http://a.test/") for number in range(4)]
    await capture(shared, dataset, "bing", "bear", tiles)
    for seed in range(4):
        await shared.upload(dataset, jpeg(60 + seed, 60, seed))
    path = f"/datasets/{dataset}/images"
    whole = (await shared.get(path, params=wanted)).json()
    ids = [image["id"] for image in whole["items"]]
    assert whole["total"] == len(ids) >= 4
    for skip in range(len(ids) + 2):
        page = (await shared.get(path, params=wanted | {"skip": skip, "limit": 2})).json()
        assert [image["id"] for image in page["items"]] == ids[skip : skip + 2]
        assert page["total"] == len(ids), "also behind the end"
        if page["next_cursor"] is not None:
            behind = {"cursor": page["next_cursor"], "limit": 500}
            rest = (await shared.get(path, params=wanted | behind)).json()
            assert [image["id"] for image in rest["items"]] == ids[skip + 2 :]
        else:
            assert skip + 2 >= len(ids)


@on_shared
async def test_a_cursor_and_a_place_are_not_asked_for_at_once(shared: Bird):
    dataset = await shared.dataset()
    both = {"cursor": "0" * 26, "skip": 1}
    problem(await shared.get(f"/datasets/{dataset}/images", params=both), 422, "input-refused")


@on_shared
async def test_the_sides_of_a_snapshot_are_apart_and_whole(shared: Bird):
    dataset = await coloured_dataset(shared, 8)
    made = await snapshot(shared, dataset)
    await shared.upload(dataset, jpeg(seed=5))
    sides: dict[str, set[str]] = {}
    for split in ("train", "valid", None):
        wanted = {"snapshot": made["id"]} | ({} if split is None else {"split": split})
        sides[split or "all"] = {image["id"] for image in await shared.images(dataset, **wanted)}
    assert len(sides["train"]) == made["counts"]["train"]
    assert len(sides["valid"]) == made["counts"]["valid"]
    assert sides["train"] | sides["valid"] == sides["all"]
    assert not sides["train"] & sides["valid"]
    response = await shared.get(f"/datasets/{dataset}/images", params={"snapshot": "none"})
    problem(response, 404, "snapshot-not-found")


# --- looks


def plain(luma: int, width: int = 300, height: int = 200) -> bytes:
    """Return a picture of one grey, but for a dot: no two of them are the same bytes."""
    image = Image.new("RGB", (width, height), (luma, luma, luma))
    image.putpixel((luma % width, 0), (luma, luma, (luma + 9) % 256))
    return encode(image, "PNG")


PICTURES = {
    "night": (plain(10), {"dark", "blurry", "plain"}),
    "paper": (plain(250), {"bright", "blurry", "plain"}),
    "grey": (plain(128), {"blurry", "plain"}),
    "photo": (encode(photo(300, 200, 3), "PNG"), set()),
    "strip": (encode(photo(900, 200, 4), "PNG"), {"odd-aspect"}),
    "icon": (encode(photo(90, 70, 5), "PNG"), {"small"}),
}


async def measured(bird: Bird) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return a dataset of these pictures and one image without bytes; the pictures by name."""
    dataset = await bird.dataset()
    for data, _ in PICTURES.values():
        await bird.upload(dataset, data)
    await bird.capture(dataset, ["http://a.test/1"])
    shown = [image for image in await bird.images(dataset) if image["status"] == "ready"]
    return dataset, dict(zip(PICTURES, shown, strict=True))


@on_shared
async def test_images_say_how_they_look_and_what_may_be_wrong(shared: Bird):
    dataset, shown = await measured(shared)
    for name, (_, expected) in PICTURES.items():
        image = shown[name]
        assert {hint["name"] for hint in image["hints"]} >= expected, (name, image["quality"])
        assert set(image["quality"]) == set(QualityOut.model_fields)
    assert shown["photo"]["hints"] == []
    (small,) = (hint for hint in shown["icon"]["hints"] if hint["name"] == "small")
    assert small["score"] == 70 < small["threshold"]
    for hint in ("dark", "bright", "blurry", "plain", "odd-aspect", "small"):
        found = {image["id"] for image in await shared.images(dataset, hint=hint)}
        named = {i["id"] for i in shown.values() if hint in {h["name"] for h in i["hints"]}}
        assert found == named, hint
    (queued,) = await shared.images(dataset, status="queued")
    assert (queued["quality"], queued["hints"], queued["near_group"]) == (None, [], None)
    alone = (await shared.get(f"/images/{shown['night']['id']}")).json()
    assert {name: alone[name] for name in shown["night"]} == shown["night"]


KEYS = {
    "aspect": lambda i: max(i["width"], i["height"]) / min(i["width"], i["height"]),
    "size": lambda i: i["width"] * i["height"],
    **{name: (lambda i, name=name: i["quality"][name]) for name in QualityOut.model_fields},
}


@pytest.mark.parametrize("name", KEYS)
@on_shared
async def test_a_measure_sorts_both_ways_page_by_page(shared: Bird, name):
    dataset, shown = await measured(shared)
    key = KEYS[name]
    expected = [i["id"] for i in sorted(shown.values(), key=lambda i: (key(i), i["id"]))]
    for sort, ids in ((name, expected), (f"-{name}", expected[::-1])):
        seen: list[str] = []
        cursor = None
        for _ in range(9):
            params = {"sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await shared.get(f"/datasets/{dataset}/images", params=params)).json()
            assert page["total"] == len(ids)
            seen += [image["id"] for image in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert seen == ids, sort
    response = await shared.get(
        f"/datasets/{dataset}/images", params={"sort": name, "cursor": "x~y"}
    )
    problem(response, 422, "invalid-cursor")


def test_every_measure_sorts_both_ways():
    measures = {sort.value for sort in ImageSort if sort.measure is not None}
    assert measures == {f"{sign}{name}" for name in KEYS for sign in ("", "-")}


# --- facets


@on_shared
async def test_facets_count_what_their_filters_find(shared: Bird):
    dataset = await found_on_the_web(shared)
    await shared.post(f"/datasets/{dataset}/labels", json={"name": "bear"})
    first, *_ = await shared.images(dataset)
    await shared.patch(f"/images/{first['id']}", json={"label": "bear", "reviewed": True})
    await shared.upload(dataset, plain(10))
    facets = (await shared.get(f"/datasets/{dataset}/facets")).json()
    values = {
        name: [(value["value"], value["count"]) for value in facet]
        for name, facet in facets.items()
    }
    assert values["label"] == [(None, 4), ("bear", 1)]
    assert values["status"] == [("queued", 3), ("ready", 2)]
    assert values["site"] == [("blog.test", 3), ("a.test", 2), ("c.test", 1)]
    assert values["engine"] == [("bing", 2), ("google", 2)]
    assert values["query"] == [("bear", 3)]
    assert values["reviewed"] == [(True, 1), (False, 4)]
    for name, facet in values.items():
        for value, count in facet:
            if value is not None:
                wanted = {name: str(value).lower() if isinstance(value, bool) else value}
                params = wanted | {"limit": 1}
                page = (await shared.get(f"/datasets/{dataset}/images", params=params)).json()
                assert page["total"] == count, wanted
    problem(await shared.get("/datasets/none/facets"), 404, "dataset-not-found")


# --- stacks and conflicts


@on_shared
async def test_look_alikes_are_stacked_the_best_first(shared: Bird):
    dataset, other = await shared.dataset(), await shared.dataset()
    large, alone = photo(640, 480, 1), photo(640, 480, 2)
    small = await shared.upload(dataset, encode(large.resize((320, 240)), "JPEG", quality=80))
    best = await shared.upload(dataset, encode(large, "JPEG", quality=90))
    await shared.upload(dataset, encode(alone, "JPEG"))
    await shared.upload(other, encode(large, "JPEG", quality=85))
    for _ in range(2):
        await shared.parts.services.snapshots._looks.group_new()
    page = (await shared.get(f"/datasets/{dataset}/stacks")).json()
    (stack,) = page["items"]
    assert (page["total"], page["next_cursor"], stack["count"]) == (1, None, 2)
    assert [image["id"] for image in stack["images"]] == [best["id"], small["id"]]
    assert all(image["near_count"] == 2 for image in stack["images"])
    found = await shared.images(dataset, near_group=stack["near_group"])
    assert {image["id"] for image in found} == {best["id"], small["id"]}
    assert (await shared.get(f"/datasets/{other}/stacks")).json()["items"] == []
    problem(await shared.get(f"/datasets/{dataset}/stacks?cursor=x"), 422, "invalid-cursor")


async def test_the_same_bytes_under_two_labels_are_told(still: Bird, site: Site):

    dataset = await still.dataset()
    first = await still.upload(dataset, jpeg(), "cat")
    await still.upload(dataset, jpeg(seed=2), "cat")
    site.routes["/a.jpg"] = answer(jpeg())
    await still.capture(dataset, [site.url("/a.jpg")], "dog")
    await still.download(dataset)
    page = (await still.get(f"/datasets/{dataset}/conflicts")).json()
    (conflict,) = page["items"]
    assert (page["total"], conflict["sha256"]) == (1, first["sha256"])
    assert [(i["label"], i["status"]) for i in conflict["images"]] == [
        ("cat", "ready"),
        ("dog", "duplicate"),
    ]
    await still.patch(f"/images/{conflict['images'][1]['id']}", json={"excluded": True})
    assert (await still.get(f"/datasets/{dataset}/conflicts")).json()["total"] == 0


@pytest.mark.parametrize(
    "days",
    [{"captured_to": "9999-12-31"}, {"captured_from": "1968-02-29"},
     {"captured_from": "0001-01-01"}, {"captured_from": "9999-12-31", "captured_to": "0001-01-01"}],
)  # fmt: skip
async def test_days_at_the_ends_of_the_calendar_are_days(bird: Bird, days):
    dataset = await bird.dataset()
    response = await bird.get(f"/datasets/{dataset}/images", params=days)
    assert response.status_code == 200, response.text

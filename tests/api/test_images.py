"""Images: found, changed, uploaded, retried, and their bytes."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.app import Bird, problem
from tests.support.images import HTML, SVG, encode, jpeg, photo, png_claim
from tests.support.site import Site, answer

on_shared = pytest.mark.asyncio(loop_scope="module")


async def filled(bird: Bird) -> str:
    """Return a dataset of three queued images and two uploads."""
    dataset = await bird.dataset()
    await bird.capture(dataset, ["http://a.test/one.jpg", "http://a.test/two.jpg"], "cat")
    await bird.capture(dataset, ["http://b.test/100%25.jpg"], "dog")
    await bird.upload(dataset, jpeg(seed=1), "cat")
    await bird.upload(dataset, jpeg(seed=2), source_url="https://c.test/page")
    return dataset


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 5),
        ({"label": "cat"}, 3),
        ({"label": "no such"}, 0),
        ({"status": "queued"}, 3),
        ({"status": "ready", "label": "cat"}, 1),
        ({"reason": "timeout"}, 0),
        ({"excluded": "false"}, 5),
        ({"excluded": "true"}, 0),
        ({"q": "a.test"}, 2),
        ({"q": "A.TEST/ONE"}, 1),
        ({"q": "%"}, 1),
        ({"q": "_"}, 0),
        ({"q": "c.test/page"}, 1),
        ({"q": ""}, 5),
    ],
    ids=str,
)
@on_shared
async def test_images_are_found_by_what_they_are(shared: Bird, wanted, count):
    dataset = await filled(shared)
    page = (await shared.get(f"/datasets/{dataset}/images", params=wanted)).json()
    assert (page["total"], len(page["items"])) == (count, count)


@on_shared
async def test_an_image_is_found_by_its_hash(shared: Bird):
    dataset = await shared.dataset()
    image = await shared.upload(dataset, jpeg(seed=7))
    await shared.upload(dataset, jpeg(seed=8))
    part = image["sha256"][20:32]
    for wanted in ({"sha256": image["sha256"]}, {"q": part}, {"q": part.upper()}):
        (found,) = await shared.images(dataset, **wanted)
        assert found["id"] == image["id"]
    # So few digits are in many hashes by chance: who writes them means a word.
    assert await shared.images(dataset, q=image["sha256"][:3]) == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": "lost"},
        {"reason": "x"},
        {"excluded": "perhaps"},
        {"sha256": "x"},
        {"limit": 0},
        {"sort": "prettiest"},
    ],
    ids=str,
)
@on_shared
async def test_an_unknown_value_of_a_filter_is_an_error(shared: Bird, wanted):
    dataset = await shared.dataset()
    response = await shared.get(f"/datasets/{dataset}/images", params=wanted)
    problem(response, 422, "invalid-request")


@pytest.mark.parametrize("cursor", ["x", "0" * 25, "../../../../../etc/passwd.", "'" * 26])
@on_shared
async def test_a_cursor_that_is_none_is_refused(shared: Bird, cursor):
    dataset = await shared.dataset()
    response = await shared.get(f"/datasets/{dataset}/images", params={"cursor": cursor})
    problem(response, 422, "invalid-cursor")


@on_shared
async def test_pages_are_complete_without_repeats_while_images_come(shared: Bird):
    dataset = await shared.dataset()
    urls = [f"http://a.test/{n}" for n in range(25)]
    await shared.capture(dataset, urls)
    seen, cursor = [], None
    for page_number in range(100):
        params = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        page = (await shared.get(f"/datasets/{dataset}/images", params=params)).json()
        seen += [image["url"] for image in page["items"]]
        if page_number < 3:
            await asyncio.sleep(0.002)  # ids of another millisecond
            await shared.capture(dataset, [f"http://b.test/{page_number}"])
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == urls + [f"http://b.test/{n}" for n in range(3)]


@on_shared
async def test_the_newest_come_first_when_asked(shared: Bird):
    dataset = await shared.dataset()
    await shared.capture(dataset, [f"http://a.test/{n}" for n in range(5)])
    oldest = [image["id"] for image in await shared.images(dataset, sort="oldest")]
    assert [image["id"] for image in await shared.images(dataset)] == oldest
    path, params = f"/datasets/{dataset}/images", {"sort": "newest", "limit": 3}
    first = (await shared.get(path, params=params)).json()
    rest = (await shared.get(path, params=params | {"cursor": first["next_cursor"]})).json()
    seen = [image["id"] for image in (*first["items"], *rest["items"])]
    assert (seen, rest["next_cursor"]) == (oldest[::-1], None)


@on_shared
async def test_a_patch_changes_what_it_names(shared: Bird):
    dataset = await shared.dataset()
    image = await shared.upload(dataset, jpeg(), "cat")
    await shared.post(f"/datasets/{dataset}/labels", json={"name": "dog"})
    path = f"/images/{image['id']}"
    changed = (await shared.patch(path, json={"excluded": True, "reviewed": True})).json()
    assert (changed["label"], changed["excluded"]) == ("cat", True)
    assert changed["reviewed_at"].endswith("Z")
    changed = (await shared.patch(path, json={"label": "dog", "reviewed": False})).json()
    assert (changed["label"], changed["excluded"], changed["reviewed_at"]) == ("dog", True, None)
    assert (await shared.patch(path, json={})).json() == changed
    assert (await shared.counts(dataset))["excluded"] == 1


@on_shared
async def test_an_unknown_label_is_an_error_and_makes_nothing(shared: Bird):
    dataset = await shared.dataset()
    image = await shared.upload(dataset, jpeg(), "cat")
    for response in (
        await shared.patch(f"/images/{image['id']}", json={"label": "dgo", "excluded": True}),
        await shared.post(
            f"/datasets/{dataset}/images/bulk",
            json={"ids": [image["id"]], "set": {"label": "dgo", "excluded": True}},
        ),
    ):
        problem(response, 422, "unknown-label")
    assert list((await shared.counts(dataset))["labels"]) == ["cat"]
    assert not (await shared.get(f"/images/{image['id']}")).json()["excluded"]


@on_shared
async def test_a_bulk_change_is_all_or_none(shared: Bird):
    dataset, other = await shared.dataset(), await shared.dataset()
    ids = [(await shared.upload(dataset, jpeg(seed=n)))["id"] for n in range(3)]
    foreign = (await shared.upload(other, jpeg()))["id"]
    path = f"/datasets/{dataset}/images/bulk"
    change = {"excluded": True}
    for bad in ("nothing", foreign):
        response = await shared.post(path, json={"ids": [*ids, bad], "set": change})
        problem(response, 404, "image-not-found")
        assert (await shared.counts(dataset))["excluded"] == 0
    response = await shared.post(path, json={"ids": [*ids, ids[0]], "set": change})
    assert response.json()["changed"] == 3
    assert (await shared.counts(dataset))["excluded"] == 3
    for ids_ in ([], ["x"] * 1001):
        response = await shared.post(path, json={"ids": ids_, "set": change})
        problem(response, 422, "invalid-request")


async def test_a_relabelling_carries_the_duplicates(still: Bird, site: Site):
    dataset = await still.dataset()
    image = await still.upload(dataset, jpeg(), "cat")
    await still.post(f"/datasets/{dataset}/labels", json={"name": "dog"})
    site.routes["/a.jpg"] = answer(jpeg())
    await still.capture(dataset, [site.url("/a.jpg")], "cat")
    await still.download(dataset)
    await still.patch(f"/images/{image['id']}", json={"label": "dog"})
    found = await still.images(dataset)
    assert [(i["status"], i["label"]) for i in found] == [("ready", "dog"), ("duplicate", "dog")]


# --- upload


@on_shared
async def test_an_upload_is_verified_and_ready(shared: Bird):
    dataset = await shared.dataset()
    data = jpeg(320, 240)
    image = await shared.upload(
        dataset, data, " a  cat", source_url="https://a.test/a.jpg", page_url="https://a.test/"
    )
    expected = {
        "status": "ready",
        "label": "a cat",
        "url": None,
        "source_url": "https://a.test/a.jpg",
        "title": "a.jpg",
        "bytes": len(data),
        "width": 320,
        "height": 240,
        "format": "jpeg",
        "duplicate_of": None,
    }
    assert image | expected == image
    assert image["settled_at"].endswith("Z")
    assert (await shared.get(f"/images/{image['id']}")).json() == image | {
        "train_only": False,
        "sightings": [],
        "attempts_log": [],
    }


@on_shared
async def test_the_same_bytes_again_are_the_same_image(shared: Bird):
    dataset, other = await shared.dataset(), await shared.dataset()

    async def upload(into: str):
        files = {"file": ("a.jpg", jpeg())}
        return await shared.post(f"/datasets/{into}/images", files=files)

    first, again, elsewhere = await upload(dataset), await upload(dataset), await upload(other)
    assert (first.status_code, again.status_code, elsewhere.status_code) == (201, 200, 201)
    assert again.json() == first.json()
    assert elsewhere.json()["id"] != first.json()["id"]
    assert elsewhere.json()["sha256"] == first.json()["sha256"]


@on_shared
async def test_the_same_bytes_many_times_at_once_are_one_image(shared: Bird):
    dataset = await shared.dataset()
    data = jpeg(seed=99)
    images = await asyncio.gather(*(shared.upload(dataset, data, "cat") for _ in range(6)))
    assert len({image["id"] for image in images}) == 1
    assert (await shared.counts(dataset))["total"] == 1


async def test_an_upload_of_what_was_downloaded_is_a_duplicate(bird: Bird, site: Site):
    dataset = await bird.dataset()
    site.routes["/a.jpg"] = answer(jpeg())
    await bird.capture(dataset, [site.url("/a.jpg")], "cat")
    await bird.settled(dataset)
    (first,) = await bird.images(dataset)
    uploaded = await bird.upload(dataset, jpeg(), "cat")
    assert (uploaded["status"], uploaded["duplicate_of"]) == ("duplicate", first["id"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (HTML, "not-an-image"),
        (SVG, "unsupported-format"),
        (jpeg()[:2000], "truncated"),
        (encode(photo(8, 8), "PNG"), "too-small"),
        (png_claim(100_000, 100_000), "too-many-pixels"),
    ],
    ids=lambda v: v if isinstance(v, str) else "bytes",
)
@on_shared
async def test_what_is_no_usable_image_is_refused_with_the_reason(shared: Bird, data, reason):
    dataset = await shared.dataset()
    response = await shared.post(f"/datasets/{dataset}/images", files={"file": ("x", data)})
    body = problem(response, 422, "image-not-usable")
    assert body["reason"] == reason
    assert (await shared.counts(dataset))["total"] == 0


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"label": "  "}, "invalid-request"),
        ({"label": "x" * 101}, "label-refused"),
        ({"source_url": "javascript:x"}, "invalid-request"),
    ],
    ids=str,
)
@on_shared
async def test_odd_fields_of_an_upload_are_refused(shared: Bird, fields, slug):
    dataset = await shared.dataset()
    response = await shared.post(
        f"/datasets/{dataset}/images", files={"file": ("a.jpg", jpeg())}, data=fields
    )
    problem(response, 422, slug)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b\\c.jpg", "\x00.jpg", "ü" * 300])
@on_shared
async def test_the_name_of_a_file_is_only_a_title(shared: Bird, name):
    dataset = await shared.dataset()
    response = await shared.post(f"/datasets/{dataset}/images", files={"file": (name, jpeg())})
    assert response.status_code == 201
    assert "/" not in response.json()["title"]


# --- bytes


@on_shared
async def test_the_bytes_come_back_as_they_were_and_for_ever(shared: Bird):
    data = jpeg()
    image = await shared.upload(await shared.dataset(), data)
    for path in (f"/images/{image['id']}/file", f"/blobs/{image['sha256']}"):
        response = await shared.get(path)
        assert response.content == data
        assert response.headers["content-type"] == "image/jpeg"
        assert response.headers["etag"] == f'"{image["sha256"]}"'
        assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"
        part = await shared.get(path, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, data[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ('"{}"', 304),
        ('W/"{}"', 304),
        ('"x", "{}"', 304),
        ("*", 304),
        ('"x"', 200),
        ("{}", 200),
    ],
)
@on_shared
async def test_a_client_that_has_the_bytes_is_told_so(shared: Bird, asked, status):
    image = await shared.upload(await shared.dataset(), jpeg())
    headers = {"If-None-Match": asked.format(image["sha256"])}
    for kind in ("file", "thumbnail"):
        response = await shared.get(f"/images/{image['id']}/{kind}", headers=headers)
        assert response.status_code == status
        assert response.headers["etag"] == f'"{image["sha256"]}"'
        assert bool(response.content) == (status == 200)


@on_shared
async def test_a_thumbnail_is_a_small_jpeg(shared: Bird):
    image = await shared.upload(await shared.dataset(), encode(photo(800, 600), "PNG"))
    response = await shared.get(f"/images/{image['id']}/thumbnail")
    assert response.headers["content-type"] == "image/jpeg"
    assert response.content[:2] == b"\xff\xd8"
    assert (await shared.get(f"/images/{image['id']}/file")).headers["content-type"] == "image/png"


@on_shared
async def test_a_file_that_is_gone_is_said_so_and_comes_back_with_its_bytes(shared: Bird):
    data = jpeg(seed=77)
    image = await shared.upload(await shared.dataset(), data)
    for file in shared.data.rglob(f"{image['sha256']}*"):
        file.unlink()
    paths = [f"/images/{image['id']}/file", f"/images/{image['id']}/thumbnail"]
    for path in (*paths, f"/blobs/{image['sha256']}"):
        problem(await shared.get(path), 409, "blob-damaged")
    await shared.upload(await shared.dataset(), data)
    for path in paths:
        assert (await shared.get(path)).status_code == 200


@on_shared
async def test_an_image_without_bytes_has_no_file(shared: Bird):
    dataset = await shared.dataset()
    await shared.capture(dataset, ["http://a.test/1"])
    (image,) = await shared.images(dataset)
    for kind in ("file", "thumbnail"):
        problem(await shared.get(f"/images/{image['id']}/{kind}"), 404, "image-not-found")


# --- retry


async def test_rejected_images_are_queued_again_all_or_by_reason(bird: Bird, site: Site):
    dataset = await bird.dataset()
    site.routes |= {"/html.jpg": answer(HTML), "/none.jpg": answer(b"")}
    await bird.capture(dataset, [site.url(p) for p in ("/html.jpg", "/none.jpg", "/404.jpg")])
    assert (await bird.settled(dataset))["status"]["rejected"] == 3
    reasons = {i["url"].rpartition("/")[2]: i["reason"] for i in await bird.images(dataset)}
    assert reasons == {"html.jpg": "not-an-image", "none.jpg": "empty", "404.jpg": "http-status"}

    site.routes |= {f"/{name}": answer(jpeg(seed=n)) for n, name in enumerate(reasons)}
    retry = f"/datasets/{dataset}/images/retry"
    assert (await bird.post(retry, json={"reason": "http-status"})).json() == {"queued": 1}
    counts = await bird.settled(dataset)
    assert counts["status"] | {"ready": 1, "rejected": 2} == counts["status"]
    assert (await bird.post(retry)).json() == {"queued": 2}
    assert (await bird.settled(dataset))["status"]["ready"] == 3
    for image in await bird.images(dataset):
        assert (image["reason"], image["detail"], image["attempts"]) == (None, None, 2)
    assert (await bird.post(retry)).json() == {"queued": 0}
    problem(await bird.post(retry, json={"reason": "boredom"}), 422, "invalid-request")


async def test_rejected_images_of_one_host_are_queued_again(bird: Bird, site: Site):
    dataset = await bird.dataset()
    address = site.url("/none.jpg")
    await bird.capture(dataset, [address, "http://sub.127.0.0.1.test/a.jpg"])
    await bird.settled(dataset)
    retry = f"/datasets/{dataset}/images/retry"
    assert (await bird.post(retry, json={"host": "0.0.1"})).json() == {"queued": 0}
    wanted = {"host": "127.0.0.1", "reason": "timeout"}
    assert (await bird.post(retry, json=wanted)).json() == {"queued": 0}
    site.routes["/none.jpg"] = answer(jpeg())
    assert (await bird.post(retry, json={"host": "127.0.0.1"})).json() == {"queued": 1}
    assert (await bird.settled(dataset))["status"]["ready"] == 1
    problem(await bird.post(retry, json={"host": ""}), 422, "invalid-request")

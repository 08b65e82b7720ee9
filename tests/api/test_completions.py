"""Images that the server could not get, completed with bytes that a browser got."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from server.contract.files import sha256_of
from tests.support.app import Bird, problem
from tests.support.images import HTML, encode, jpeg, photo
from tests.support.site import Handler, Site, answer, redirect

SIGN_IN = answer(HTML, status="401 Unauthorized")
HOTLINK = answer(HTML, status="403 Forbidden")
LATER = answer(b"", status="429 Too Many Requests")
NOT_FOR_ROBOTS = answer(b"", status="406 Not Acceptable")
PAGE = answer(HTML)


async def rejected(bird: Bird, site: Site, *answers: Handler) -> tuple[str, list[dict[str, Any]]]:
    """Return a dataset and its images after the server asked for each, in this order."""
    dataset = await bird.dataset()
    paths = [f"/{number}.jpg" for number in range(len(answers))]
    site.routes |= dict(zip(paths, answers, strict=True))
    await bird.capture(dataset, [site.url(path) for path in paths], "cat")
    await bird.settled(dataset)
    return dataset, await bird.images(dataset)


async def put(
    bird: Bird, image: dict[str, Any], data: bytes, via: str = "browser", **fields: str
) -> httpx2.Response:
    files = {"file": ("image", data)}
    path = f"/images/{image['id']}/file"
    return await bird.request("PUT", path, files=files, data={"via": via} | fields)


async def test_the_list_is_what_depends_on_who_asks(bird: Bird, site: Site):
    dataset, images = await rejected(
        bird,
        site,
        SIGN_IN,
        HOTLINK,
        LATER,
        NOT_FOR_ROBOTS,
        PAGE,
        redirect("/4.jpg"),
        # A browser would get no more than the server of these.
        answer(jpeg()),
        answer(b"", status="404 Not Found"),
        answer(b"", status="410 Gone"),
        answer(b"", status="451 Unavailable For Legal Reasons"),
        answer(b"", status="500 Internal Server Error"),
        answer(jpeg()[:2000]),
        answer(jpeg(), "X-Robots-Tag: noai"),
        answer(b""),
        # Nor must it be sent to these.
        redirect("http://169.254.169.254/latest/meta-data/"),
    )
    await bird.capture(dataset, ["http://10.0.0.1/router.jpg", "http://127.0.0.1:1/refused.jpg"])
    await bird.settled(dataset)
    wanted = [image["id"] for image in await bird.images(dataset, obtainable="browser")]
    assert wanted == [image["id"] for image in images[:6]]
    statuses = [image["http_status"] for image in images]
    assert statuses[:7] == [401, 403, 429, 406, 200, 200, 200]
    assert [image["obtained_by"] for image in images[:7]] == [None] * 6 + ["server"]
    problem(
        await bird.get(f"/datasets/{dataset}/images", params={"obtainable": "magic"}),
        422,
        "invalid-request",
    )


@pytest.mark.parametrize("via", ["browser", "cached-copy"])
async def test_bytes_of_the_browser_make_it_ready_and_are_recorded(
    bird: Bird, site: Site, via: str
):
    dataset, (image,) = await rejected(bird, site, HOTLINK)
    final_url = "https://cdn.a.test/0.jpg"
    response = await put(bird, image, jpeg(), via, final_url=final_url)
    assert response.status_code == 200, response.text
    expected = {
        "status": "ready",
        "reason": None,
        "detail": None,
        "label": "cat",
        "http_status": 403,
        "obtained_by": via,
        "final_url": final_url,
        "width": 320,
        "duplicate_of": None,
    }
    assert response.json() | expected == response.json()
    assert (await bird.get(f"/images/{image['id']}/file")).content == jpeg()
    assert await bird.images(dataset, obtainable="browser") == []
    detail = (await bird.get(f"/images/{image['id']}")).json()
    assert [sighting["rank"] for sighting in detail["sightings"]] == [0]


async def test_the_same_bytes_again_change_nothing(bird: Bird, site: Site):
    _, (image,) = await rejected(bird, site, HOTLINK)
    first = (await put(bird, image, jpeg())).json()
    assert (await put(bird, image, jpeg(), "cached-copy")).json() == first
    body = problem(await put(bird, image, jpeg(seed=2)), 409, "image-not-obtainable")
    assert (body["image_status"], body["reason"]) == ("ready", None)
    assert (await bird.get(f"/images/{image['id']}")).json() | first == (
        await bird.get(f"/images/{image['id']}")
    ).json()


async def test_the_same_bytes_many_times_at_once_settle_it_once(bird: Bird, site: Site):
    dataset, (image,) = await rejected(bird, site, HOTLINK)
    answers = await asyncio.gather(*(put(bird, image, jpeg()) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert (await bird.counts(dataset))["status"]["ready"] == 1


async def test_different_bytes_at_once_leave_one_of_them(bird: Bird, site: Site):
    _, (image,) = await rejected(bird, site, HOTLINK)
    answers = await asyncio.gather(*(put(bird, image, jpeg(seed=n)) for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_bytes_that_the_dataset_has_make_a_duplicate(bird: Bird, site: Site):
    _, (first, image) = await rejected(bird, site, answer(jpeg()), HOTLINK)
    done = (await put(bird, image, jpeg())).json()
    assert (done["status"], done["duplicate_of"]) == ("duplicate", first["id"])
    assert done["obtained_by"] == "browser"


@pytest.mark.parametrize(
    ("data", "reason", "is_left"),
    [
        (HTML, "not-an-image", True),
        (jpeg()[:2000], "truncated", False),
        (encode(photo(8, 8), "PNG"), "too-small", False),
        (b"", "empty", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_bytes_that_are_no_image_settle_it_with_their_reason(
    bird: Bird, site: Site, data: bytes, reason: str, is_left: bool
):
    dataset, (image,) = await rejected(bird, site, HOTLINK)
    done = (await put(bird, image, data)).json()
    assert (done["status"], done["reason"]) == ("rejected", reason)
    assert (done["http_status"], done["obtained_by"], done["sha256"]) == (403, None, None)
    again = (await put(bird, image, data)).json()
    assert {**again, "settled_at": None} == {**done, "settled_at": None}, "an answer may be lost"
    # A page again: the person may not be signed in yet. Anything else is the image's own fault.
    assert bool(await bird.images(dataset, obtainable="browser")) == is_left


async def test_what_does_not_lack_bytes_of_a_browser_takes_none(bird: Bird, site: Site):
    _, (ready, gone) = await rejected(
        bird, site, answer(jpeg()), answer(b"", status="404 Not Found")
    )
    uploaded = await bird.upload(await bird.dataset(), jpeg(seed=5))
    for image, reason in ((ready, None), (gone, "http-status"), (uploaded, None)):
        body = problem(await put(bird, image, jpeg(seed=9)), 409, "image-not-obtainable")
        assert (body["image_status"], body["reason"]) == (image["status"], reason)
    problem(await put(bird, {"id": "nothing"}, jpeg()), 404, "image-not-found")


async def test_what_is_still_to_be_fetched_takes_none(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, ["http://a.test/1"])
    (image,) = await still.images(dataset)
    problem(await put(still, image, jpeg()), 409, "image-not-obtainable")


async def test_a_retry_of_the_server_forgets_the_answer_of_before(bird: Bird, site: Site):
    dataset, (image,) = await rejected(bird, site, HOTLINK)
    site.routes["/0.jpg"] = answer(jpeg())
    await bird.post(f"/datasets/{dataset}/images/retry", json={"reason": "http-status"})
    await bird.settled(dataset)
    (image,) = await bird.images(dataset)
    assert (image["obtained_by"], image["http_status"]) == ("server", 200)


@pytest.mark.parametrize(
    "fields",
    [{"via": "server"}, {"via": "upload"}, {"via": "magic"}, {"final_url": "javascript:x"}],
    ids=str,
)
async def test_odd_fields_are_refused(bird: Bird, site: Site, fields: dict[str, str]):
    _, (image,) = await rejected(bird, site, HOTLINK)
    problem(await put(bird, image, jpeg(), **fields), 422, "invalid-request")


async def test_more_bytes_than_a_download_may_have_are_refused(bird: Bird, site: Site):
    _, (image,) = await rejected(bird, site, HOTLINK)
    most = bird.settings.fetch.max_bytes
    problem(await put(bird, image, bytes(most + 1)), 413, "body-too-large")
    problem(await put(bird, image, bytes(most + 100_000)), 413, "body-too-large")


async def test_undo_takes_images_of_the_browser_back_too(bird: Bird, site: Site):
    dataset = await bird.dataset()
    site.routes |= {"/0.jpg": HOTLINK, "/1.jpg": HOTLINK, "/2.jpg": HOTLINK}
    urls = [site.url(f"/{number}.jpg") for number in range(3)]
    first = await bird.capture(dataset, urls[:2], "cat")
    await bird.settled(dataset)
    await bird.capture(dataset, urls[1:], "cat")
    await bird.settled(dataset)
    for number, image in enumerate(await bird.images(dataset)):
        # The third has the bytes of the first, so it is its duplicate until that is undone.
        data = jpeg(seed=number % 2)
        assert (await put(bird, image, data)).status_code == 200
    await bird.delete(f"/captures/{first['capture_id']}")
    left = await bird.images(dataset)
    assert [image["url"] for image in left] == urls[1:]
    assert [(i["status"], i["obtained_by"]) for i in left] == [("ready", "browser")] * 2
    captures = (await bird.get(f"/datasets/{dataset}/captures")).json()
    assert [(c["added"], c["known"]) for c in captures["items"]] == [(1, 1)]


async def test_an_upload_says_that_it_is_one(still: Bird):
    image = await still.upload(await still.dataset(), jpeg())
    assert (image["obtained_by"], image["http_status"]) == ("upload", None)


async def test_the_route_is_described(still: Bird):
    paths = (await still.client.get("/openapi.json")).json()
    operation = paths["paths"]["/api/v1/images/{image_id}/file"]["put"]
    assert "image-not-obtainable" in operation["description"]
    listing = paths["paths"]["/api/v1/datasets/{dataset_id}/images"]["get"]["parameters"]
    assert "obtainable" in {parameter["name"] for parameter in listing}


async def test_bytes_of_a_site_that_is_kept_out_are_not_taken(bird: Bird, site: Site):
    _, (image,) = await rejected(bird, site, HOTLINK)
    removal = {"site": "kept-out.test", "block": True}
    assert (await bird.post("/sites/removal", json=removal)).status_code == 200
    final_url = "https://cdn.kept-out.test/0.jpg"
    response = await put(bird, image, jpeg(), final_url=final_url)
    body = response.json()
    assert (body["status"], body["reason"]) == ("rejected", "opt-out")
    assert "kept-out.test" in body["detail"]
    digest = sha256_of(jpeg())
    assert not bird.parts.services.images._stores.blobs.exists(digest)

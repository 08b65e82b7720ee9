"""Answers of a model: by bytes, by address, in the first lesson's shape; and when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image

from server.contract.files import sha256_of
from tests.support.app import Bird, problem
from tests.support.images import HTML, encode, jpeg
from tests.support.played_trainer import coloured_dataset, plain, trained
from tests.support.site import Site, answer, redirect

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(shared: Bird) -> dict:
    """Return a live model that tells colours apart."""
    dataset = await coloured_dataset(shared, 6)
    return (await shared.get(f"/models/{await trained(shared, dataset)}")).json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pictures(model: dict) -> AsyncIterator[Site]:
    routes = {f"/{colour}.png": answer(plain(colour)) for colour in ("red", "green", "blue")}
    async with Site(routes) as site:
        yield site


@pytest.mark.parametrize("colour", ["red", "green", "blue"])
async def test_bytes_are_classified(shared: Bird, model, colour):
    data = plain(colour)
    response = await shared.post("/classify", files={"file": ("a.png", data)})
    assert response.status_code == 200
    said = response.json()
    assert said["label"] == colour
    assert (said["model_id"], said["dataset_id"]) == (model["id"], model["dataset_id"])
    assert said["sha256"] == sha256_of(data)
    assert said["predictions"][0] == {"label": colour, "probability": said["probability"]}
    values = [p["probability"] for p in said["predictions"]]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(1)
    assert said["abstained"] == (said["probability"] < said["threshold"])
    assert said["milliseconds"] > 0


async def test_an_address_is_fetched_and_classified(shared: Bird, pictures: Site):
    response = await shared.post("/classify", json={"url": pictures.url("/green.png")})
    assert response.json()["label"] == "green"


async def test_the_first_lessons_shape(shared: Bird, pictures: Site):
    url = pictures.url("/blue.png")
    response = await shared.client.get("/classify-url", params={"url": url})
    body = response.json()
    assert list(body) == ["predictions"]
    labels, values = zip(*body["predictions"], strict=True)
    assert labels[0] == "blue"
    assert sorted(labels) == ["blue", "green", "red"]
    assert list(values) == sorted(values, reverse=True)


@pytest.mark.parametrize(("top", "count"), [(1, 1), (2, 2), (3, 3), (99, 3)])
async def test_the_top_classes(shared: Bird, model, top, count):
    files = {"file": plain("red")}
    response = await shared.post("/classify", files=files, params={"top": top})
    assert len(response.json()["predictions"]) == count


async def test_a_model_is_chosen_by_id_by_dataset_or_as_the_newest_live_one(shared: Bird, model):
    other_dataset = await coloured_dataset(shared, 5)
    other = await trained(shared, other_dataset)
    candidate = await trained(shared, other_dataset)

    async def answers(**choice: str) -> str:
        files = {"file": plain("red")}
        return (await shared.post("/classify", files=files, params=choice)).json()["model_id"]

    assert await answers() == other
    assert await answers(dataset=model["dataset_id"]) == model["id"]
    assert await answers(dataset=other_dataset) == other
    assert await answers(model=candidate) == candidate
    await shared.post(f"/models/{other}/stage", json={"stage": "retired"})
    assert await answers() == model["id"]
    response = await shared.post(
        "/classify", files={"file": plain("red")}, params={"dataset": other_dataset}
    )
    problem(response, 409, "no-model")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (HTML, "not-an-image"), (jpeg()[:3000], "truncated")],
    ids=["empty", "html", "cut"],
)
async def test_bytes_that_are_no_image(shared: Bird, model, data, reason):
    response = await shared.post("/classify", files={"file": ("a.jpg", data)})
    assert problem(response, 422, "image-not-usable")["reason"] == reason


async def test_addresses_that_cannot_be_had_say_why(shared: Bird, pictures: Site):
    pictures.routes |= {
        "/html": answer(HTML),
        "/meta": redirect("http://169.254.169.254/latest/meta-data/"),
        "/loop": redirect("/loop"),
        "/empty": answer(b""),
        "/noai": answer(plain("red"), "X-Robots-Tag: noai"),
    }
    expected = {
        pictures.url("/nothing"): "http-status",
        pictures.url("/html"): "not-an-image",
        pictures.url("/meta"): "blocked-address",
        pictures.url("/loop"): "too-many-redirects",
        pictures.url("/empty"): "empty",
        pictures.url("/noai"): "opt-out",
        "http://10.0.0.1/a.jpg": "blocked-address",
        "http://[::1]/a.jpg": "blocked-address",
        "file:///etc/passwd": "bad-url",
        "nonsense": "bad-url",
    }
    for url, reason in expected.items():
        for response in (
            await shared.post("/classify", json={"url": url}),
            await shared.client.get("/classify-url", params={"url": url}),
        ):
            body = problem(response, 422, "image-not-usable")
            assert body["reason"] == reason, url


async def test_nothing_is_kept_of_what_is_classified(shared: Bird, model):
    blobs = shared.parts.services.images._stores.blobs
    data = jpeg(seed=4242)
    assert (await shared.post("/classify", files={"file": data})).status_code == 200
    assert not blobs.exists(sha256_of(data))


async def test_many_at_once_are_answered_right(shared: Bird, model):
    colours = ["red", "green", "blue"] * 4

    async def label(colour: str) -> str:
        response = await shared.post("/classify", files={"file": plain(colour)})
        return str(response.json()["label"])

    assert await asyncio.gather(*map(label, colours)) == colours


async def test_an_image_of_a_dataset_is_classified_by_its_id(shared: Bird, model):
    dataset = await shared.dataset()
    uploaded = await shared.upload(dataset, plain("green"), "green")
    said = (await shared.post("/classify", json={"image_id": uploaded["id"]})).json()
    assert (said["label"], said["sha256"]) == ("green", uploaded["sha256"])
    assert said["bundle_sha256"] == model["bundle_sha256"]
    problem(await shared.post("/classify", json={"image_id": "nothing"}), 404, "image-not-found")


@pytest.mark.parametrize(
    "body",
    [{}, {"url": "http://x.example", "image_id": "a"}, {"images": []}, {"images": [{}]},
     {"images": [{"image_id": "a"}] * 65}, {"images": [{"image_id": "a"}], "url": "x"}, [], "x"],
)  # fmt: skip
async def test_what_names_no_image_is_refused(shared: Bird, model, body):
    problem(await shared.post("/classify", json=body), 422, "invalid-request")


async def test_several_are_answered_in_their_order_and_each_error_is_its_own(
    shared: Bird, model, pictures: Site
):
    dataset = await shared.dataset()
    uploaded = await shared.upload(dataset, plain("blue"), "blue")
    images = [
        {"url": pictures.url("/red.png")},
        {"url": pictures.url("/nothing.png")},
        {"image_id": uploaded["id"]},
        {"image_id": "nothing"},
    ]
    body = {"images": images}
    response = await shared.post("/classify", json=body, params={"top": 1})
    red, gone, blue, unknown = response.json()["answers"]
    assert [one["answer"]["label"] for one in (red, blue)] == ["red", "blue"]
    assert len(red["answer"]["predictions"]) == 1
    assert (gone["answer"], gone["error"]["reason"]) == (None, "http-status")
    assert (unknown["error"]["kind"], unknown["error"]["reason"]) == ("image-not-found", None)


async def test_several_files_are_a_batch(shared: Bird, model):
    colours = ["red", "green", "blue"] * 21 + ["red"]
    files = [("file", (f"{n}.png", plain(colour))) for n, colour in enumerate(colours)]
    files[5] = ("file", ("page.html", HTML))
    answers = (await shared.post("/classify", files=files)).json()["answers"]
    assert len(answers) == 64
    assert answers[5]["error"]["reason"] == "not-an-image"
    said = [one["answer"]["label"] for one in answers if one["answer"]]
    assert said == [colour for n, colour in enumerate(colours) if n != 5]
    too_many = [*files, ("file", ("one.png", plain("red")))]
    assert (await shared.post("/classify", files=too_many)).status_code in {400, 422}


async def test_the_reason_for_abstaining_stands_beside_its_score(shared: Bird, model):
    sure = (await shared.post("/classify", files={"file": plain("red")})).json()
    assert sure["abstention"]["reason"] is None
    assert sure["abstention"]["score"] == "max_probability"
    assert sure["abstention"]["value"] == pytest.approx(sure["probability"])
    grey = encode(Image.new("RGB", (40, 40), (120, 120, 120)), "PNG")
    unsure = (await shared.post("/classify", files={"file": grey})).json()
    assert unsure["abstained"] is True
    assert unsure["abstention"]["reason"] == "unsure"
    assert unsure["abstention"]["value"] < unsure["abstention"]["threshold"]


async def test_a_mirrored_look_is_asked_for(shared: Bird, model):
    files = {"file": plain("red")}
    plainly = (await shared.post("/classify", files=files)).json()
    mirrored = (await shared.post("/classify", files=files, params={"tta": "flip"})).json()
    assert mirrored["label"] == "red"
    assert mirrored["probability"] == pytest.approx(plainly["probability"])  # colours have no side
    asked = await shared.post("/classify", files=files, params={"tta": "spin"})
    problem(asked, 422, "invalid-request")

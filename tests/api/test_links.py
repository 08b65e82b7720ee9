"""Links for others: what they grant, when they end, and that they open nothing else."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.services.links import MAX_LINKS
from tests.support.app import API, BASE_URL, Bird, Clock, in_one_task, problem, running
from tests.support.played_trainer import coloured_dataset, plain, trained


@pytest.fixture
async def bird(data_folder: Path) -> AsyncIterator[Bird]:
    """Return an application that keeps images of answers, without workers."""
    groups: dict[str, Any] = {
        "prediction_log": {"mode": "images"},
        "links": {"max_image_bytes": 65_536},
    }
    async with in_one_task(lambda: running(data_folder, workers=False, **groups)) as bird:
        yield bird


@pytest.fixture
async def dataset(bird: Bird) -> str:
    made = await coloured_dataset(bird, 5, "colours")
    await trained(bird, made)
    return made


async def link(bird: Bird, dataset: str, **wanted: Any) -> dict[str, Any]:
    response = await bird.post(f"/datasets/{dataset}/links", json={"name": "club"} | wanted)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    made["path"] = made["address"].removeprefix(BASE_URL)
    return made


def visitor(bird: Bird, address: str = "203.0.113.7") -> httpx2.AsyncClient:
    """Return a client without cookie or token that comes from an address."""
    transport = httpx2.ASGITransport(bird.app, client=(address, 4000))
    return httpx2.AsyncClient(transport=transport, base_url=BASE_URL)


async def ask(client: httpx2.AsyncClient, path: str, data: bytes | None = None) -> httpx2.Response:
    return await client.post(f"{path}/classify", files={"file": ("a.png", data or plain("red"))})


async def listed(bird: Bird, dataset: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await bird.get(f"/datasets/{dataset}/links")).json()["items"]
    return items


async def test_a_visitor_sees_the_page_the_model_and_an_answer(bird: Bird, dataset: str):
    made = await link(bird, dataset)
    async with visitor(bird) as guest:
        page = await guest.get(made["path"])
        assert page.status_code == 200
        assert "/assets/visit.js" in page.text
        told = (await guest.get(f"{made['path']}/model")).json()
        answer = await ask(guest, made["path"])
    assert (told["name"], sorted(told["classes"])) == ("colours", ["blue", "green", "red"])
    assert 0 <= told["error_rate"] < told["baseline_error_rate"] <= 1
    assert told["card"]
    assert (told["kept"], told["answers_per_hour"]) == ("off", 30)
    assert answer.status_code == 200, answer.text
    assert answer.json()["label"] == "red"
    assert set(answer.json()) == {
        "label", "probability", "abstained", "threshold", "predictions", "milliseconds",
    }  # fmt: skip


async def test_what_a_link_leads_to_is_private_and_sets_no_cookie(bird: Bird, dataset: str):
    path = (await link(bird, dataset))["path"]
    async with visitor(bird) as guest:
        answers = [await guest.get(path), await guest.get(f"{path}/model"), await ask(guest, path)]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers


async def test_the_secret_is_shown_once_and_neither_kept_nor_logged(
    bird: Bird, dataset: str, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO):
        path = (await link(bird, dataset))["path"]
        secret = path.removeprefix("/try/")
        async with visitor(bird) as guest:
            for odd in (path, f"{path}/model", f"{path}/no", f"/try//{secret}", f"/TRY/{secret}"):
                await guest.get(odd)
            await ask(guest, path)
    assert len(secret) == 43
    assert secret not in (await bird.get(f"/datasets/{dataset}/links")).text
    logged = [str(vars(record)) for record in caplog.records]
    assert any("/try/…/classify" in line for line in logged)
    assert not any(secret in line for line in logged if "server." in line)
    for file in bird.data.glob("bowerbird.db*"):
        assert secret.encode() not in file.read_bytes()


async def test_uses_are_counted_and_survive(bird: Bird, dataset: str):
    made = await link(bird, dataset)
    async with visitor(bird) as guest:
        for _ in range(3):
            await ask(guest, made["path"])
        await ask(guest, made["path"], b"no image")
    (found,) = await listed(bird, dataset)
    assert (found["answer_count"], found["name"], found["is_expired"]) == (3, "club", False)
    assert found["last_used_at"] is not None
    assert "address" not in found


@pytest.mark.parametrize("how", ["revoked", "expired", "never"])
async def test_a_link_that_does_not_work_says_so_by_the_same_words(
    bird: Bird, dataset: str, how: str
):
    made = await link(bird, dataset)
    path = made["path"]
    if how == "revoked":
        gone = await bird.delete(f"/datasets/{dataset}/links/{made['id']}")
        assert gone.status_code == 204
    elif how == "expired":
        bird.parts.services.links._clock = Clock(datetime.now(UTC) + timedelta(days=30, minutes=1))
        assert (await listed(bird, dataset))[0]["is_expired"]
    else:
        path = f"{path[:-1]}{'A' if path[-1] != 'A' else 'B'}"
    async with visitor(bird) as guest:
        page = await guest.get(path)
        assert page.status_code == 404
        assert "Ask whoever gave it to you for another" in page.text
        problem(await guest.get(f"{path}/model"), 404, "link-not-valid")
        refused = problem(await ask(guest, path), 404, "link-not-valid")
    assert refused["detail"] == (
        "this link has expired, was revoked, or never was; ask whoever gave it to you for another"
    )


async def test_the_secret_opens_nothing_else(bird: Bird, dataset: str):
    secret = (await link(bird, dataset))["path"].removeprefix("/try/")
    bearer = {"Authorization": f"Bearer {secret}"}
    paths = [path for path, verbs in bird.app.openapi()["paths"].items() if "get" in verbs]
    private = [path for path in paths if path.startswith(f"{API}/")]
    assert len(private) > 30
    async with visitor(bird) as guest:
        for path in private:
            answer = await guest.get(path.replace("{dataset_id}", dataset), headers=bearer)
            assert answer.status_code == 401, path
        for path in ("datasets", "../api/v1/datasets", "images", f"datasets/{dataset}/images"):
            answer = await guest.get(f"/try/{secret}/{path}")
            assert answer.status_code in {401, 404}, path


async def test_a_visitor_cannot_make_the_server_fetch_nor_name_an_image(bird: Bird, dataset: str):
    path = (await link(bird, dataset))["path"]
    (image, *_) = await bird.images(dataset)
    async with visitor(bird) as guest:
        for body in ({"url": "http://127.0.0.1/a.png"}, {"image_id": image["id"]}):
            problem(await guest.post(f"{path}/classify", json=body), 422, "invalid-request")
        fields = await guest.post(f"{path}/classify", files={"url": (None, "http://127.0.0.1/")})
        problem(fields, 422, "invalid-request")
        two = [("file", ("a.png", plain("red"))), ("file", ("b.png", plain("blue")))]
        assert (await guest.post(f"{path}/classify", files=two)).status_code == 400
        # Another model than the dataset's live one cannot be asked for.
        assert (await ask(guest, f"{path}")).status_code == 200


async def test_a_body_over_the_visitors_cap_is_refused(bird: Bird, dataset: str):
    path = (await link(bird, dataset))["path"]
    async with visitor(bird) as guest:
        problem(await ask(guest, path, bytes(65_537)), 413, "body-too-large")
        over = await ask(guest, path, bytes(65_536 + 128 * 1024))
        assert over.status_code == 413
        assert (await ask(guest, path, plain("blue"))).json()["label"] == "blue"


async def test_one_address_has_so_many_answers_an_hour(bird: Bird, dataset: str):
    path = (await link(bird, dataset, answers_per_hour=2))["path"]
    async with visitor(bird) as guest, visitor(bird, "203.0.113.8") as other:
        assert [(await ask(guest, path)).status_code for _ in range(2)] == [200, 200]
        response = await ask(guest, path)
        refused = problem(response, 429, "allowance-used")
        assert 1700 < int(response.headers["retry-after"]) <= 1800
        assert refused["retry_after_s"] == int(response.headers["retry-after"])
        assert (await ask(other, path)).status_code == 200


async def test_all_visitors_share_the_answers_of_a_day(bird: Bird, dataset: str):
    path = (await link(bird, dataset, answers_per_day=2))["path"]
    said = []
    for number in range(3):
        async with visitor(bird, f"203.0.113.{number}") as guest:
            said.append((await ask(guest, path)).status_code)
    assert said == [200, 200, 429]


@pytest.mark.parametrize("does_keep", [True, False])
async def test_answers_are_kept_only_where_the_link_says_so(
    bird: Bird, dataset: str, does_keep: bool
):
    path = (await link(bird, dataset, does_keep=does_keep))["path"]
    async with visitor(bird) as guest:
        assert (await guest.get(f"{path}/model")).json()["kept"] == (
            "images" if does_keep else "off"
        )
        await ask(guest, path)
    (model,) = (await bird.get("/models")).json()["items"]
    kept = (await bird.get(f"/models/{model['id']}/predictions")).json()["items"]
    assert len(kept) == int(does_keep)


async def test_a_dataset_has_so_many_links_and_no_more(bird: Bird, dataset: str):
    for _ in range(MAX_LINKS):
        await link(bird, dataset)
    refused = await bird.post(f"/datasets/{dataset}/links", json={"name": "one more"})
    problem(refused, 409, "too-many-links")


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "a", "answers_per_hour": 0},
        {"name": "a", "answers_per_day": 0},
        {"name": "a", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "a", "expires_at": "2999-01-01T00:00:00Z"},
        {"name": "a", "expires_at": "2026-12-01T00:00:00"},
        {"name": "a", "secret": "mine"},
    ],
)
async def test_an_odd_wish_is_refused(bird: Bird, dataset: str, body: dict[str, Any]):
    problem(await bird.post(f"/datasets/{dataset}/links", json=body), 422, "invalid-request")


async def test_links_are_of_one_dataset(bird: Bird, dataset: str):
    made, other = await link(bird, dataset), await bird.dataset()
    problem(await bird.delete(f"/datasets/{other}/links/{made['id']}"), 404, "link-not-found")
    problem(await bird.get("/datasets/none/links"), 404, "dataset-not-found")
    problem(await bird.post("/datasets/none/links", json={"name": "a"}), 404, "dataset-not-found")
    lonely = await link(bird, other)
    async with visitor(bird) as guest:
        problem(await guest.get(f"{lonely['path']}/model"), 409, "no-model")
        problem(await ask(guest, lonely["path"]), 409, "no-model")


async def test_a_foreign_page_or_host_cannot_use_a_link(bird: Bird, dataset: str):
    path = (await link(bird, dataset))["path"]
    async with visitor(bird) as guest:
        guest.headers["origin"] = "https://elsewhere.example"
        problem(await ask(guest, path), 403, "foreign-origin")
        del guest.headers["origin"]
        guest.headers["host"] = "elsewhere.example"
        problem(await guest.get(path), 421, "foreign-host")


async def test_try_alone_leads_who_is_signed_in_to_the_page(bird: Bird):
    async with visitor(bird) as guest:
        alone = await guest.get("/try")
        assert alone.status_code == 200
        assert "This page needs a link" in alone.text
        text = (await bird.post("/tokens", json={"name": "t"})).json()["token"]
        signed_in = await guest.post(f"{API}/session", json={"token": text})
        assert signed_in.is_success, signed_in.text
        led = await guest.get("/try")
        assert (led.status_code, led.headers["location"]) == (303, "/#/try")

"""Every failure is one problem document, whatever failed."""

from __future__ import annotations

import logging

import httpx2
import pytest

from server.api import problems
from tests.support.app import Bird, problem
from tests.support.images import jpeg

# One application for all: no test here changes what another sees.
pytestmark = pytest.mark.asyncio(loop_scope="module")

ID = "01JDZZZZZZZZZZZZZZZZZZZZZZ"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "slug"),
    [
        ("GET", "/nowhere", {}, 404, "not-found"),
        ("GET", "/assets/nothing.js", {}, 404, "not-found"),
        ("GET", "/problems/no-such-slug", {}, 404, "not-found"),
        ("PUT", "/api/v1/datasets", {}, 405, "method-not-allowed"),
        ("GET", f"/api/v1/datasets/{ID}", {}, 404, "dataset-not-found"),
        ("GET", f"/api/v1/datasets/{ID}/labels", {}, 404, "dataset-not-found"),
        ("GET", f"/api/v1/datasets/{ID}/images", {}, 404, "dataset-not-found"),
        ("GET", f"/api/v1/datasets/{ID}/captures", {}, 404, "dataset-not-found"),
        ("GET", f"/api/v1/datasets/{ID}/snapshots", {}, 404, "dataset-not-found"),
        ("GET", f"/api/v1/datasets/{ID}/events", {}, 404, "dataset-not-found"),
        ("POST", f"/api/v1/datasets/{ID}/snapshots", {}, 404, "dataset-not-found"),
        ("POST", f"/api/v1/datasets/{ID}/images/retry", {}, 404, "dataset-not-found"),
        ("POST", f"/api/v1/datasets/{ID}/known", {"json": {"urls": []}}, 404, "dataset-not-found"),
        ("DELETE", f"/api/v1/datasets/{ID}", {}, 404, "dataset-not-found"),
        ("PATCH", f"/api/v1/labels/{ID}", {"json": {"name": "x"}}, 404, "label-not-found"),
        ("DELETE", f"/api/v1/labels/{ID}", {}, 404, "label-not-found"),
        ("DELETE", f"/api/v1/captures/{ID}", {}, 404, "capture-not-found"),
        ("GET", f"/api/v1/images/{ID}", {}, 404, "image-not-found"),
        ("GET", f"/api/v1/images/{ID}/file", {}, 404, "image-not-found"),
        ("GET", f"/api/v1/images/{ID}/thumbnail", {}, 404, "image-not-found"),
        ("PATCH", f"/api/v1/images/{ID}", {"json": {}}, 404, "image-not-found"),
        ("GET", f"/api/v1/blobs/{'0' * 64}", {}, 404, "blob-not-found"),
        ("GET", "/api/v1/blobs/..%2f..%2fetc%2fpasswd", {}, 404, "not-found"),
        ("GET", "/api/v1/blobs/token", {}, 404, "blob-not-found"),
        ("GET", f"/api/v1/snapshots/{ID}", {}, 404, "snapshot-not-found"),
        ("GET", f"/api/v1/snapshots/{ID}/manifest", {}, 404, "snapshot-not-found"),
        ("POST", f"/api/v1/snapshots/{ID}/jobs", {}, 404, "snapshot-not-found"),
        ("GET", f"/api/v1/jobs/{ID}", {}, 404, "job-not-found"),
        ("POST", f"/api/v1/jobs/{ID}/cancel", {}, 404, "job-not-found"),
        ("GET", f"/api/v1/models/{ID}", {}, 404, "model-not-found"),
        ("GET", f"/api/v1/models/{ID}/bundle", {}, 404, "model-not-found"),
        (
            "POST",
            f"/api/v1/models/{ID}/stage",
            {"json": {"stage": "live"}},
            404,
            "model-not-found",
        ),
        ("DELETE", f"/api/v1/tokens/{ID}", {}, 404, "token-not-found"),
        ("GET", f"/classify-url?url=http://a.test/&model={ID}", {}, 404, "model-not-found"),
        ("GET", f"/classify-url?url=http://a.test/&dataset={ID}", {}, 404, "dataset-not-found"),
        ("GET", "/classify-url?url=http://a.test/", {}, 409, "no-model"),
        ("GET", "/classify-url", {}, 422, "invalid-request"),
        ("POST", "/api/v1/classify", {"json": {}}, 422, "invalid-request"),
        ("POST", "/api/v1/classify", {"content": b"{", "headers": JSON}, 422, "invalid-request"),
        ("POST", "/api/v1/classify", {"files": {"other": b"x"}}, 422, "invalid-request"),
        (
            "POST",
            "/api/v1/classify",
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
            400,
            "bad-request",
        ),
        ("POST", "/api/v1/classify?top=0", {"json": {"url": "x"}}, 422, "invalid-request"),
        ("GET", "/api/v1/datasets?limit=0", {}, 422, "invalid-request"),
        ("GET", "/api/v1/datasets?limit=501", {}, 422, "invalid-request"),
        ("GET", "/api/v1/datasets?cursor=x", {}, 422, "invalid-cursor"),
        ("GET", "/api/v1/jobs?state=lost", {}, 422, "invalid-request"),
        ("POST", "/api/v1/datasets", {"content": b"{", "headers": JSON}, 422, "invalid-request"),
        ("POST", "/api/v1/datasets", {"content": b"a=b"}, 422, "invalid-request"),
        ("POST", "/api/v1/datasets", {"json": {"nmae": "x"}}, 422, "invalid-request"),
        ("GET", "/sign-in", {}, 422, "invalid-request"),
        ("GET", "/sign-in?code=x", {}, 403, "sign-in-code-invalid"),
    ],
)
async def test_every_failure_is_a_problem(shared: Bird, method, path, options, status, slug):
    response = await shared.client.request(method, path, **options)

    body = problem(response, status, slug)
    assert (await shared.client.get(body["type"])).status_code == 200, "its type is documented"
    if slug == "invalid-request":
        assert all(found["pointer"].startswith("/") for found in body["errors"])


async def test_a_wrong_method_names_the_right_ones(shared: Bird):
    response = await shared.client.put("/api/v1/datasets")
    assert set(response.headers["allow"].split(", ")) <= {"GET", "POST"}


async def test_a_bug_says_nothing_of_itself_but_the_log_does(shared: Bird, monkeypatch, caplog):
    async def break_down(_page: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(shared.parts.services.datasets, "list_page", break_down)
    with caplog.at_level(logging.INFO):
        response = await shared.get("/datasets")
    body = problem(response, 500, "internal")
    assert "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "a secret detail" in caplog.text
    finished = [r for r in caplog.records if r.message == "request"]
    assert [r.status for r in finished] == [500]
    assert body["detail"] == "see the server's log"


async def test_a_body_over_the_cap_is_refused_before_it_is_read(shared: Bird):
    async def endless():
        while True:
            yield b" " * 65536

    dataset = await shared.dataset()
    cap = shared.settings.http.max_json_bytes
    for response in (
        await shared.post("/datasets", content=b" " * (cap + 1), headers=JSON),
        await shared.post("/datasets", content=endless(), headers=JSON),
        await shared.post(f"/datasets/{dataset}/captures", content=endless(), headers=JSON),
        await shared.post(f"/datasets/{dataset}/images", files={"file": b" " * (22 * 1024**2)}),
        await shared.post("/classify", files={"file": b" " * (22 * 1024**2)}),
    ):
        problem(response, 413, "body-too-large")


async def test_an_image_over_the_cap_but_within_the_form_is_refused_alike(shared: Bird):
    dataset = await shared.dataset()
    files = {"file": b" " * (shared.settings.fetch.max_bytes + 1)}
    problem(await shared.post(f"/datasets/{dataset}/images", files=files), 413, "body-too-large")
    problem(await shared.post("/classify", files=files), 413, "body-too-large")


async def test_a_range_that_cannot_be_served_is_a_problem(shared: Bird):
    image = await shared.upload(await shared.dataset(), jpeg())
    path = f"/images/{image['id']}/file"
    for asked in ("bytes=-0", "bytes=9999999-"):
        response = await shared.get(path, headers={"Range": asked})
        problem(response, 416, "requested-range-not-satisfiable")
        assert response.headers["content-range"] == f"bytes */{image['bytes']}"
    for asked in ("bytes=a-b", "lines=1-2"):
        problem(await shared.get(path, headers={"Range": asked}), 400, "bad-request")


async def test_every_kind_of_problem_is_described_to_anyone(shared: Bird):
    async with shared.anonymous() as client:
        for slug in {error.slug for error in problems.STATUS} | {"internal", "invalid-request"}:
            response = await client.get(f"/problems/{slug}")
            assert response.status_code == 200
            assert response.json()["type"] == f"/problems/{slug}"
            assert response.json()["title"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs",
        "/favicon.ico",
        "/healthz",
        "/assets/main.js",
        "/api/v1/datasets",
        "/api/v1/nothing",
        "/problems/x",
    ],
)
async def test_every_answer_is_marked_and_guarded(shared: Bird, path):
    response: httpx2.Response = await shared.client.get(path)
    assert response.headers["x-bowerbird"] == "1"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"


LONE = "\\ud800"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/datasets", '{"name": "%s"}'),
        ("/datasets", '{"name": "x", "description": "%s"}'),
        ("/datasets/{d}/labels", '{"name": "%s"}'),
        ("/datasets/{d}/known", '{"urls": ["%s"]}'),
        ("/datasets/{d}/images/bulk", '{"ids": ["%s"], "set": {}}'),
        ("/pairings/redeem", '{"code": "%s", "client": "x"}'),
        ("/session", '{"token": "%s"}'),
        ("/classify", '{"url": "%s"}'),
        ("/jobs/x/fail", '{"worker": "w", "error": {"kind": "k", "detail": "%s"}}'),
        ("/jobs/x/progress", '{"worker": "w", "progress": {"phase": "%s", "done": 1, "total": 1}}'),
    ],
)
async def test_text_that_is_not_unicode_is_no_bug(shared: Bird, path, body):
    dataset = await shared.dataset()
    content = (body % LONE).encode()
    response = await shared.post(path.format(d=dataset), content=content, headers=JSON)
    assert response.status_code < 500, response.text

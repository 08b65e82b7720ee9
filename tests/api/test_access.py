"""Who is let in: tokens, pairing; and from where: Host, Origin, the browser's own word."""

from __future__ import annotations

import asyncio
import re

import pytest

from server.contract.recipes import HeadRecipe
from server.services.access import TokenKind
from server.services.pairing import ALPHABET
from tests.support.app import Bird, Clock, problem, running
from tests.support.played_trainer import coloured_dataset, job, plain, snapshot

EXTENSION = "chrome-extension://abcdefghijklmnopabcdefghijklmnop"
FOX = "moz-extension://6f1c1b2e-1a5e-4b0e-9d1c-3f5b6a7c8d9e"
REDEEM = "/api/v1/pairings/redeem"
# What anyone may ask: health, the pages' shell, the doors themselves, and what a link for others
# opens: its secret stands for a token.
PUBLIC = {
    ("GET", "/"),
    ("GET", "/favicon.ico"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/problems/{slug}"),
    ("GET", "/sign-in"),
    ("POST", "/api/v1/pairings/redeem"),
    ("POST", "/api/v1/session"),
    ("GET", "/try/{secret}/model"),
    ("POST", "/try/{secret}/classify"),
}


async def open_pairing(bird: Bird) -> str:
    response = await bird.post("/pairings")
    assert response.status_code == 201
    return str(response.json()["code"])


async def redeem(bird: Bird, code: str, origin: str | None = EXTENSION):
    headers = {} if origin is None else {"Origin": origin}
    async with bird.anonymous(**headers) as client:
        return await client.post(REDEEM, json={"code": code, "client": "Chromium"})


# --- tokens


async def test_every_route_of_the_document_needs_a_token(still: Bird):
    paths = (await still.client.get("/openapi.json")).json()["paths"]
    asked = {(m.upper(), p) for p, methods in paths.items() for m in methods} - PUBLIC
    assert len(asked) > 40
    async with still.anonymous() as client:
        for method, path in sorted(asked):
            response = await client.request(method, re.sub(r"\{\w+\}", "x", path))
            problem(response, 401, "unauthenticated")
            assert response.headers["www-authenticate"] == "Bearer"


async def test_no_other_route_is_public(still: Bird):
    schema = (await still.client.get("/openapi.json")).json()["paths"]
    documented = {(m.upper(), p) for p, methods in schema.items() for m in methods}
    async with still.anonymous() as client:
        for method, path in documented & PUBLIC:
            assert (await client.request(method, path)).status_code != 401
    assert {p for m, p in documented & PUBLIC} == {
        "/healthz",
        "/readyz",
        "/api/v1/pairings/redeem",
        "/api/v1/session",
        "/try/{secret}/model",
        "/try/{secret}/classify",
    }


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer wrong", "Bearer \xff", "Basic dTpw", "bb_0", ""],
    ids=["empty", "wrong", "not ascii", "basic", "bare", "blank"],
)
async def test_what_is_no_token_is_refused(still: Bird, header):
    async with still.anonymous() as client:
        response = await client.get("/api/v1/datasets", headers={b"Authorization": header.encode()})
    problem(response, 401, "unauthenticated")


async def test_a_token_works_until_it_is_revoked(still: Bird):
    made = (await still.post("/tokens", json={"name": "note  book"})).json()
    assert made["name"] == "note book"
    async with still.anonymous(Authorization=f"Bearer {made['token']}") as client:
        server = (await client.get("/api/v1/server")).json()
        assert server["token"] == {"name": "note book", "kind": "api"}
        listed = (await still.get("/tokens")).json()["items"]
        (token,) = [t for t in listed if t["id"] == made["id"]]
        assert token["last_used_at"].endswith("Z")
        assert "token" not in token
        assert (await still.delete(f"/tokens/{made['id']}")).status_code == 204
        problem(await client.get("/api/v1/server"), 401, "unauthenticated")
    problem(await still.delete(f"/tokens/{made['id']}"), 404, "token-not-found")


async def test_only_the_hash_of_a_token_is_kept(still: Bird):
    made = (await still.post("/tokens", json={"name": "x"})).json()
    for path in still.data.glob("bowerbird.db*"):
        assert made["token"].encode() not in path.read_bytes()


async def test_tokens_of_the_server_itself_are_not_listed(still: Bird):
    access = still.parts.services.access
    await access.create("owner", TokenKind.OWNER)
    await access.create("trainer", TokenKind.TRAINER)
    kinds = {token["kind"] for token in (await still.get("/tokens")).json()["items"]}
    assert kinds == {"api"}


async def test_metrics_need_a_token_and_health_does_not(still: Bird):
    async with still.anonymous() as client:
        problem(await client.get("/metrics"), 401, "unauthenticated")
        assert (await client.get("/healthz")).json()["status"] == "ok"
        assert (await client.get("/readyz")).json()["status"] == "ok"
    assert "process_cpu_seconds_total" in (await still.client.get("/metrics")).text


async def test_what_the_server_says_of_itself(still: Bird):
    server = (await still.get("/server")).json()
    assert server["name"] == "bowerbird"
    assert server["api_version"] == 1
    assert server["trainer"]["enabled"] is False
    assert server["extension_path"].endswith("/extension")
    assert server["backbones"][0] == HeadRecipe().backbone
    assert "resnet34" in server["backbones"]


async def test_the_disk_is_told_with_what_is_shared_counted_once(still: Bird):
    before = (await still.get("/server/disk")).json()
    assert before["images_bytes"] == 0
    assert before["free_bytes"] > 0
    data = plain("red")
    for _ in range(2):
        await still.upload(await still.dataset(), data, "red")
    assert (await still.get("/server/disk")).json()["images_bytes"] == len(data)


async def test_a_trainers_token_does_a_trainers_work_alone(still: Bird):
    dataset = await coloured_dataset(still, 6)
    made = await snapshot(still, dataset)
    await job(still, made["id"])
    blob = (await still.images(dataset))[0]["sha256"]
    text, _ = await still.parts.services.access.create("trainer", TokenKind.TRAINER)
    async with still.anonymous(Authorization=f"Bearer {text}") as trainer:
        claim = await trainer.post("/api/v1/jobs/claim", json={"worker": "w"})
        for path in (
            "/api/v1/server",
            f"/api/v1/snapshots/{made['id']}",
            f"/api/v1/snapshots/{made['id']}/manifest",
            f"/api/v1/blobs/{blob}",
        ):
            assert (await trainer.get(path)).status_code == 200, path
        path = f"/api/v1/jobs/{claim.json()['job']['id']}"
        progress = {"worker": "w", "progress": {"phase": "blobs", "done": 1, "total": 2}}
        assert (await trainer.post(f"{path}/progress", json=progress)).status_code == 200
        gone = {"worker": "w", "error": {"kind": "gone", "detail": "x"}}
        assert (await trainer.post(f"{path}/fail", json=gone)).status_code == 204
        paths = (await still.client.get("/openapi.json")).json()["paths"]
        work = {
            "/api/v1/server",
            "/api/v1/blobs/{sha256}",
            "/api/v1/removed-blobs",
            "/api/v1/models/{model_id}/bundle",
            "/api/v1/jobs/claim",
        }
        for template, methods in paths.items():
            if template.startswith("/api/v1/jobs/{job_id}/") and not template.endswith("/cancel"):
                continue
            if template in work or template.startswith("/api/v1/snapshots/{snapshot_id}"):
                continue
            for method in methods:
                if (method.upper(), template) not in PUBLIC:
                    url = re.sub(r"\{\w+\}", "x", template)
                    problem(await trainer.request(method, url), 403, "token-scope")
        problem(await trainer.post(f"/api/v1/snapshots/{made['id']}/jobs"), 403, "token-scope")
        session = await trainer.post("/api/v1/session", json={"token": text})
        problem(session, 403, "token-scope")


# --- pairing


@pytest.mark.parametrize(
    "spell",
    [str, str.lower, lambda c: f"{c[:3]}-{c[3:]}", lambda c: f" {c[:3]} {c[3:].lower()} "],
    ids=["as shown", "lower", "dash", "spaces"],
)
async def test_the_right_code_pairs(still: Bird, spell):
    code = await open_pairing(still)
    assert len(code) == 6
    assert set(code) <= set(ALPHABET)
    response = await redeem(still, spell(code))
    assert response.status_code == 201
    paired = response.json()
    assert paired["name"] == "Chromium"
    headers = {"Authorization": f"Bearer {paired['token']}", "Origin": EXTENSION}
    async with still.anonymous(**headers) as client:
        assert (await client.get("/api/v1/server")).json()["token"]["kind"] == "extension"
    (listed,) = [
        t for t in (await still.get("/tokens")).json()["items"] if t["kind"] == "extension"
    ]
    assert (listed["id"], listed["origin"]) == (paired["token_id"], EXTENSION)


async def test_no_code_pairs_when_none_is_open(still: Bird):
    problem(await redeem(still, "AAAAAA"), 403, "pairing-not-open")


async def test_a_code_works_once(still: Bird):
    code = await open_pairing(still)
    answers = await asyncio.gather(*(redeem(still, code) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [201, 403, 403, 403, 403]
    problem(await redeem(still, code), 403, "pairing-not-open")


async def test_a_new_code_voids_the_former(still: Bird):
    former = await open_pairing(still)
    code = await open_pairing(still)
    problem(await redeem(still, former), 403, "pairing-code-wrong")
    assert (await redeem(still, code)).status_code == 201


async def test_five_wrong_codes_lock_even_the_right_one(still: Bird):
    code = await open_pairing(still)
    wrong = "222222" if code != "222222" else "333333"
    for left in (4, 3, 2, 1):
        body = problem(await redeem(still, wrong), 403, "pairing-code-wrong")
        assert body["attempts_left"] == left
    problem(await redeem(still, wrong), 429, "pairing-locked")
    problem(await redeem(still, code), 429, "pairing-locked")
    assert (await redeem(still, await open_pairing(still))).status_code == 201


async def test_a_code_runs_out(still: Bird):
    clock = Clock()
    still.parts.services.pairing._clock = clock
    code = await open_pairing(still)
    clock.advance(minutes=10)
    problem(await redeem(still, code), 403, "pairing-not-open")


async def test_a_program_without_an_origin_may_pair(still: Bird):
    assert (await redeem(still, await open_pairing(still), origin=None)).status_code == 201


async def test_an_extension_is_let_in_by_pairing_and_out_by_revoking(still: Bird):
    headers = {"Origin": EXTENSION}
    problem(await still.get("/datasets", headers=headers), 403, "foreign-origin")
    token_id = (await redeem(still, await open_pairing(still))).json()["token_id"]
    assert (await still.get("/datasets", headers=headers)).status_code == 200
    problem(await still.get("/datasets", headers={"Origin": FOX}), 403, "foreign-origin")
    await still.delete(f"/tokens/{token_id}")
    problem(await still.get("/datasets", headers=headers), 403, "foreign-origin")


async def test_pairings_are_known_after_a_restart(still: Bird):
    await redeem(still, await open_pairing(still), FOX)
    access = still.parts.services.access
    access._origins = frozenset()
    await access.load_origins()
    assert (await still.get("/datasets", headers={"Origin": FOX})).status_code == 200


# --- from where


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8000", "localhost:1234", "LOCALHOST", "[::1]:8000", "localhost.:80"],
)
async def test_the_server_answers_to_its_own_names(still: Bird, host):
    assert (await still.get("/datasets", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "127.0.0.1.evil.test",
        "localhost.evil.test:8000",
        "evil.test:127.0.0.1",
        "127.0.0.1@evil.test",
        "evil.test@127.0.0.1",
        "evil.test#127.0.0.1",
        "127.0.0.1/evil.test",
        "127.0.0.2",
        "0.0.0.0:8000",
        "[::]:8000",
        "[::ffff:127.0.0.1]",
        "[::1",
        "127.1",
        "localhost..",
        "192.168.0.1",
        "",
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_the_server_answers_to_no_other_name(shared: Bird, host):
    for path in ("/", "/healthz", "/api/v1/datasets", "/assets/main.js"):
        problem(await shared.client.get(path, headers={"Host": host}), 421, "foreign-host")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.test",
        "https://evil.test",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:9000",
        "http://localhost:8000",
        "http://127.0.0.1:8000.evil.test",
        "http://127.0.0.1:8000@evil.test",
        "http://user@127.0.0.1:8000",
        "http://[::1",
        "ftp://127.0.0.1:8000",
        "file://",
        EXTENSION,
        FOX,
        "chrome-extension://",
        "",
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_foreign_origin_is_refused(shared: Bird, origin):
    headers = {"Origin": origin}
    for method, path in (
        ("GET", "/api/v1/datasets"),
        ("POST", "/api/v1/datasets"),
        ("GET", "/healthz"),
        ("GET", "/classify-url?url=http://a.test/"),
        ("POST", "/api/v1/session"),
        ("OPTIONS", "/api/v1/datasets"),
    ):
        response = await shared.client.request(method, path, headers=headers)
        problem(response, 403, "foreign-origin")
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://127.0.0.1:9000"])
async def test_a_page_may_not_redeem_a_code(still: Bird, origin):
    problem(await redeem(still, await open_pairing(still), origin), 403, "foreign-origin")


async def test_our_own_page_may_call(still: Bird):
    headers = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    response = await still.post("/datasets", json={"name": "x"}, headers=headers)
    assert response.status_code == 201


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/datasets", 403), ("/classify-url?url=http://a.test/", 403), ("/", 200)],
)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_that_embeds_the_api_is_refused_and_a_link_is_not(
    still: Bird, path, status, site
):
    response = await still.client.get(path, headers={"Sec-Fetch-Site": site})
    assert response.status_code == status


async def test_names_of_the_settings_are_answered_to(data_folder):
    async with running(data_folder, workers=False, http={"host_names": "nas.local"}) as bird:
        for host in ("nas.local:8000", "127.0.0.1:8000"):
            assert (await bird.get("/datasets", headers={"Host": host})).status_code == 200
        problem(await bird.get("/datasets", headers={"Host": "nas"}), 421, "foreign-host")

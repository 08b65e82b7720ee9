"""Signing the web pages in and out: one-time links, a pasted token, the cookie."""

from __future__ import annotations

from http.cookies import SimpleCookie

from tests.support.app import Bird, Clock, problem


async def sign_in_link(bird: Bird) -> str:
    response = await bird.post("/sign-in-codes")
    assert response.status_code == 201
    link = str(response.json()["url"])
    assert link.startswith("http://127.0.0.1:8000/sign-in?code=")
    return link


async def test_a_link_signs_in_once(still: Bird):
    link = await sign_in_link(still)
    async with still.anonymous() as client:
        response = await client.get(link)
        assert (response.status_code, response.headers["location"]) == (303, "/")
        cookie = SimpleCookie(response.headers["set-cookie"])["bowerbird_session_8000"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "strict"
        assert not cookie["secure"], "plain http on loopback"
        who = (await client.get("/api/v1/server")).json()["token"]
        assert who["kind"] == "web"
    async with still.anonymous() as other:
        problem(await other.get(link), 403, "sign-in-code-invalid")


async def test_a_person_with_a_spent_link_gets_the_page_that_names_the_other_ways(still: Bird):
    async with still.anonymous(Accept="text/html,*/*;q=0.8") as client:
        response = await client.get("/sign-in?code=spent")
        assert (response.status_code, response.headers["location"]) == (303, "/?link=spent")
        assert "set-cookie" not in response.headers
        assert (await client.get("/?link=spent")).status_code == 200


async def test_a_link_runs_out(still: Bird):
    clock = Clock()
    still.parts.services.sign_in._clock = clock
    link = await sign_in_link(still)
    clock.advance(minutes=30)
    async with still.anonymous() as client:
        problem(await client.get(link), 403, "sign-in-code-invalid")


async def test_links_that_nobody_follows_do_not_pile_up(still: Bird):
    sign_in = still.parts.services.sign_in
    first, _ = sign_in.open()
    codes = [sign_in.open()[0] for _ in range(100)]
    assert len(sign_in._codes) == 100
    assert first not in sign_in._codes
    assert codes[-1] in sign_in._codes


async def test_signing_out_ends_the_session(still: Bird):
    async with still.anonymous() as client:
        problem(await client.post("/api/v1/session", json={"token": "x"}), 401, "unauthenticated")
        assert (
            await client.post("/api/v1/session", json={"token": still.token})
        ).status_code == 204
        kept = dict(client.cookies)
        assert (await client.get("/api/v1/datasets")).status_code == 200
        response = await client.delete("/api/v1/session")
        assert response.status_code == 204
        assert not dict(client.cookies)
        client.cookies.update(kept)
        problem(await client.get("/api/v1/datasets"), 401, "unauthenticated")


async def test_signing_out_with_a_bearer_token_leaves_the_token(still: Bird):
    assert (await still.delete("/session")).status_code == 204
    assert (await still.get("/datasets")).status_code == 200


async def test_a_cookie_of_another_port_is_not_ours(still: Bird):
    async with still.anonymous(Cookie=f"bowerbird_session_9000={still.token}") as client:
        problem(await client.get("/api/v1/datasets"), 401, "unauthenticated")

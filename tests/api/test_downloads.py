"""Downloads as the API shows them: pausing, the log of attempts, the live rate."""

from __future__ import annotations

import asyncio

from tests.support.app import Bird, eventually, problem
from tests.support.images import HTML, jpeg
from tests.support.site import Site, answer, redirect

BUSY = answer(b"", status="503 Service Unavailable")


async def test_a_dataset_is_paused_and_goes_on(bird: Bird, site: Site):
    site.routes["/a.jpg"] = answer(jpeg())
    dataset = await bird.dataset()
    assert (await bird.get(f"/datasets/{dataset}")).json()["paused"] is False
    paused = await bird.post(f"/datasets/{dataset}/pause")
    assert (paused.status_code, paused.json()["paused"]) == (200, True)
    await bird.capture(dataset, [site.url("/a.jpg")])
    other = await bird.dataset()
    await bird.capture(other, [site.url("/404.jpg")])
    await bird.settled(other)
    assert (await bird.counts(dataset))["status"]["queued"] == 1
    shown = (await bird.get("/server")).json()["downloads"]
    assert shown["queued"] == 0, "what is paused waits for a person, not for us"
    resumed = await bird.post(f"/datasets/{dataset}/resume")
    assert (resumed.status_code, resumed.json()["paused"]) == (200, False)
    assert (await bird.settled(dataset))["status"]["ready"] == 1


async def test_pausing_wants_a_dataset(still: Bird):
    for action in ("pause", "resume"):
        problem(await still.post(f"/datasets/none/{action}"), 404, "dataset-not-found")


async def test_pausing_outlives_a_restart_and_twice_is_once(still: Bird):
    dataset = await still.dataset()
    for _ in range(2):
        assert (await still.post(f"/datasets/{dataset}/pause")).json()["paused"] is True
    await still.capture(dataset, ["http://a.test/1"])
    assert not (await still.parts.services.downloads.claim(9, lambda _host: 9)).works


async def test_each_attempt_is_shown_with_its_end(bird: Bird, site: Site):
    site.routes |= {
        "/busy.jpg": BUSY,
        "/page.jpg": answer(HTML),
        "/moved.jpg": redirect("/good.jpg"),
        "/good.jpg": answer(jpeg()),
    }
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url(f"/{name}.jpg") for name in ("busy", "page", "moved")])
    await bird.settled(dataset)
    busy, page, moved = await bird.images(dataset)

    async def log(image: dict) -> list[dict]:
        shown: list[dict] = (await bird.get(f"/images/{image['id']}")).json()["attempts_log"]
        return shown

    tries = await log(busy)
    assert [one["number"] for one in tries] == [1, 2]
    assert {(one["reason"], one["http_status"]) for one in tries} == {("http-status", 503)}
    assert busy["attempts"] == 2
    assert busy["reason"] == "http-status"
    (refused,) = await log(page)
    assert (refused["reason"], refused["http_status"]) == ("not-an-image", 200)
    assert refused["bytes"] == refused["declared_bytes"] == len(HTML)
    (had,) = await log(moved)
    assert (had["reason"], had["final_url"]) == (None, site.url("/good.jpg"))
    assert had["downgraded"] is False
    assert had["seconds"] >= 0
    assert had["started_at"].endswith("Z")


async def test_a_retry_by_a_person_begins_anew(bird: Bird, site: Site):
    site.routes["/a.jpg"] = BUSY
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    await bird.settled(dataset)
    await bird.post(f"/datasets/{dataset}/images/retry")
    await bird.settled(dataset)
    (image,) = await bird.images(dataset)
    assert image["attempts"] == 4, "each time as many tries as the settings allow"


async def test_only_the_last_attempts_are_shown(bird: Bird, site: Site):
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/404.jpg")])
    for _ in range(22):
        await bird.settled(dataset)
        await bird.post(f"/datasets/{dataset}/images/retry")
    await bird.settled(dataset)
    (image,) = await bird.images(dataset)
    shown = (await bird.get(f"/images/{image['id']}")).json()["attempts_log"]
    assert [one["number"] for one in shown] == list(range(4, 24))


async def test_the_server_tells_how_downloads_go(bird: Bird, site: Site):
    event = asyncio.Event()

    async def handle(exchange) -> None:
        await event.wait()
        await answer(jpeg())(exchange)

    site.routes["/a.jpg"] = handle
    idle = {"in_flight": 0, "queued": 0, "rate_per_s": 0.0}
    assert (await bird.get("/server")).json()["downloads"] == idle
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    await eventually(lambda: len(site.requests) == 1)
    assert (await bird.get("/server")).json()["downloads"]["in_flight"] == 1
    event.set()
    await bird.settled(dataset)
    after = (await bird.get("/server")).json()["downloads"]
    assert after["in_flight"] == 0
    assert after["rate_per_s"] > 0


async def test_a_host_that_asks_for_time_gets_it_and_holds_up_nobody(bird: Bird, site: Site):
    site.routes |= {
        "/busy.jpg": answer(b"", "Retry-After: 3600", status="429 Too Many Requests"),
        "/good.jpg": answer(jpeg()),
    }
    dataset, other = await bird.dataset(), await bird.dataset()
    await bird.capture(dataset, [site.url("/busy.jpg")])
    await eventually(lambda: len(site.requests) == 1)
    await eventually(lambda: bird.parts.downloads.pipeline.held_count == 0)
    await bird.capture(dataset, [site.url(f"/good.jpg?{n}") for n in range(50)])
    port = site.port
    await bird.capture(other, [f"http://localhost:{port}/good.jpg"])
    await bird.settled(other)
    assert len(site.requests) <= 2, "the host that asked for time is left alone"
    assert (await bird.counts(dataset))["status"]["queued"] == 51


async def test_metrics_tell_of_each_step(bird: Bird, site: Site):
    site.routes["/a.jpg"] = answer(jpeg())
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    await bird.settled(dataset)
    text = (await bird.client.get("/metrics")).text
    for name in (
        'bowerbird_pipeline_seconds_count{step="fetch"}',
        'bowerbird_pipeline_seconds_count{step="take-in"}',
        'bowerbird_pipeline_seconds_count{step="sync"}',
        'bowerbird_pipeline_seconds_count{step="record"}',
        'bowerbird_pipeline_results_total{end="ready"}',
        'bowerbird_pipeline_held{step="waiting"}',
        "bowerbird_pipeline_claimed_total",
        "bowerbird_pipeline_received_bytes_total",
        "bowerbird_pipeline_body_bytes",
    ):
        assert name in text

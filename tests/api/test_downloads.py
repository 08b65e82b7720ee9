"""Downloads as the API shows them: pausing, the log of attempts, the live rate."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from server.net.outcome import Outcome
from server.pipeline import pipeline as pipelines
from server.pipeline.work import End, Result
from server.reasons import Reason
from tests.support.app import Bird, eventually, problem, running
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


REFUSED = answer(jpeg(8, 8), 'ETag: "tiny"')
SAME = answer(b"", 'ETag: "tiny"', status="304 Not Modified")


async def retried(bird: Bird, dataset: str, reason: str) -> tuple[dict, list[dict]]:
    """Try again what has this reason; return the first image and all its tries."""
    queued = await bird.post(f"/datasets/{dataset}/images/retry", json={"reason": reason})
    assert queued.json()["queued"] == 1
    await bird.settled(dataset)
    image = (await bird.images(dataset))[0]
    return image, (await bird.get(f"/images/{image['id']}")).json()["attempts_log"]


async def test_refused_bytes_are_asked_for_again_only_if_there_are_others(bird: Bird, site: Site):
    site.routes |= {"/a.jpg": redirect("/tiny.jpg"), "/tiny.jpg": REFUSED}
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    await bird.settled(dataset)
    (before,) = await bird.images(dataset)
    site.routes["/tiny.jpg"] = SAME
    image, (first, second) = await retried(bird, dataset, "too-small")
    assert (image["status"], image["reason"]) == ("rejected", "too-small")
    assert image["detail"] == f"unchanged since it was refused: {before['detail']}"
    assert (first["http_status"], first["etag"], first["detail"]) == (
        200, '"tiny"', before["detail"],
    )  # fmt: skip
    assert (second["http_status"], second["reason"], second["bytes"]) == (304, "too-small", 0)
    # A fault in between is no reason to forget the bytes.
    site.routes["/tiny.jpg"] = answer(b"", status="410 Gone")
    await retried(bird, dataset, "too-small")
    site.routes["/tiny.jpg"] = SAME
    image, log = await retried(bird, dataset, "http-status")
    assert (image["reason"], len(log), log[-1]["http_status"]) == ("too-small", 4, 304)
    assert image["detail"] == f"unchanged since it was refused: {before['detail']}"
    site.routes["/tiny.jpg"] = answer(jpeg(), 'ETag: "large"')
    image, log = await retried(bird, dataset, "too-small")
    assert (image["status"], log[-1]["etag"], log[-1]["detail"]) == ("ready", None, None)
    asked = [r.headers.get("if-none-match") for r in site.requests if r.target == "/tiny.jpg"]
    assert asked == [None, *['"tiny"'] * 4]
    assert all("if-none-match" not in r.headers for r in site.requests if r.target == "/a.jpg")


async def test_bytes_that_other_limits_refused_are_fetched_anew(data_folder: Path, site: Site):
    site.routes["/a.jpg"] = REFUSED
    async with running(data_folder) as bird:
        dataset = await bird.dataset()
        await bird.capture(dataset, [site.url("/a.jpg")])
        await bird.settled(dataset)
    async with running(data_folder, fetch={"min_side_px": 8}) as bird:
        image, _ = await retried(bird, dataset, "too-small")
    assert image["status"] == "ready"
    assert all("if-none-match" not in request.headers for request in site.requests)


async def test_a_failure_of_our_own_is_no_refusal_of_the_bytes(monkeypatch, bird: Bird, site: Site):
    site.routes["/a.jpg"] = answer(jpeg(), 'ETag: "good"')
    dataset = await bird.dataset()
    with monkeypatch.context() as broken:
        broken.setattr(pipelines, "verify", lambda *_: 1 / 0)
        await bird.capture(dataset, [site.url("/a.jpg")])
        await bird.settled(dataset)
    image, (first, _) = await retried(bird, dataset, "not-an-image")
    assert (image["status"], first["etag"]) == ("ready", None)
    assert all("if-none-match" not in request.headers for request in site.requests)


async def test_a_step_from_https_to_http_is_shown(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, ["https://a.test/1"])
    downloads = still.parts.services.downloads
    (work,) = (await downloads.claim(9, lambda _host: 9)).works
    end = Outcome(
        work.url, "http://a.test/2", 404, Reason.HTTP_STATUS, "HTTP 404", None, None, 1, 0.1,
        datetime.now(UTC), is_downgraded=True,
    )  # fmt: skip
    await downloads.settle([Result(work, End.REJECTED, end, None, end.reason, end.detail)])
    shown = (await still.get(f"/images/{work.id}")).json()["attempts_log"]
    assert [one["downgraded"] for one in shown] == [True]


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

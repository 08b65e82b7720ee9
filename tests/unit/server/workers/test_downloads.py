"""The download loop: bounded, unmoved by crashes, full disks, undone images and our own bugs."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server.net.outcome import Outcome
from server.reasons import Reason
from server.repositories import images
from server.workers import downloads
from tests.support.app import Bird, eventually, in_one_task, running
from tests.support.images import HTML, jpeg, png_bomb
from tests.support.site import Site, answer, redirect


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def bird(data_folder: Path) -> AsyncIterator[Bird]:
    async with in_one_task(lambda: running(data_folder)) as bird:
        yield bird


@pytest.fixture
async def still(data_folder: Path) -> AsyncIterator[Bird]:
    async with in_one_task(lambda: running(data_folder, workers=False)) as bird:
        yield bird


def held(site: Site, path: str, data: bytes) -> asyncio.Event:
    """Let the site answer at ``path`` only when the returned event is set."""
    event = asyncio.Event()

    async def handle(exchange) -> None:
        await event.wait()
        await answer(data)(exchange)

    site.routes[path] = handle
    return event


async def statuses(bird: Bird, dataset: str) -> dict[str, str]:
    return {i["url"].rpartition("/")[2]: i["status"] for i in await bird.images(dataset)}


async def test_every_address_ends_in_one_state_with_its_reason(bird: Bird, site: Site):
    site.routes |= {
        "/good.jpg": answer(jpeg()),
        "/same.jpg": answer(jpeg()),
        "/moved.jpg": redirect("/good.jpg"),
        "/html.jpg": answer(HTML),
        "/cut.jpg": answer(jpeg()[:3000]),
        "/empty.jpg": answer(b""),
        "/bomb.png": answer(png_bomb(8000, 8000)),
        "/inside.jpg": redirect("http://169.254.169.254/latest/meta-data/"),
        "/loop.jpg": redirect("/loop.jpg"),
    }
    dataset = await bird.dataset()
    urls = [site.url(path) for path in site.routes] + [
        site.url("/404.jpg"),
        "http://127.0.0.1:1/refused.jpg",
        "http://10.0.0.1/private.jpg",
    ]
    await bird.capture(dataset, urls, "cat")
    await bird.settled(dataset)
    ends = {}
    for image in await bird.images(dataset):
        ends[image["url"].rpartition("/")[2]] = image["reason"] or image["status"]
        assert image["settled_at"]
        assert image["attempts"] == 1
        assert bool(image["detail"]) == (image["status"] == "rejected")
    twins = {ends.pop("good.jpg"), ends.pop("same.jpg"), ends.pop("moved.jpg")}
    assert twins == {"ready", "duplicate"}
    assert ends == {
        "html.jpg": "not-an-image",
        "cut.jpg": "truncated",
        "empty.jpg": "empty",
        "bomb.png": "too-many-pixels",
        "inside.jpg": "blocked-address",
        "loop.jpg": "too-many-redirects",
        "404.jpg": "http-status",
        "refused.jpg": "connection",
        "private.jpg": "blocked-address",
    }


async def test_the_address_in_the_end_is_kept(bird: Bird, site: Site):
    site.routes |= {"/a": redirect("/b.jpg"), "/b.jpg": answer(jpeg())}
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a")])
    await bird.settled(dataset)
    (image,) = await bird.images(dataset)
    assert image["final_url"] == site.url("/b.jpg")


async def test_no_more_is_in_flight_than_the_settings_allow(data_folder: Path, site: Site):
    events = [held(site, f"/{n}.jpg", jpeg(seed=n)) for n in range(12)]
    limits = {"concurrency": 4, "per_host": 64}
    async with running(data_folder, fetch=limits) as bird:
        dataset = await bird.dataset()
        await bird.capture(dataset, [site.url(f"/{n}.jpg") for n in range(12)])
        for n, event in enumerate(events):
            wanted = min(12, n + 4)
            await eventually(lambda wanted=wanted: len(site.requests) == wanted)
            counts = (await bird.counts(dataset))["status"]
            assert counts["downloading"] <= 4
            assert counts["queued"] >= 12 - wanted
            event.set()
        assert (await bird.settled(dataset))["status"]["ready"] == 12
    assert site.most_open <= 4


async def test_what_a_killed_process_left_is_taken_up(data_folder: Path, site: Site):
    site.routes |= {f"/{n}.jpg": answer(jpeg(seed=n)) for n in range(5)}
    async with running(data_folder, workers=False) as bird:
        dataset = await bird.dataset()
        await bird.capture(dataset, [site.url(f"/{n}.jpg") for n in range(5)])
        assert len(await bird.parts.downloads._service.claim(3)) == 3
    async with running(data_folder) as bird:
        assert (await bird.settled(dataset))["status"]["ready"] == 5
        attempts = sorted(image["attempts"] for image in await bird.images(dataset))
        assert attempts == [1, 1, 2, 2, 2]


async def test_what_a_killed_process_left_half_written_is_removed(data_folder: Path):
    folder = data_folder / "blobs" / "ab" / "cd"
    folder.mkdir(parents=True)
    remains = folder / ".abcd.x.tmp"
    remains.write_bytes(b"half")
    os.utime(remains, (1, 1))
    async with running(data_folder):
        await eventually(lambda: not remains.exists())


async def test_a_crash_between_bytes_and_row_loses_nothing(data_folder: Path, site: Site):
    site.routes["/a.jpg"] = answer(jpeg())
    async with running(data_folder, workers=False) as bird:
        dataset = await bird.dataset()
        await bird.capture(dataset, [site.url("/a.jpg")])
        await bird.parts.downloads._service.claim(1)
        await bird.parts.services.images._intake.store(jpeg())  # and here the power goes
    async with running(data_folder) as bird:
        assert (await bird.settled(dataset))["status"]["ready"] == 1


async def test_stopping_in_the_middle_leaves_whole_rows(data_folder: Path, site: Site):
    event = held(site, "/slow.jpg", jpeg(seed=1))
    site.routes["/fast.jpg"] = answer(jpeg(seed=2))
    async with running(data_folder) as bird:
        dataset = await bird.dataset()
        await bird.capture(dataset, [site.url("/slow.jpg"), site.url("/fast.jpg")])
        async with asyncio.timeout(10):
            signal = bird.parts.services.feed.dataset(dataset)
            while (await statuses(bird, dataset))["fast.jpg"] != "ready":
                await signal.wait(signal.count, 0.1)
    async with running(data_folder, workers=False) as bird:
        assert await statuses(bird, dataset) == {"slow.jpg": "downloading", "fast.jpg": "ready"}
    event.set()
    async with running(data_folder) as bird:
        assert (await bird.settled(dataset))["status"]["ready"] == 2


async def test_a_full_disk_postpones(bird: Bird, site: Site, monkeypatch, caplog):
    monkeypatch.setattr(downloads, "ERROR_PAUSE_S", 0.05)
    blobs = bird.parts.services.images._stores.blobs
    real, failures = blobs.write, iter([OSError(errno.ENOSPC, "No space left on device")] * 2)

    def write(data: bytes, sha256: str) -> Path:
        if (error := next(failures, None)) is not None:
            raise error
        return real(data, sha256)

    monkeypatch.setattr(blobs, "write", write)
    site.routes["/a.jpg"] = answer(jpeg())
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    assert (await bird.settled(dataset))["status"]["ready"] == 1
    (image,) = await bird.images(dataset)
    assert image["attempts"] == 3
    assert caplog.text.count("download.postponed") == 2


async def test_our_own_bug_rejects_one_image_and_says_so(
    bird: Bird, site: Site, monkeypatch, caplog
):
    intake = bird.parts.services.images._intake
    real = intake._verify_and_write

    def stumble(data: bytes):
        if data == jpeg(seed=1):
            raise KeyError("a bug")
        return real(data)

    monkeypatch.setattr(intake, "_verify_and_write", stumble)
    site.routes |= {"/1.jpg": answer(jpeg(seed=1)), "/2.jpg": answer(jpeg(seed=2))}
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/1.jpg"), site.url("/2.jpg")])
    await bird.settled(dataset)
    first, second = await bird.images(dataset)
    assert (first["status"], second["status"]) == ("rejected", "ready")
    assert "log" in first["detail"]
    assert "download.crashed" in caplog.text


@pytest.mark.parametrize("fault", [None, OSError("disk"), KeyError("bug")], ids=str)
async def test_an_image_that_is_undone_while_it_is_fetched_harms_nothing(
    bird: Bird, site: Site, monkeypatch, fault
):
    monkeypatch.setattr(downloads, "ERROR_PAUSE_S", 0.01)
    event = held(site, "/gone.jpg", jpeg(seed=1))
    site.routes["/next.jpg"] = answer(jpeg(seed=2))
    intake = bird.parts.services.images._intake
    real = intake._verify_and_write

    def fail(data: bytes):
        if fault is not None and data == jpeg(seed=1):
            raise fault
        return real(data)

    monkeypatch.setattr(intake, "_verify_and_write", fail)
    dataset = await bird.dataset()
    taken = await bird.capture(dataset, [site.url("/gone.jpg")])
    await eventually(lambda: len(site.requests) == 1)
    await bird.delete(f"/captures/{taken['capture_id']}")
    event.set()
    await bird.capture(dataset, [site.url("/next.jpg")])
    assert (await bird.settled(dataset))["status"]["ready"] == 1
    await eventually(lambda: bird.parts.downloads._in_flight == 0)
    await bird.capture(dataset, [site.url("/404.jpg")])
    assert (await bird.settled(dataset))["status"]["rejected"] == 1, "the loop still runs"


@pytest.mark.parametrize("step", ["claim", "add_blob", "requeue_downloading"])
async def test_a_database_that_is_full_for_a_while_only_delays(
    bird: Bird, site: Site, monkeypatch, caplog, step
):
    monkeypatch.setattr(downloads, "ERROR_PAUSE_S", 0.01)
    full = OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))
    failing = {"claim": "claim_queued"}.get(step, step)
    failures = iter([full] * 3)
    for name in {failing, "add_blob"}:
        real = getattr(images, name)

        async def fail(*args, real=real, **kwargs):
            if (error := next(failures, None)) is not None:
                raise error
            return await real(*args, **kwargs)

        monkeypatch.setattr(images, name, fail)
    site.routes["/a.jpg"] = answer(jpeg())
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    assert (await bird.settled(dataset))["status"]["ready"] == 1
    assert "disk is full" in caplog.text


async def test_a_detail_of_the_web_is_capped(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, ["http://a.test/1"])
    service = still.parts.downloads._service
    (claimed,) = await service.claim(10)
    outcome = Outcome(claimed.url, None, None, Reason.CONNECTION, "x" * 5000, None, None, 0, 0.0)
    await service._settle(claimed, outcome, None, (outcome.reason, outcome.detail))
    (image,) = await still.images(dataset)
    assert len(image["detail"]) == 500


async def test_the_oldest_are_claimed_first_and_never_twice(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, [f"http://a.test/{n}" for n in range(10)])
    service = still.parts.downloads._service
    claims = await asyncio.gather(*(service.claim(3) for _ in range(5)))
    urls = [image.url for claimed in claims for image in claimed]
    assert sorted(urls) == urls
    assert len(urls) == len(set(urls)) == 10


async def test_plans_use_the_indexes(still: Bird):
    """Lists and claims of 100,000 images must not read them all."""
    async with still.database.read() as session:
        for query in (
            "SELECT id FROM images WHERE status = 'queued' ORDER BY id LIMIT 10",
            "SELECT id FROM images WHERE dataset_id = 'x' AND url_key IN ('a', 'b')",
            "SELECT id FROM images WHERE dataset_id = 'x' AND status = 'ready'",
            "SELECT id FROM images WHERE duplicate_of = 'x'",
            "SELECT id FROM sightings WHERE capture_id = 'x'",
            "SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1",
        ):
            plan = (await session.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all()
            assert all("SEARCH" in row[3] for row in plan), (query, plan)

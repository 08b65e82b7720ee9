"""The download loop: bounded, unmoved by crashes, full disks, undone images and our own bugs."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server.media.verify import Verified
from server.net.outcome import Outcome
from server.pipeline import batches, pipeline
from server.pipeline.work import Claim, End, Result
from server.reasons import Reason
from server.repositories import queue
from server.services.downloads import DownloadService
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


async def claim(bird: Bird, room: int) -> Claim:
    """Claim as the pipeline does, with any number allowed of each host."""
    return await bird.parts.services.downloads.claim(room, lambda _host: room)


def shelf(bird: Bird):
    return bird.parts.downloads.pipeline._ends.shelf


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
        # What may pass is tried again, as often as the settings of tests say.
        assert image["attempts"] == (2 if image["reason"] == "connection" else 1)
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
            wanted = min(12, n + min(4, 2 + n))  # two, and one more with each that comes
            await eventually(lambda wanted=wanted: len(site.requests) == wanted)
            assert bird.parts.downloads.pipeline.in_flight_count <= 4
            event.set()
        assert (await bird.settled(dataset))["status"]["ready"] == 12
    assert site.most_open <= 4


async def test_no_more_is_claimed_than_there_is_room_for(data_folder: Path, site: Site):
    event = held(site, "/0.jpg", jpeg())
    limits = {"max_waiting": 16, "concurrency": 1, "per_host": 1}
    async with running(data_folder, fetch=limits) as bird:
        dataset = await bird.dataset()
        await bird.capture(dataset, [site.url(f"/0.jpg?{n}") for n in range(100)])
        await eventually(lambda: len(site.requests) == 1)
        await asyncio.sleep(3 * pipeline.CLAIM_GAP_S)
        counts = (await bird.counts(dataset))["status"]
        assert counts["downloading"] <= 17
        assert counts["queued"] >= 83
        event.set()
        assert (await bird.settled(dataset))["status"]["duplicate"] == 99


async def test_what_a_killed_process_left_is_taken_up(data_folder: Path, site: Site):
    site.routes |= {f"/{n}.jpg": answer(jpeg(seed=n)) for n in range(5)}
    async with running(data_folder, workers=False) as bird:
        dataset = await bird.dataset()
        await bird.capture(dataset, [site.url(f"/{n}.jpg") for n in range(5)])
        assert len((await claim(bird, 3)).works) == 3
    async with running(data_folder) as bird:
        assert (await bird.settled(dataset))["status"]["ready"] == 5
        attempts = sorted(image["attempts"] for image in await bird.images(dataset))
        assert attempts == [1, 1, 2, 2, 2]


async def test_what_a_killed_process_left_half_written_is_removed(data_folder: Path):
    folder = data_folder / "blobs" / "ab"
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
        await claim(bird, 1)
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
    monkeypatch.setattr(batches, "ERROR_PAUSE_S", 0.05)
    real, failures = shelf(bird).keep, iter([OSError(errno.ENOSPC, "No space left on device")] * 2)

    def keep(data: bytes, verified: Verified) -> None:
        if (error := next(failures, None)) is not None:
            raise error
        real(data, verified)

    monkeypatch.setattr(shelf(bird), "keep", keep)
    site.routes["/a.jpg"] = answer(jpeg())
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    assert (await bird.settled(dataset))["status"]["ready"] == 1
    (image,) = await bird.images(dataset)
    assert image["attempts"] == 1, "what this machine could not take was no try of the web's"
    assert len(site.requests) == 3
    assert caplog.text.count("download.postponed") == 2


async def test_what_may_not_be_on_disk_is_not_recorded(bird: Bird, site: Site, monkeypatch, caplog):
    monkeypatch.setattr(batches, "ERROR_PAUSE_S", 0.05)
    real, failures, recorded = shelf(bird).make_durable, iter([OSError(errno.EIO, "I/O")]), []

    def make_durable(digests) -> None:
        recorded.append(list(digests))
        if (error := next(failures, None)) is not None:
            raise error
        real(digests)

    monkeypatch.setattr(shelf(bird), "make_durable", make_durable)
    site.routes["/a.jpg"] = answer(jpeg())
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    assert (await bird.settled(dataset))["status"]["ready"] == 1
    assert len(recorded) == 2
    assert len(site.requests) == 2, "fetched again, since nobody knows what became of the first"
    assert "download.sync_failed" in caplog.text


async def test_our_own_bug_rejects_one_image_and_says_so(
    bird: Bird, site: Site, monkeypatch, caplog
):
    real = pipeline.verify

    def stumble(data: bytes, limits):
        if data == jpeg(seed=1):
            raise KeyError("a bug")
        return real(data, limits)

    monkeypatch.setattr(pipeline, "verify", stumble)
    site.routes |= {"/1.jpg": answer(jpeg(seed=1)), "/2.jpg": answer(jpeg(seed=2))}
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/1.jpg"), site.url("/2.jpg")])
    await bird.settled(dataset)
    first, second = await bird.images(dataset)
    assert (first["status"], second["status"]) == ("rejected", "ready")
    assert "log" in first["detail"]
    assert "download.crashed" in caplog.text


async def test_a_result_that_cannot_be_recorded_rejects_that_image_alone(
    bird: Bird, site: Site, monkeypatch, caplog
):
    service, real = bird.parts.services.downloads, DownloadService.settle

    async def settle(results) -> None:
        if any(result.end is End.READY and "/1.jpg" in result.work.url for result in results):
            raise KeyError("a bug")
        await real(service, results)

    monkeypatch.setattr(service, "settle", settle)
    site.routes |= {f"/{n}.jpg": answer(jpeg(seed=n)) for n in range(5)}
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url(f"/{n}.jpg") for n in range(5)])
    counts = await bird.settled(dataset)
    assert (counts["status"]["ready"], counts["status"]["rejected"]) == (4, 1)
    assert (await statuses(bird, dataset))["1.jpg"] == "rejected"
    assert "download.crashed" in caplog.text


@pytest.mark.parametrize("fault", [None, OSError("disk"), KeyError("bug")], ids=str)
async def test_an_image_that_is_undone_while_it_is_fetched_harms_nothing(
    bird: Bird, site: Site, monkeypatch, fault
):
    monkeypatch.setattr(batches, "ERROR_PAUSE_S", 0.01)
    event = held(site, "/gone.jpg", jpeg(seed=1))
    site.routes["/next.jpg"] = answer(jpeg(seed=2))
    real = pipeline.verify

    def fail(data: bytes, limits):
        if fault is not None and data == jpeg(seed=1):
            raise fault
        return real(data, limits)

    monkeypatch.setattr(pipeline, "verify", fail)
    dataset = await bird.dataset()
    taken = await bird.capture(dataset, [site.url("/gone.jpg")])
    await eventually(lambda: len(site.requests) == 1)
    await bird.delete(f"/captures/{taken['capture_id']}")
    event.set()
    await bird.capture(dataset, [site.url("/next.jpg")])
    assert (await bird.settled(dataset))["status"]["ready"] == 1
    await eventually(lambda: bird.parts.downloads.pipeline.held_count == 0)
    await bird.capture(dataset, [site.url("/404.jpg")])
    assert (await bird.settled(dataset))["status"]["rejected"] == 1, "the loop still runs"


@pytest.mark.parametrize("step", ["claim", "settle", "wake_due"])
async def test_a_database_that_is_full_for_a_while_only_delays(
    bird: Bird, site: Site, monkeypatch, caplog, step
):
    monkeypatch.setattr(batches, "ERROR_PAUSE_S", 0.01)
    full = OperationalError("UPDATE", {}, sqlite3.OperationalError("database or disk is full"))
    failures = iter([full] * 3)
    real = getattr(queue, step)

    async def fail(*args, **kwargs):
        if (error := next(failures, None)) is not None:
            raise error
        return await real(*args, **kwargs)

    monkeypatch.setattr(queue, step, fail)
    site.routes["/a.jpg"] = answer(jpeg())
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg"), site.url("/busy.jpg")])
    site.routes["/busy.jpg"] = answer(b"", status="503 Service Unavailable")
    counts = (await bird.settled(dataset))["status"]
    assert (counts["ready"], counts["rejected"]) == (1, 1)
    assert "disk is full" in caplog.text


async def test_a_detail_of_the_web_is_capped(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, ["http://a.test/1"])
    (work,) = (await claim(still, 10)).works
    result = Result(work, End.REJECTED, None, None, Reason.CONNECTION, "x" * 5000)
    await still.parts.services.downloads.settle([result])
    (image,) = await still.images(dataset)
    assert len(image["detail"]) == 500


async def test_the_oldest_of_a_host_are_claimed_first_and_never_twice(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, [f"http://a.test/{n}" for n in range(10)])
    claims = await asyncio.gather(*(claim(still, 3) for _ in range(5)))
    taken = [[work.url for work in one.works] for one in claims]
    assert all(urls == sorted(urls) for urls in taken)
    assert sorted(url for urls in taken for url in urls) == [
        f"http://a.test/{n}" for n in range(10)
    ]
    assert [f"http://a.test/{n}" for n in range(3)] in taken


async def test_what_waits_for_its_time_is_claimed_when_it_has_come(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, ["http://a.test/1"])
    (work,) = (await claim(still, 9)).works
    later = datetime(2100, 1, 1, tzinfo=UTC)
    outcome = Outcome(
        work.url, work.url, 503, Reason.HTTP_STATUS, "", None, None, 0, 0.1, datetime.now(UTC)
    )
    settle = still.parts.services.downloads.settle
    await settle([Result(work, End.RETRY, outcome, None, outcome.reason, "", later)])
    again = await claim(still, 9)
    assert (list(again.works), again.next_at) == ([], later)
    (image,) = await still.images(dataset)
    assert (image["status"], image["attempts"], image["http_status"]) == ("queued", 1, 503)
    async with still.database.write() as session:
        await session.execute(text("UPDATE images SET not_before_at = '2000-01-01 00:00:00'"))
    (work,) = (await claim(still, 9)).works
    assert work.retries == 1


async def test_a_fault_that_passes_is_tried_again_and_each_try_is_kept(bird: Bird, site: Site):
    answers = iter([answer(b"", status="503 Service Unavailable"), answer(jpeg())])

    async def handle(exchange) -> None:
        await next(answers)(exchange)

    site.routes["/a.jpg"] = handle
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url("/a.jpg")])
    assert (await bird.settled(dataset))["status"]["ready"] == 1
    (image,) = await bird.images(dataset)
    assert image["attempts"] == 2
    async with bird.database.read() as session:
        kept = await queue.list_attempts(session, image["id"], 20)
    assert [(one.number, one.http_status, one.reason) for one in kept] == [
        (1, 503, "http-status"),
        (2, 200, None),
    ]
    assert kept[1].bytes == len(jpeg()) == kept[1].declared_bytes


async def test_a_dataset_that_is_paused_is_left_alone_until_it_goes_on(bird: Bird, site: Site):
    event = held(site, "/0.jpg", jpeg())
    dataset = await bird.dataset()
    await bird.capture(dataset, [site.url(f"/0.jpg?{n}") for n in range(30)])
    await eventually(lambda: len(site.requests) > 0)
    await bird.parts.services.downloads.pause(dataset, paused=True)
    event.set()
    await eventually(lambda: bird.parts.downloads.pipeline.held_count == 0)
    counts = (await bird.counts(dataset))["status"]
    assert counts["downloading"] == 0
    assert counts["queued"] > 0
    asked = len(site.requests)
    other = await bird.dataset()
    await bird.capture(other, [site.url("/404.jpg")])
    await bird.settled(other)
    assert len(site.requests) == asked + 1, "another dataset goes on"
    await bird.parts.services.downloads.pause(dataset, paused=False)
    assert (await bird.settled(dataset))["status"]["duplicate"] == 29


async def test_small_datasets_and_hosts_get_their_share(still: Bird):
    large, small = await still.dataset(), await still.dataset()
    await still.capture(large, [f"http://many.test/{n}" for n in range(300)])
    await still.capture(large, [f"http://h{n}.test/" for n in range(20)])
    await still.capture(small, [f"http://many.test/{n}" for n in range(10)])
    works = (await claim(still, 100)).works
    assert len(works) == 100
    assert sum(work.group == small for work in works) == 10
    hosts = {work.host for work in works if work.group == large}
    assert len(hosts) == 21, "each host of the large one has its turn"


async def test_a_host_that_has_no_room_is_passed_over(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, [f"http://full.test/{n}" for n in range(300)])
    await still.capture(dataset, [f"http://h{n}.test/" for n in range(200)])
    seen: set[str] = set()
    service = still.parts.services.downloads
    for _ in range(40):
        one = await service.claim(8, lambda host: 0 if host == "full.test" else 4)
        seen |= {work.host for work in one.works}
        if not one.works and not one.is_partial:
            assert "full.test" in one.more_hosts
            break
    assert seen == {f"h{n}.test" for n in range(200)}


def old_file(path: Path, data: bytes = b"lost") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (1, 1))
    return path


async def test_files_that_nothing_names_are_swept(data_folder: Path):
    async with running(data_folder, workers=False) as bird:
        dataset = await bird.dataset()
        image = await bird.upload(dataset, jpeg())
        stores = bird.parts.services.images._stores
        kept = [store.path(image["sha256"]) for store in (stores.blobs, stores.thumbnails)]
        for path in kept:
            os.utime(path, (1, 1))
        lost = [old_file(store.path("ab" * 32)) for store in (stores.blobs, stores.thumbnails)]
        young = stores.blobs.path("cd" * 32)
        old_file(young)
        os.utime(young, (time.time(), time.time()))
    async with running(data_folder):
        await eventually(lambda: not any(path.exists() for path in lost))
    assert young.exists()
    assert all(path.exists() for path in kept)


def test_a_file_that_is_relied_on_again_survives_the_sweep(still: Bird):
    blobs = still.parts.services.images._stores.blobs
    data = jpeg()
    digest = "ef" * 32
    old_file(blobs.path(digest), data)
    blobs.put(data, digest)
    assert not blobs.delete_abandoned(digest)
    assert blobs.path(digest).read_bytes() == data
    os.utime(blobs.path(digest), (1, 1))
    # Whoever comes while it is being taken away writes it anew.
    threads = [
        threading.Thread(target=blobs.delete_abandoned, args=[digest]),
        threading.Thread(target=blobs.put, args=[data, digest]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blobs.path(digest).read_bytes() == data


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM images WHERE dataset_id = 'x' AND url_key IN ('a', 'b')",
        "SELECT id FROM images WHERE dataset_id = 'x' AND status = 'ready'",
        "SELECT id FROM images WHERE duplicate_of = 'x'",
        "SELECT id FROM sightings WHERE capture_id = 'x'",
        "SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1",
        "UPDATE images SET status = 'queued' WHERE status = 'downloading'",
        "SELECT min(not_before_at) FROM images WHERE not_before_at IS NOT NULL",
        "SELECT number FROM attempts WHERE image_id = 'x' ORDER BY number DESC LIMIT 20",
        *(
            query.text
            for query in (
                queue._HOSTS,
                queue._OF_HOSTS,
                queue._CLAIM,
                queue._WAKE,
                queue._CLAIMED,
                queue._READY,
            )
        ),
    ],
)
async def test_plans_use_the_indexes(still: Bird, query: str):
    """Lists and claims of a million images must not read them all."""
    values = dict.fromkeys(re.findall(r":(\w+)", query), "[]") | {"most": 5}
    async with still.database.read() as session:
        plan = (await session.execute(text(f"EXPLAIN QUERY PLAN {query}"), values)).all()
    scans = [row[3] for row in plan if row[3].startswith("SCAN")]
    # Of a list that we hand in, of what was found so far, of an index of the few that are meant.
    allowed = r"SCAN (json_each|wanted|found|CONSTANT|images USING .*INDEX ix_images_downloading)"
    assert all(re.match(allowed, scan) for scan in scans), plan

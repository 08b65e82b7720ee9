"""Remove everything of a site: what goes, what stays, and what is said of it afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server.repositories import provenance
from server.services.removals import RemovalService
from tests.support.app import Bird, eventually, problem, running
from tests.support.images import jpeg
from tests.support.played_trainer import claim, job, snapshot, trained
from tests.support.site import Exchange, Site, answer, redirect
from tests.support.snapshots import COLOURS, picture

SITE = "example.org"


async def remove(bird: Bird, site: str = SITE, **more: Any) -> dict[str, Any]:
    response = await bird.post("/sites/removal", json={"site": site, **more})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def take(bird: Bird, dataset: str, candidates: list[dict[str, Any]], **of: Any) -> Any:
    bird.names += 1
    body = {
        "capture_key": f"key-{bird.names}",
        "captured_at": "2026-11-22T10:00:00Z",
        "candidates": candidates,
        **of,
    }
    response = await bird.post(f"/datasets/{dataset}/captures", json=body)
    assert response.status_code == 201, response.text
    return response.json()


def files(data: Path) -> set[str]:
    """Return the hashes of the blobs and thumbnails on disk."""
    found = (*data.glob("blobs/*/*"), *data.glob("thumbnails/*/*"))
    return {path.name.removesuffix(".jpg") for path in found}


async def pictures(bird: Bird, per_label: int, of_site: int) -> str:
    """Return a dataset of coloured images, of which the first of each label are of the site."""
    dataset = await bird.dataset()
    for place, label in enumerate(COLOURS):
        for number in range(per_label):
            host = SITE if number < of_site else "other.test"
            fields = {"source_url": f"https://{host}/{label}/{number}"}
            data = picture(COLOURS[label], 1000 * place + number)
            await bird.upload(dataset, data, label, **fields)
    return dataset


# --- what is of a site


BY_ADDRESS = [
    ("https://example.org/a.jpg", True),
    ("https://img.Example.ORG:8443/a.jpg", True),
    ("https://a.b.example.org./a.jpg", True),
    ("https://notexample.org/a.jpg", False),
    ("https://example.org.test/a.jpg", False),
    ("https://other.test/?from=https://example.org/", False),
]


async def test_a_site_is_a_host_and_its_sub_domains(still: Bird):
    dataset = await still.dataset()
    for url, _ in BY_ADDRESS:
        await still.capture(dataset, [url])
    seen = await remove(still, dry_run=True)
    assert seen["images"] == seen["captures"] == sum(is_of for _, is_of in BY_ADDRESS)
    assert (await still.counts(dataset))["total"] == len(BY_ADDRESS), "a dry run changes nothing"
    await remove(still)
    kept = {image["url"] for image in await still.images(dataset)}
    assert kept == {url for url, is_of in BY_ADDRESS if not is_of}


async def test_an_image_is_of_the_site_whose_page_shows_it(still: Bird):
    dataset = await still.dataset()
    on_page = {"page_url": "https://www.example.org/gallery", "engine": "generic"}
    await take(still, dataset, [{"url": "https://cdn.test/shown.jpg"}], **on_page)
    linked = {"url": "https://cdn.test/linked.jpg", "source_url": "https://example.org/post"}
    search = {"page_url": "https://search.test/?q=bear", "engine": "bing", "query": "bear"}
    await take(still, dataset, [linked], **search)
    # Known already, and now seen on the site's page as well.
    twice = {"url": "https://cdn.test/twice.jpg", "source_url": "https://first.test/"}
    await take(still, dataset, [twice], **search)
    await take(still, dataset, [twice | {"source_url": "https://example.org/2"}], **search)
    await take(still, dataset, [{"url": "https://cdn.test/kept.jpg"}], **search)
    # A search engine's page of results shows strangers' images.
    assert (await remove(still, "search.test", dry_run=True))["images"] == 0
    taken = await remove(still)
    assert taken["images"] == 3
    assert taken["captures"] == 4, "both that saw the one that was seen twice are empty"
    assert [image["url"] for image in await still.images(dataset)] == ["https://cdn.test/kept.jpg"]


async def test_what_was_redirected_to_a_site_is_its_own(bird: Bird, site: Site):
    dataset = await bird.dataset()
    site.routes["/far.jpg"] = answer(jpeg())
    site.routes["/near.jpg"] = redirect(site.url("/far.jpg"))
    await bird.capture(dataset, [site.url("/near.jpg")])
    (image,) = await settled_images(bird, dataset)
    assert image["status"] == "ready"
    async with bird.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "UPDATE images SET host = 'first.test', url = 'http://first.test/near.jpg',"
            " final_url = 'http://img.example.org/far.jpg'"
        )
    assert (await remove(bird))["images"] == 1


async def settled_images(bird: Bird, dataset: str) -> list[dict[str, Any]]:
    await bird.settled(dataset)
    return await bird.images(dataset)


@pytest.mark.parametrize(
    "text", ["https://example.org/", "example.org/x", "*.example.org", "", ":"]
)
async def test_what_is_no_host_is_refused(still: Bird, text: str):
    response = await still.post("/sites/removal", json={"site": text})
    problem(response, 422, "invalid-request")


async def test_a_name_without_a_dot_stands_for_itself_alone(still: Bird):
    dataset = await still.dataset()
    await still.capture(dataset, ["https://example.org/a.jpg", "http://org/a.jpg"])
    assert (await remove(still, "ORG"))["images"] == 1


# --- what goes and what stays


async def test_bytes_that_something_else_holds_stay(still: Bird):
    first, second = await still.dataset(), await still.dataset()
    shared, own = jpeg(seed=1), jpeg(seed=2)
    of_site = {"source_url": "https://example.org/1"}
    gone = await still.upload(first, own, "a", **of_site)
    kept = await still.upload(first, shared, "a", **of_site)
    await still.upload(second, shared, "a", source_url="https://other.test/1")
    copy = still.data / "trainer" / "blobs" / gone["sha256"][:2] / gone["sha256"]
    copy.parent.mkdir(parents=True)
    copy.write_bytes(own)
    before = files(still.data)
    assert before == {gone["sha256"], kept["sha256"]}
    seen = await remove(still, dry_run=True)
    taken = await remove(still)
    same = ("images", "captures", "blobs", "bytes", "datasets", "snapshots", "models")
    assert {name: seen[name] for name in same} == {name: taken[name] for name in same}
    assert (seen["dry_run"], seen["removal_id"], taken["dry_run"]) == (True, None, False)
    assert (taken["images"], taken["blobs"], taken["bytes"]) == (2, 1, len(own))
    assert [(one["id"], one["images"]) for one in taken["datasets"]] == [(first, 2)]
    assert files(still.data) == {kept["sha256"]}
    assert not copy.exists(), "that of the trainer beside the server"
    body = problem(await still.get(f"/blobs/{gone['sha256']}"), 410, "images-removed")
    assert body["removals"][0]["removal_id"] == taken["removal_id"]
    assert (await still.get(f"/blobs/{kept['sha256']}")).content == shared
    problem(await still.get(f"/images/{gone['id']}"), 404, "image-not-found")


async def test_a_duplicate_from_elsewhere_takes_the_place(still: Bird):
    dataset = await still.dataset()
    data = jpeg()
    await still.upload(dataset, data, "a", source_url="https://example.org/1")
    await still.capture(dataset, ["https://other.test/same.jpg"], "a")
    _, other = await still.images(dataset)
    sent = {"file": ("a.jpg", data)}
    await reject_all(still)
    form = {"via": "browser"}
    response = await still.request("PUT", f"/images/{other['id']}/file", files=sent, data=form)
    assert response.json()["status"] == "duplicate", response.text
    assert (await remove(still))["blobs"] == 0
    (left,) = await still.images(dataset)
    assert (left["id"], left["status"]) == (other["id"], "ready")
    assert (await still.get(f"/images/{left['id']}/file")).content == data
    assert (await still.counts(dataset))["status"]["ready"] == 1


async def reject_all(bird: Bird) -> None:
    async with bird.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "UPDATE images SET status = 'rejected', reason = 'http-status', http_status = 403"
            " WHERE status = 'queued'"
        )


async def test_of_one_dataset_only(still: Bird):
    first, second = await still.dataset(), await still.dataset()
    for dataset in (first, second):
        await still.capture(dataset, ["https://example.org/a.jpg"])
    assert (await remove(still, dataset_id=first))["images"] == 1
    assert (await still.counts(first))["total"] == 0
    assert (await still.counts(second))["total"] == 1
    response = await still.post("/sites/removal", json={"site": SITE, "dataset_id": "none"})
    problem(response, 404, "dataset-not-found")


async def test_what_is_counted_undone_and_found_is_right_afterwards(still: Bird):
    dataset = await pictures(still, 3, of_site=1)
    every = await still.images(dataset)
    of_site = [image["id"] for image in every if SITE in image["source_url"]]
    bulk = f"/datasets/{dataset}/images/bulk"
    await still.post(bulk, json={"ids": [i["id"] for i in every], "set": {"excluded": True}})
    await still.post(bulk, json={"ids": of_site, "set": {"reviewed": True}})
    await remove(still)
    counts = await still.counts(dataset)
    assert (counts["total"], counts["excluded"], counts["status"]["ready"]) == (6, 6, 6)
    facets = (await still.get(f"/datasets/{dataset}/facets")).json()
    assert SITE not in str(facets)
    # What touched images of the site alone is nothing to undo; the change before it is.
    undone = (await still.post(f"/datasets/{dataset}/undo")).json()
    assert (undone["action"]["set"], undone["changed"]) == ({"excluded": True}, 6)
    assert (await still.counts(dataset))["excluded"] == 0
    watched = await still.get(f"/datasets/{dataset}/images", params={"site": SITE})
    assert watched.json()["total"] == 0


async def test_watchers_are_told(still: Bird):
    dataset = await pictures(still, 1, of_site=1)
    changes = still.parts.services.feed.dataset(dataset)
    seen = changes.count
    await remove(still)
    assert changes.count > seen
    assert changes.since(seen) is None, "more than are worth naming: read the list again"


# --- snapshots, jobs and models


async def test_snapshots_and_models_that_used_it_are_named_and_say_so(still: Bird):
    dataset = await pictures(still, 6, of_site=2)
    model_id = await trained(still, dataset)
    (made,) = (await still.get(f"/datasets/{dataset}/snapshots")).json()["items"]
    assert made["removed_count"] == 0
    for form in ("csv", "datasheet"):
        response = await still.get(f"/snapshots/{made['id']}/export", params={"format": form})
        assert response.status_code == 200
    later = await job(still, made["id"])
    seen = await remove(still, dry_run=True)
    used = {"id": made["id"], "dataset_id": dataset, "images": 6}
    assert [{name: one[name] for name in used} for one in seen["snapshots"]] == [used]
    (model,) = seen["models"]
    named = {"id": model_id, "dataset_id": dataset, "stage": "live", "snapshot_id": made["id"]}
    assert model == named | {"images": 6}

    manifest = (await still.get(f"/snapshots/{made['id']}/manifest")).content
    taken = await remove(still)
    assert (taken["snapshots"], taken["models"]) == (seen["snapshots"], seen["models"])
    # The manifest stays what it was; whatever needs its bytes says why they are not there.
    assert (await still.get(f"/snapshots/{made['id']}/manifest")).content == manifest
    assert (await still.get(f"/snapshots/{made['id']}")).json()["removed_count"] == 6
    for response in (
        await still.get(f"/snapshots/{made['id']}/export", params={"format": "folder"}),
        await still.get(f"/snapshots/{made['id']}/exports"),
        await still.post(f"/snapshots/{made['id']}/jobs"),
    ):
        body = problem(response, 410, "images-removed")
        assert (body["removed"], body["removals"][0]["site"]) == (6, SITE)
    ended = (await still.get(f"/jobs/{later['id']}")).json()
    assert (ended["state"], ended["error"]["kind"]) == ("failed", "images-removed")
    assert await claim(still) is None
    # What says where its images came from is gone too.
    derived = [*(still.data / "exports").iterdir(), *still.data.glob("snapshots/*.jsonl")]
    assert derived == []
    anew = await snapshot(still, dataset)
    assert (anew["counts"]["total"], anew["removed_count"]) == (12, 0)
    (listed,) = (await still.get("/sites/removals")).json()["items"]
    assert listed["removal_id"] == taken["removal_id"]
    assert (listed["images"], listed["block"], listed["dataset_id"]) == (6, False, None)
    assert listed["finished_at"] is not None


async def test_bytes_that_a_snapshot_alone_still_holds_go_as_well(still: Bird):
    dataset = await pictures(still, 4, of_site=0)
    data = picture(COLOURS["red"], 77)
    candidate = {"url": "https://example.org/red.jpg"}
    captured = await take(still, dataset, [candidate], label="red")
    (image,) = await still.images(dataset, status="queued")
    await reject_all(still)
    sent, form = {"file": ("a.jpg", data)}, {"via": "browser"}
    await still.request("PUT", f"/images/{image['id']}/file", files=sent, data=form)
    made = await snapshot(still, dataset)
    await still.get(f"/snapshots/{made['id']}/export", params={"format": "csv"})
    await still.delete(f"/captures/{captured['capture_id']}")
    assert (await still.counts(dataset))["total"] == 12, "the snapshot alone knows of it"
    seen = await remove(still, dry_run=True)
    assert (seen["images"], seen["blobs"], seen["bytes"]) == (0, 1, len(data))
    assert [one["images"] for one in seen["snapshots"]] == [1]
    taken = await remove(still)
    assert taken["blobs"] == 1
    assert (await still.get(f"/snapshots/{made['id']}")).json()["removed_count"] == 1
    assert len(files(still.data)) == 12


async def test_bytes_that_somebody_else_came_to_hold_meanwhile_are_not_gone(
    still: Bird, monkeypatch: pytest.MonkeyPatch
):
    dataset = await pictures(still, 4, of_site=1)
    made = await snapshot(still, dataset)
    begin = RemovalService._begin

    async def begin_late(self: RemovalService, *given: Any) -> Any:
        record = await begin(self, *given)
        other = await still.dataset()
        for place, label in enumerate(COLOURS):
            data = picture(COLOURS[label], 1000 * place)
            await still.upload(other, data, label, source_url="https://other.test/again")
        return record

    monkeypatch.setattr(RemovalService, "_begin", begin_late)
    taken = await remove(still)
    assert (taken["images"], taken["blobs"]) == (3, 0)
    assert (await still.get(f"/snapshots/{made['id']}")).json()["removed_count"] == 0
    response = await still.get(f"/snapshots/{made['id']}/export", params={"format": "folder"})
    assert response.status_code == 200


async def test_what_says_where_images_come_from_is_not_written_after_all(
    still: Bird, monkeypatch: pytest.MonkeyPatch
):
    dataset = await pictures(still, 4, of_site=1)
    made = await snapshot(still, dataset)
    is_begun, may_go_on = asyncio.Event(), asyncio.Event()
    read_origins = provenance.read_origins

    async def be_slow(*given: Any) -> Any:
        found = await read_origins(*given)
        is_begun.set()
        await may_go_on.wait()
        return found

    monkeypatch.setattr(provenance, "read_origins", be_slow)
    asked = {"format": "csv"}
    export = asyncio.create_task(still.get(f"/snapshots/{made['id']}/export", params=asked))
    async with asyncio.timeout(60):
        await is_begun.wait()
        removal = asyncio.create_task(remove(still))
        while (await still.counts(dataset))["total"] > 9:  # noqa: ASYNC110 - no signal of its own
            await asyncio.sleep(0.01)
        may_go_on.set()
        await removal
        await export
    left = [*(still.data / "exports").rglob("*"), *still.data.glob("snapshots/*.jsonl")]
    assert [
        path.name for path in left if path.is_file() and SITE.encode() in path.read_bytes()
    ] == []


async def test_what_cannot_be_read_of_where_images_come_from_stops_no_removal(still: Bird):
    dataset = await pictures(still, 4, of_site=1)
    made = await snapshot(still, dataset)
    await still.get(f"/snapshots/{made['id']}/export", params={"format": "csv"})
    (frozen,) = still.data.glob("snapshots/*.jsonl")
    with frozen.open("ab") as file:
        file.write(b'{"url": "https://exam\n[]\n\xff\n')
    assert (await remove(still, "nothing.test"))["images"] == 0
    assert not frozen.exists(), "it may tell of the site"
    assert (await remove(still))["images"] == 3
    response = await still.get(f"/snapshots/{made['id']}/export", params={"format": "csv"})
    problem(response, 410, "images-removed")


async def test_a_snapshot_that_is_made_meanwhile_holds_nothing_of_it(
    still: Bird, monkeypatch: pytest.MonkeyPatch
):
    dataset = await pictures(still, 4, of_site=2)
    service = still.parts.services.snapshots
    group = service._group

    async def be_overtaken_and_group(*given: Any) -> Any:
        await remove(still)
        return await group(*given)

    monkeypatch.setattr(service, "_group", be_overtaken_and_group)
    response = await still.post(f"/datasets/{dataset}/snapshots")
    assert response.status_code in {409, 410}, response.text
    monkeypatch.undo()
    assert (await snapshot(still, dataset))["counts"]["total"] == 6


# --- keeping a site out


async def test_a_blocked_site_is_refused_until_it_is_let_in(still: Bird):
    dataset = await still.dataset()
    await remove(still, block=True)
    (blocked,) = (await still.get("/sites/blocked")).json()["items"]
    assert blocked["site"] == SITE
    urls = ["https://img.example.org/a.jpg", "https://other.test/b.jpg"]
    urls = [urls[0], *urls]
    answered = await still.capture(dataset, urls)
    assert (answered["added"], answered["known"]) == (1, 0)
    assert [(one["index"], one["reason"]) for one in answered["refused"]] == [
        (0, "opt-out"),
        (1, "opt-out"),
    ]
    on_page = {"page_url": "https://example.org/", "engine": "generic"}
    answered = await take(still, dataset, [{"url": "https://cdn.test/c.jpg"}], **on_page)
    assert [one["reason"] for one in answered["refused"]] == ["opt-out"]
    form = {"source_url": "https://example.org/1"}
    upload = {"files": {"file": ("a.jpg", jpeg())}, "data": form}
    body = problem(
        await still.post(f"/datasets/{dataset}/images", **upload), 422, "image-not-usable"
    )
    assert body["reason"] == "opt-out"
    assert "bowerbird site unblock example.org" in body["detail"]
    table = b"url,label\nhttps://example.org/t.jpg,a\nhttps://other.test/u.jpg,a\n"
    for dry_run in ("true", "false"):
        report = await still.post(
            f"/datasets/{dataset}/imports?dry_run={dry_run}",
            content=table,
            headers={"Content-Type": "text/csv"},
        )
        assert report.json()["reasons"] == {"opt-out": 1}, report.text
        assert report.json()["added"] == 1
    assert (await still.counts(dataset))["total"] == 2
    assert (await still.delete("/sites/blocked/Example.org")).status_code == 204
    problem(await still.delete("/sites/blocked/example.org"), 404, "site-not-blocked")
    assert (await still.capture(dataset, urls[:1]))["added"] == 1


async def test_a_blocked_site_is_asked_for_other_datasets_neither(still: Bird):
    one, other = await still.dataset(), await still.dataset()
    await still.capture(one, ["https://example.org/a.jpg"])
    await still.capture(other, ["https://img.example.org/b.jpg", "https://other.test/c.jpg"])
    taken = await remove(still, dataset_id=one, block=True)
    assert taken["images"] == 1, "what others collected stays theirs"
    (kept,) = await still.images(other, status="rejected")
    assert (kept["reason"], kept["url"]) == ("opt-out", "https://img.example.org/b.jpg")
    assert "bowerbird site unblock example.org" in kept["detail"]
    retried = await still.post(f"/datasets/{other}/images/retry", json={})
    assert (retried.status_code, retried.json()["queued"]) == (200, 0), retried.text
    await still.delete("/sites/blocked/example.org")
    assert (await still.post(f"/datasets/{other}/images/retry", json={})).json()["queued"] == 1
    assert len(await still.images(other, status="queued")) == 2


async def test_a_try_under_way_is_the_last_of_a_site_that_is_blocked_meanwhile(
    bird: Bird, site: Site
):
    dataset, elsewhere = await bird.dataset(), await bird.dataset()
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def fail_late(exchange: Exchange) -> None:
        is_asked.set()
        await may_answer.wait()
        await answer(b"", status=503)(exchange)

    site.routes["/late.jpg"] = fail_late
    await bird.capture(dataset, [site.url("/late.jpg")])
    async with asyncio.timeout(60):
        await is_asked.wait()
    await remove(bird, "127.0.0.1", dataset_id=elsewhere, block=True)
    may_answer.set()
    (image,) = await settled_images(bird, dataset)
    assert (image["status"], image["reason"]) == ("rejected", "opt-out")


async def test_a_redirect_to_a_blocked_site_is_refused(bird: Bird, site: Site):
    dataset = await bird.dataset()
    await remove(bird, "127.0.0.1", block=True)
    # An address that is not blocked, of an image that lies where nothing is wanted from.
    site.routes["/far.jpg"] = answer(jpeg())
    site.routes["/near.jpg"] = redirect(site.url("/far.jpg"))
    await bird.post(f"/datasets/{dataset}/pause")
    assert (await bird.delete("/sites/blocked/127.0.0.1")).status_code == 204
    await bird.capture(dataset, [site.url("/near.jpg")])
    await remove(bird, "10.0.0.1", block=True)
    async with bird.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE blocked_sites SET site = '127.0.0.1'")
    await bird.post(f"/datasets/{dataset}/resume")
    (image,) = await settled_images(bird, dataset)
    assert (image["status"], image["reason"]) == ("rejected", "opt-out")
    assert files(bird.data) == set()


# --- in the middle of things


@asynccontextmanager
async def cut_short(bird: Bird, monkeypatch: pytest.MonkeyPatch, after: int) -> AsyncIterator[None]:
    """Have removals fail once they have taken so many batches of images."""
    take_batch = RemovalService._take
    done = 0

    async def fail(self: RemovalService, *given: Any) -> None:
        nonlocal done
        if done == after:
            raise OSError("power")
        done += 1
        await take_batch(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr("server.services.removals._BATCH", 2)
        patch.setattr(RemovalService, "_take", fail)
        yield


async def test_one_that_was_cut_short_is_finished_at_the_next_start(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    async with running(data_folder, workers=False) as bird:
        dataset = await pictures(bird, 4, of_site=2)
        made = await snapshot(bird, dataset)
        async with cut_short(bird, monkeypatch, after=1):
            assert (await bird.post("/sites/removal", json={"site": SITE})).status_code == 500
        assert (await bird.counts(dataset))["total"] == 10
        (open_one,) = (await bird.get("/sites/removals")).json()["items"]
        assert (open_one["images"], open_one["finished_at"]) == (2, None)
        # A crash may also come between the rows and their files.
        whole = files(data_folder)
        assert len(whole) == 10
    async with running(data_folder) as bird:
        async with asyncio.timeout(60):
            while True:
                (one,) = (await bird.get("/sites/removals")).json()["items"]
                if one["finished_at"] is not None:
                    break
                await asyncio.sleep(0.02)
        assert one["removal_id"] == open_one["removal_id"]
        assert (one["images"], one["blobs"]) == (6, 6)
        assert [share["images"] for share in one["snapshots"]] == [6]
        assert (await bird.counts(dataset))["total"] == 6
        assert (await bird.get(f"/snapshots/{made['id']}")).json()["removed_count"] == 6
        assert len(files(data_folder)) == 6


async def test_one_that_was_cut_short_goes_on_when_it_is_asked_for_again(
    still: Bird, monkeypatch: pytest.MonkeyPatch
):
    await pictures(still, 2, of_site=1)
    async with cut_short(still, monkeypatch, after=1):
        assert (await still.post("/sites/removal", json={"site": SITE})).status_code == 500
    left = next(iter(files(still.data)))
    async with still.database.write() as session:  # as after a crash before the file went
        connection = await session.connection()
        await connection.exec_driver_sql(
            "INSERT OR REPLACE INTO removed_blobs SELECT ?, id, created_at FROM removals",
            ("0" * 64,),
        )
    stray = still.data / "blobs" / "00" / ("0" * 64)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"left behind")
    taken = await remove(still)
    assert (taken["images"], len((await still.get("/sites/removals")).json()["items"])) == (3, 1)
    assert not stray.exists()
    assert len(left) == 64


async def test_what_is_being_downloaded_goes_too(bird: Bird, site: Site):
    dataset = await bird.dataset()
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        is_asked.set()
        await may_answer.wait()
        await answer(jpeg())(exchange)

    site.routes["/slow.jpg"] = slow
    await bird.capture(dataset, [site.url("/slow.jpg")])
    async with asyncio.timeout(60):
        await is_asked.wait()
    assert (await remove(bird, "127.0.0.1"))["images"] == 1
    may_answer.set()
    other = await bird.dataset()
    site.routes["/after.jpg"] = answer(jpeg(seed=3))
    await bird.capture(other, [site.url("/after.jpg")])
    await bird.settled(other)
    await eventually(lambda: len(files(bird.data)) == 1)
    assert (await bird.counts(dataset))["total"] == 0
    (kept,) = await bird.images(other)
    assert files(bird.data) == {kept["sha256"]}


@pytest.mark.slow
async def test_bytes_that_come_while_the_same_ones_go_are_not_lost(bird: Bird, site: Site):
    """Again and again the last holder of some bytes goes while they arrive from elsewhere."""
    data = jpeg()
    site.routes |= {f"/{n}.jpg": answer(data) for n in range(12)}
    dataset, other = await bird.dataset(), await bird.dataset()
    for n in range(12):
        await bird.upload(other, data, "a", source_url="https://example.org/1")
        captured = asyncio.create_task(bird.capture(dataset, [site.url(f"/{n}.jpg")]))
        await asyncio.sleep(0.01 * (n % 4))
        await remove(bird)
        await captured
        await bird.settled(dataset)
        for image in await bird.images(dataset):
            if image["status"] in {"ready", "duplicate"}:
                assert (await bird.get(f"/images/{image['id']}/file")).content == data
        await remove(bird, "127.0.0.1", dataset_id=dataset)
        assert files(bird.data) == set()

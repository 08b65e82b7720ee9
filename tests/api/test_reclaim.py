"""Bytes that nothing holds any more go, and no others: rows, files, whoever comes in between."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from server.contract.files import sha256_of
from server.services import reclaim, snapshots
from server.services.reclaim import Reclaimed, ReclaimService
from tests.support.app import SETTLE_S, Bird, eventually
from tests.support.images import jpeg
from tests.support.played_trainer import coloured_dataset, snapshot, trained
from tests.support.site import Site, answer
from tests.support.snapshots import COLOURS, picture


def service(bird: Bird) -> ReclaimService:
    return bird.parts.downloads.cleaning.reclaim


def files(bird: Bird) -> set[str]:
    """Return the hashes of blobs, thumbnails and the trainer's copies on disk."""
    folders = ("blobs", "thumbnails", "trainer/blobs")
    found = [path for folder in folders for path in (bird.data / folder).glob("*/*")]
    return {path.name.removesuffix(".jpg") for path in found}


def copy_for_the_trainer(bird: Bird, sha256: str) -> Path:
    path = bird.data / "trainer" / "blobs" / sha256[:2] / sha256
    path.parent.mkdir(parents=True)
    path.write_bytes(b"what the trainer beside the server has fetched")
    return path


async def rows(bird: Bird, table: str = "blobs") -> set[str]:
    async with bird.database.read() as session:
        return set(await session.scalars(text(f"SELECT sha256 FROM {table}")))


async def collected(bird: Bird, site: Site, per_label: int = 4) -> tuple[str, dict[str, str]]:
    """Return a dataset whose images come from captures, and the captures by label."""
    dataset = await bird.dataset()
    captures = {}
    for place, label in enumerate(COLOURS):
        paths = [f"/{label}/{number}.jpg" for number in range(per_label)]
        for number, path in enumerate(paths):
            site.routes[path] = answer(picture(COLOURS[label], 1000 * place + number))
        taken = await bird.capture(dataset, [site.url(path) for path in paths], label)
        captures[label] = taken["capture_id"]
    counts = await bird.download(dataset)
    assert counts["status"]["ready"] == per_label * len(COLOURS)
    return dataset, captures


async def undo(bird: Bird, captures: dict[str, str]) -> None:
    for capture in captures.values():
        assert (await bird.delete(f"/captures/{capture}")).status_code == 204


async def test_a_deleted_dataset_leaves_no_bytes_but_those_of_others(still: Bird):
    dataset, other = await coloured_dataset(still, 5), await still.dataset()
    shared = picture(COLOURS["blue"], 0)
    image = await still.upload(other, shared, "x")
    copy_for_the_trainer(still, min(files(still) - {sha256_of(shared)}))
    await trained(still, dataset)
    assert await service(still).reclaim() == Reclaimed(), "images hold all of it"
    before = (await still.get("/server/disk")).json()["images_bytes"]
    await still.delete(f"/datasets/{dataset}")
    won = await service(still).reclaim()
    assert won.count == 14
    assert (
        (await still.get("/server/disk")).json()["images_bytes"]
        == before - won.bytes
        == len(shared)
    )
    assert files(still) == await rows(still) == {sha256_of(shared)}
    assert (await still.get(f"/images/{image['id']}/file")).content == shared
    assert await rows(still, "removed_blobs") == set(), "it is no removal of a site"
    again = await still.upload(other, picture(COLOURS["blue"], 1), "x")
    assert (await still.get(f"/images/{again['id']}/thumbnail")).status_code == 200
    assert await service(still).reclaim() == Reclaimed()


async def test_what_a_snapshot_holds_stays_as_long_as_it(still: Bird, site: Site):
    dataset, captures = await collected(still, site)
    made = await snapshot(still, dataset)
    loose = captures | {
        "z": (await still.capture(dataset, [site.url("/z.jpg")], "z"))["capture_id"]
    }
    site.routes["/z.jpg"] = answer(jpeg())
    await still.download(dataset)
    await undo(still, loose)
    assert (await service(still).reclaim()).count == 1, "what came after the snapshot"
    held = files(still)
    assert len(held) == 12
    for sha256 in held:
        assert (await still.get(f"/blobs/{sha256}")).status_code == 200
    shown = (await still.get(f"/snapshots/{made['id']}")).json()
    assert shown["removed_count"] == 0
    await still.delete(f"/datasets/{dataset}")
    assert (await service(still).reclaim()).count == 12
    assert files(still) == await rows(still) == set()


@asynccontextmanager
async def making_a_snapshot(
    bird: Bird, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[], Coroutine[Any, Any, dict[str, Any]]]]:
    """Yield in the middle of it; what is yielded lets it finish, and returns it."""
    begun, may_end = asyncio.Event(), asyncio.Event()
    verify = snapshots.verify_blobs

    async def verify_later(*given: Any) -> Any:
        begun.set()
        await may_end.wait()
        return await verify(*given)

    monkeypatch.setattr(snapshots, "verify_blobs", verify_later)
    making = asyncio.create_task(snapshot(bird, dataset))

    async def finish() -> dict[str, Any]:
        may_end.set()
        return await making

    try:
        async with asyncio.timeout(SETTLE_S):
            await begun.wait()
        yield finish
    finally:
        may_end.set()
        await asyncio.wait([making])


async def test_what_a_snapshot_in_the_making_needs_stays(
    still: Bird, site: Site, monkeypatch: pytest.MonkeyPatch
):
    dataset, captures = await collected(still, site)
    async with making_a_snapshot(still, dataset, monkeypatch) as finish:
        await undo(still, captures)
        assert await service(still).reclaim() == Reclaimed()
        await finish()
    assert await service(still).reclaim() == Reclaimed()
    assert len(files(still)) == 12
    await still.delete(f"/datasets/{dataset}")
    assert (await service(still).reclaim()).count == 12


async def test_a_snapshot_that_is_made_between_looking_and_taking_keeps_its_bytes(
    still: Bird, site: Site, monkeypatch: pytest.MonkeyPatch
):
    dataset, captures = await collected(still, site)
    take = ReclaimService._take
    async with making_a_snapshot(still, dataset, monkeypatch) as finish:
        await undo(still, captures)

        async def finish_and_take(self: ReclaimService, *given: Any) -> Any:
            await finish()
            return await take(self, *given)

        monkeypatch.setattr(ReclaimService, "_take", finish_and_take)
        assert await service(still).reclaim() == Reclaimed()
    assert len(files(still)) == 12


async def test_a_snapshot_that_fails_holds_nothing(
    still: Bird, site: Site, monkeypatch: pytest.MonkeyPatch
):
    dataset, _ = await collected(still, site)
    async with making_a_snapshot(still, dataset, monkeypatch) as finish:
        await still.delete(f"/datasets/{dataset}")
        assert await service(still).reclaim() == Reclaimed()
        with pytest.raises(AssertionError, match="dataset-not-found"):
            await finish()
    assert (await service(still).reclaim()).count == 12
    assert files(still) == set()


async def test_bytes_that_come_back_meanwhile_are_there(
    still: Bird, site: Site, monkeypatch: pytest.MonkeyPatch
):
    """The files are written, and found there, before the row is: in between, they go."""
    _, captures = await collected(still, site, per_label=1)
    await undo(still, captures)
    settle = still.parts.services.downloads.settle
    won = []

    async def reclaim_and_settle(results: Any) -> None:
        won.append((await service(still).reclaim()).count)
        await settle(results)

    monkeypatch.setattr(still.parts.services.downloads, "settle", reclaim_and_settle)
    await collected(still, site, per_label=1)
    assert sum(won) == 3, "all of them went once"
    assert len(files(still)) == len(await rows(still)) == 3


async def test_what_a_crash_left_is_found(still: Bird, monkeypatch: pytest.MonkeyPatch):
    dataset = await coloured_dataset(still, 2)
    copy = copy_for_the_trainer(still, min(files(still)))
    await still.delete(f"/datasets/{dataset}")

    async def be_killed(_hashes: Any) -> None:
        raise OSError("power")

    with monkeypatch.context() as patch:
        patch.setattr(reclaim, "_BATCH", 4)
        patch.setattr(still.parts.services.images._custody, "delete_files", be_killed)
        with pytest.raises(OSError, match="power"):
            await service(still).reclaim()
    assert (len(await rows(still)), len(files(still))) == (2, 6), "rows before files"
    assert (await service(still).reclaim()).count == 2
    long_ago = time.time() - 2 * 3600
    for path in still.data.glob("*/*/*"):
        os.utime(path, (long_ago, long_ago))
    os.utime(copy, (long_ago, long_ago))
    assert await still.parts.downloads.cleaning.sweep.sweep_orphans() >= 4 * 2
    assert files(still) == set()


@pytest.mark.parametrize("left", [None, b'{"items":[]}'], ids=["gone", "damaged"])
async def test_nothing_goes_while_a_manifest_cannot_be_read(still: Bird, left: bytes | None):
    dataset, other = await coloured_dataset(still, 5), await coloured_dataset(still, 6)
    made = await snapshot(still, other)
    manifest = still.data / "snapshots" / f"{made['id']}.json"
    whole = manifest.read_bytes()
    manifest.unlink()
    if left is not None:
        manifest.write_bytes(left)
    await still.upload(await still.dataset(), jpeg())
    (loose,) = [d["id"] for d in (await still.get("/datasets")).json()["items"][:1]]
    await still.delete(f"/datasets/{loose}")
    assert await service(still).reclaim() == Reclaimed()
    manifest.write_bytes(whole)
    assert (await service(still).reclaim()).count == 1
    assert (await still.counts(dataset))["total"] == 15


async def test_it_is_done_as_soon_as_a_dataset_is_deleted(bird: Bird):
    dataset, other = await coloured_dataset(bird, 3), await bird.dataset()
    kept = await bird.upload(other, jpeg(), "x")
    await bird.delete(f"/datasets/{dataset}")
    await eventually(lambda: files(bird) == {kept["sha256"]}, SETTLE_S)

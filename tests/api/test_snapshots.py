"""Snapshots: verified, split once and for all, the same bytes for ever."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from server.contract.files import sha256_of
from server.contract.snapshot import Manifest, Split
from tests.support.app import Bird, problem
from tests.support.images import jpeg
from tests.support.played_trainer import coloured_dataset, snapshot
from tests.support.site import Site, answer

on_shared = pytest.mark.asyncio(loop_scope="module")


async def manifest_of(bird: Bird, snapshot_id: str) -> Manifest:
    return Manifest.from_bytes((await bird.get(f"/snapshots/{snapshot_id}/manifest")).content)


def reencoded(data: bytes, quality: int) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:  # noqa: TID251 - our own bytes
        image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@on_shared
async def test_a_snapshot_is_its_manifest(shared: Bird):
    dataset = await coloured_dataset(shared)
    made = await snapshot(shared, dataset, valid_ratio=0.3, seed=7)
    response = await shared.get(f"/snapshots/{made['id']}/manifest")
    assert response.headers["content-type"] == "application/json"
    assert sha256_of(response.content) == made["manifest_sha256"]
    assert response.headers["etag"] == f'"{made["manifest_sha256"]}"'
    assert (await shared.get(f"/snapshots/{made['id']}/manifest")).content == response.content
    manifest = Manifest.from_bytes(response.content)
    assert (manifest.snapshot_id, manifest.dataset.id) == (made["id"], dataset)
    assert manifest.classes == ("blue", "green", "red")
    assert (manifest.valid_ratio, manifest.seed) == (0.3, 7)
    counts = made["counts"]
    assert counts["total"] == 24 == counts["train"] + counts["valid"]
    assert counts["valid"] == len(manifest.items_of(Split.VALID))
    assert sum(sides["train"] for sides in counts["labels"].values()) == counts["train"]
    for item in manifest.items[:3]:
        blob = await shared.get(f"/blobs/{item.sha256}")
        assert sha256_of(blob.content) == item.sha256
        assert len(blob.content) == item.bytes
    assert (await shared.get(f"/snapshots/{made['id']}")).json() == made
    (listed,) = (await shared.get(f"/datasets/{dataset}/snapshots")).json()["items"]
    assert listed == made


@on_shared
async def test_images_stay_on_their_side_when_the_dataset_grows(shared: Bird):
    dataset = await coloured_dataset(shared)
    before = await manifest_of(shared, (await snapshot(shared, dataset))["id"])
    for n in range(20):
        await shared.upload(dataset, jpeg(seed=n), "green")
    after = await manifest_of(shared, (await snapshot(shared, dataset))["id"])
    sides = {item.sha256: item.split for item in after.items}
    assert len(after.items) == len(before.items) + 20
    assert all(sides[item.sha256] == item.split for item in before.items)
    other = await manifest_of(shared, (await snapshot(shared, dataset, seed=1))["id"])
    assert {i.sha256: i.split for i in other.items} != sides, "another seed is another split"


@on_shared
async def test_near_duplicates_share_a_group_and_so_a_side(shared: Bird):
    dataset = await coloured_dataset(shared, 4)
    originals = [jpeg(seed=n, quality=95) for n in range(8)]
    for data in originals:
        await shared.upload(dataset, data, "red")
    await snapshot(shared, dataset)
    for data in originals:  # the second half comes after the first has been split
        await shared.upload(dataset, reencoded(data, 60), "red")
    manifest = await manifest_of(shared, (await snapshot(shared, dataset))["id"])
    groups = {item.sha256: item.group for item in manifest.items}
    for data in originals:
        assert groups[sha256_of(data)] == groups[sha256_of(reencoded(data, 60))]
    assert len({groups[sha256_of(data)] for data in originals}) == len(originals)
    sides = {}
    for item in manifest.items:
        assert sides.setdefault(item.group, item.split) == item.split


@on_shared
async def test_snapshots_at_once_agree_on_every_group(shared: Bird):
    dataset = await coloured_dataset(shared)
    made = await asyncio.gather(*(snapshot(shared, dataset) for _ in range(4)))
    manifests = [await manifest_of(shared, one["id"]) for one in made]
    groups = [{item.sha256: item.group for item in m.items} for m in manifests]
    assert all(one == groups[0] for one in groups)


@on_shared
async def test_excluded_unlabelled_and_unready_images_are_left_out(shared: Bird):
    dataset = await coloured_dataset(shared, 6)
    images = await shared.images(dataset)
    for image in images[:2]:
        await shared.patch(f"/images/{image['id']}", json={"excluded": True})
    await shared.upload(dataset, jpeg())
    await shared.capture(dataset, ["http://a.test/1"], "red")
    manifest = await manifest_of(shared, (await snapshot(shared, dataset))["id"])
    left = {image["sha256"] for image in images[2:]}
    assert {item.sha256 for item in manifest.items} == left


@on_shared
async def test_a_flipped_byte_on_disk_is_found(shared: Bird):
    dataset = await coloured_dataset(shared)
    image = await shared.upload(dataset, jpeg(seed=555), "red")
    path = shared.parts.services.images._stores.blobs.path(image["sha256"])
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    response = await shared.post(f"/datasets/{dataset}/snapshots")
    body = problem(response, 409, "blob-damaged")
    assert body["image_ids"] == [image["id"]]
    path.unlink()
    problem(await shared.post(f"/datasets/{dataset}/snapshots"), 409, "blob-damaged")
    await shared.patch(f"/images/{image['id']}", json={"excluded": True})
    await snapshot(shared, dataset)


async def test_one_picture_under_two_labels_names_both_images(bird: Bird, site: Site):
    dataset = await coloured_dataset(bird, 6)
    first = await bird.upload(dataset, jpeg(), "red")
    site.routes["/a.jpg"] = answer(jpeg())
    await bird.capture(dataset, [site.url("/a.jpg")], "blue")
    await bird.settled(dataset)
    second = (await bird.images(dataset, status="duplicate"))[0]
    body = problem(await bird.post(f"/datasets/{dataset}/snapshots"), 409, "label-conflict")
    assert body["image_ids"] == [first["id"], second["id"]]
    assert body["labels"] == ["red", "blue"]
    await bird.patch(f"/images/{second['id']}", json={"label": "red"})
    assert (await snapshot(bird, dataset))["counts"]["total"] == 19, "one blob is one item"


@on_shared
async def test_without_two_labels_there_is_nothing_to_tell_apart(shared: Bird):
    dataset = await shared.dataset()
    path = f"/datasets/{dataset}/snapshots"
    problem(await shared.post(path), 409, "not-enough-images")
    for n in range(4):
        await shared.upload(dataset, jpeg(seed=n), "cat")
    problem(await shared.post(path), 409, "not-enough-images")
    await shared.upload(dataset, jpeg(seed=10), "dog")
    body = problem(await shared.post(path), 409, "not-enough-images")
    assert body["labels"] == ["dog"]
    assert "dog" in body["detail"]


@on_shared
async def test_each_side_needs_images(shared: Bird):
    dataset = await coloured_dataset(shared, 3)
    path = f"/datasets/{dataset}/snapshots"
    tiny = await shared.post(path, json={"valid_ratio": 1e-6})
    assert "validation side" in problem(tiny, 409, "not-enough-images")["detail"]
    huge = await shared.post(path, json={"valid_ratio": 0.999999})
    body = problem(huge, 409, "not-enough-images")
    assert body["labels"] == ["blue", "green", "red"]
    assert (await shared.get(path)).json()["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"valid_ratio": 0},
        {"valid_ratio": 1},
        {"seed": -1},
        {"seed": 2**63},
        {"min_per_label": 0},
        {"ratio": 0.2},
    ],
    ids=str,
)
@on_shared
async def test_how_to_split_is_checked(shared: Bird, body):
    response = await shared.post(f"/datasets/{await shared.dataset()}/snapshots", json=body)
    problem(response, 422, "invalid-request")


@on_shared
async def test_a_ratio_that_is_no_number_is_refused(shared: Bird):
    response = await shared.post(
        f"/datasets/{await shared.dataset()}/snapshots",
        content=b'{"valid_ratio": NaN}',
        headers={"Content-Type": "application/json"},
    )
    problem(response, 422, "invalid-request")

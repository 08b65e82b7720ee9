"""Blobs that look alike share a group, however they came and whoever was away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.contract.files import sha256_of
from tests.support.app import Bird, eventually, running
from tests.support.images import encode, jpeg, photo

COPIES = [jpeg(seed=1), encode(photo(seed=1), quality=40), encode(photo(seed=1), "WEBP")]
OTHERS = [jpeg(seed=seed) for seed in range(2, 6)]


def groups(data: Path) -> dict[str, str | None]:
    """Return the group of each blob, as another process reads it."""
    with closing(sqlite3.connect(data / "bowerbird.db")) as connection:
        return dict(connection.execute("SELECT sha256, near_group FROM blobs").fetchall())


def are_grouped(data: Path, count: int) -> bool:
    found = groups(data)
    return len(found) == count and None not in found.values()


async def upload_all(bird: Bird, images: list[bytes], name: str = "photos") -> None:
    dataset = await bird.dataset(name)
    for data in images:
        await bird.upload(dataset, data)


async def test_a_copy_joins_the_group_of_the_first(data_folder: Path):
    async with running(data_folder) as bird:
        await upload_all(bird, [*COPIES, *OTHERS])
        await eventually(lambda: are_grouped(data_folder, 7))
    first = sha256_of(COPIES[0])
    found = groups(data_folder)
    assert {found[sha256_of(data)] for data in COPIES} == {first}
    assert all(found[sha256_of(data)] == sha256_of(data) for data in OTHERS)


@pytest.mark.slow
async def test_groups_are_the_same_after_a_restart(data_folder: Path):
    async with running(data_folder) as bird:
        await upload_all(bird, [COPIES[0], *OTHERS])
        await eventually(lambda: are_grouped(data_folder, 5))
    async with running(data_folder) as bird:
        await upload_all(bird, COPIES[1:], "more photos")
        await eventually(lambda: are_grouped(data_folder, 7))
    assert {groups(data_folder)[sha256_of(data)] for data in COPIES} == {sha256_of(COPIES[0])}


async def test_blobs_of_an_older_revision_are_looked_at_again(data_folder: Path):
    async with running(data_folder, workers=False) as bird:
        await upload_all(bird, [*COPIES, *OTHERS])
    lost = sha256_of(OTHERS[0])
    (thumbnail,) = (data_folder / "thumbnails").glob(f"*/{lost}.jpg")
    thumbnail.unlink()
    with closing(sqlite3.connect(data_folder / "bowerbird.db")) as connection, connection:
        before = dict(connection.execute("SELECT sha256, phash FROM blobs").fetchall())
        connection.execute("UPDATE blobs SET phash = NULL, sharpness = NULL, luma_p99 = NULL")
    async with running(data_folder):
        await eventually(lambda: are_grouped(data_folder, 7))
    with closing(sqlite3.connect(data_folder / "bowerbird.db")) as connection:
        rows = connection.execute("SELECT sha256, phash, sharpness FROM blobs").fetchall()
    for sha256, phash, sharpness in rows:
        if sha256 == lost:
            assert (phash, sharpness) == (0, None)
        else:
            # From the thumbnail, which is a JPEG of what the first look saw.
            assert (phash ^ before[sha256]).bit_count() <= 4
            assert sharpness > 0
    assert {groups(data_folder)[sha256_of(data)] for data in COPIES} == {sha256_of(COPIES[0])}

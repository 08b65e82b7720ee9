"""What was removed for good is told to trainers, who delete what they keep of it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from server.services import removals
from server.services.access import TokenKind
from tests.support.app import Bird, listening, problem
from tests.support.images import jpeg
from tests.support.snapshots import coloured, make_snapshot
from tests.support.training_server import TOKEN, training_server
from trainer import forgetting
from trainer.client import ServerClient
from trainer.data.cache_file import FEATURES_FILE, PICTURES_FILE
from trainer.data.pictures import open_pictures
from trainer.data.store import ImageArrays, open_store
from trainer.forgetting import CURSORS_FILE, Forgetting
from trainer.snapshot import blob_path
from trainer.transport import Transport

SITES = ("one.test", "two.test")


async def collected(bird: Bird, per_site: int) -> dict[str, list[str]]:
    """Return the hashes of images by their site."""
    dataset = await bird.dataset()
    found: dict[str, list[str]] = {}
    for place, site in enumerate(SITES):
        for number in range(per_site):
            data = jpeg(64, 48, 100 * place + number)
            image = await bird.upload(dataset, data, "x", source_url=f"https://{site}/{number}")
            found.setdefault(site, []).append(image["sha256"])
    return found


async def remove(bird: Bird, site: str) -> None:
    response = await bird.post("/sites/removal", json={"site": site})
    assert response.status_code == 200, response.text


async def ask(bird: Bird, **params: Any) -> tuple[list[str], str | None]:
    response = await bird.get("/removed-blobs", params=params)
    assert response.status_code == 200, response.text
    body = response.json()
    return [item["sha256"] for item in body["items"]], body["next_cursor"]


# --- what the server tells


async def test_all_is_told_once_and_more_later(still: Bird, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(removals, "_BATCH", 3)
    assert await ask(still) == ([], None)
    of = await collected(still, 7)
    await remove(still, SITES[0])
    told, cursor = [], None
    for size in (3, 3, 1, 0):
        page, cursor = await ask(still, limit=3, **({"cursor": cursor} if cursor else {}))
        assert len(page) == size
        told += page
    assert sorted(told) == sorted(of[SITES[0]])
    await remove(still, SITES[1])
    later, end = await ask(still, cursor=cursor)
    assert sorted(later) == sorted(of[SITES[1]])
    assert await ask(still, cursor=end) == ([], end), "it is kept for the next time"
    items = (await still.get("/removed-blobs")).json()["items"]
    moments = [datetime.fromisoformat(item["removed_at"]) for item in items]
    assert moments == sorted(moments)
    assert moments[0].tzinfo is not None


async def test_a_clock_that_was_set_back_hides_nothing(
    still: Bird, monkeypatch: pytest.MonkeyPatch
):
    of = await collected(still, 2)
    await remove(still, SITES[0])
    _, cursor = await ask(still)

    class Before(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Before:
            return cls(2020, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(removals, "datetime", Before)
    await remove(still, SITES[1])
    assert sorted((await ask(still, cursor=cursor))[0]) == sorted(of[SITES[1]])


@pytest.mark.parametrize("cursor", ["x", "", "1.2", "9" * 18 + "." + "0" * 64, "-1." + "0" * 64])
async def test_what_is_no_cursor_is_refused(still: Bird, cursor: str):
    problem(await still.get("/removed-blobs", params={"cursor": cursor}), 422, "invalid-cursor")


# --- what the trainer does


def pixels(sha256: str) -> np.ndarray:
    random = np.random.default_rng(int(sha256[:8], 16))
    return random.integers(0, 256, (64, 64, 3), dtype=np.uint8)


def cache(work: Path, hashes: list[str]) -> None:
    """Keep of images what a training does."""
    with (
        open_store(work / FEATURES_FILE) as store,
        open_pictures(work / PICTURES_FILE, 1 << 30) as pictures,
    ):
        for sha in hashes:
            square = pixels(sha)
            arrays = ImageArrays(square[..., 0].ravel().astype(np.float32), square[:32, :32])
            store.add("v", {sha: arrays})
            pictures.add("v", {sha: square})
            blob_path(work / "blobs", sha).parent.mkdir(parents=True, exist_ok=True)
            blob_path(work / "blobs", sha).write_bytes(square.tobytes())


def has_traces(work: Path, sha256: str) -> bool:
    wanted = pixels(sha256)[10].tobytes()
    files = [path for path in work.rglob("*") if path.is_file()]
    return any(wanted in path.read_bytes() for path in files)


def forget(address: str, token: str, work: Path) -> int:
    with Transport(address, SecretStr(token), 4, lambda _: None) as transport:
        return Forgetting(ServerClient(transport, "tester", 4), address, work).run()


async def test_a_trainer_forgets_what_was_removed(
    still: Bird, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("trainer.client.MAX_REMOVED", 2)
    of = await collected(still, 3)
    work = tmp_path / "work"
    cache(work, of[SITES[0]] + of[SITES[1]])
    token, _ = await still.parts.services.access.create("trainer", TokenKind.TRAINER)
    async with listening(still) as address:
        assert await asyncio.to_thread(forget, address, token, work) == 0
        assert all(has_traces(work, sha) for sha in of[SITES[0]])
        await remove(still, SITES[0])
        assert await asyncio.to_thread(forget, address, token, work) == 3
        assert not any(has_traces(work, sha) for sha in of[SITES[0]])
        assert all(has_traces(work, sha) for sha in of[SITES[1]]), "others stay"
        assert await asyncio.to_thread(forget, address, token, work) == 0, "it is not told twice"
        with open_pictures(work / PICTURES_FILE, 1 << 30) as pictures:
            assert sorted(pictures.find("v", of[SITES[0]] + of[SITES[1]])) == sorted(of[SITES[1]])
        assert list(json.loads((work / CURSORS_FILE).read_bytes())) == [address]


async def test_what_could_not_be_deleted_is_asked_for_again(
    still: Bird, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    of = await collected(still, 2)
    work = tmp_path / "work"
    cache(work, of[SITES[0]])
    await remove(still, SITES[0])

    def be_locked(*_: object) -> int:
        raise sqlite3.OperationalError("database is locked")

    async with listening(still) as address:
        with monkeypatch.context() as patch:
            patch.setattr(forgetting, "erase", be_locked)
            assert await asyncio.to_thread(forget, address, still.token, work) == 0
        assert not (work / CURSORS_FILE).exists()
        assert await asyncio.to_thread(forget, address, still.token, work) == 2
        assert not any(has_traces(work, sha) for sha in of[SITES[0]])
        # Of a server whose database is another by now, or of a file that was damaged.
        for left in (json.dumps({address: "unknown", "http://other": "1.2"}), "{", "[]"):
            (work / CURSORS_FILE).write_text(left)
            assert await asyncio.to_thread(forget, address, still.token, work) == 2
        kept = json.loads((work / CURSORS_FILE).read_bytes())
        assert kept[address].endswith(sorted(of[SITES[0]])[-1])


def test_an_older_server_is_no_failure(tmp_path: Path):
    with training_server(make_snapshot(tmp_path / "server", coloured(1))) as play:
        assert forget(play.address, TOKEN, tmp_path / "work") == 0
        assert play.requests == [("GET", "removed-blobs")]
        assert forget(play.address, "another token", tmp_path / "work") == 0
    assert forget(play.address, TOKEN, tmp_path / "work") == 0, "nor one that is away"
    assert not (tmp_path / "work").exists()

"""Putting the server together: one on a folder, tokens left, ports taken."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server import assembly, main
from server.api.address import listen, shown_host
from server.assembly import build
from server.db.session import Database
from server.errors import DataFolderInUseError
from server.main import create_token
from server.services.access import AccessService, TokenKind
from server.workers.trainer import TrainerState
from tests.support.app import Bird, in_one_task, running, settings_for


@pytest.fixture
async def still(data_folder: Path) -> AsyncIterator[Bird]:
    async with in_one_task(lambda: running(data_folder, workers=False)) as bird:
        yield bird


async def test_two_servers_do_not_share_a_folder(still: Bird):
    async def start() -> None:
        async with build(still.settings):
            pass

    with pytest.raises(DataFolderInUseError, match="another server uses"):
        await start()


async def test_a_folder_is_free_as_soon_as_its_server_is_closed(data_folder: Path):
    settings = settings_for(data_folder)
    for _ in range(2):
        async with build(settings) as parts:
            held = parts  # what is still referenced must not hold the lock
        assert held.services


def test_a_token_is_made_without_a_server(tmp_path: Path):
    settings = settings_for(tmp_path / "new" / "folder")
    text = create_token(settings, "note")

    async def holder() -> str:
        database = Database(settings.resolved_database_url)
        try:
            return (await AccessService(database).check(text)).name
        finally:
            await database.close()

    assert asyncio.run(holder()) == "note"


async def test_a_token_that_is_made_beside_a_running_server_works_at_once(still: Bird):
    text = await asyncio.to_thread(create_token, still.settings, "note")
    async with still.anonymous(Authorization=f"Bearer {text}") as client:
        assert (await client.get("/api/v1/server")).json()["token"]["name"] == "note"


def test_a_port_that_is_taken_is_an_error_and_leaves_no_socket(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_for(tmp_path, http={"port": taken.getsockname()[1]})
        with pytest.raises(OSError, match=r"[Aa]ddress"):
            listen(settings.http)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]")],
)
def test_the_address_that_is_shown_can_be_opened(host, shown):
    assert shown_host(host) == shown


@pytest.mark.parametrize(
    ("enabled", "has_torch", "state"),
    [
        (False, True, TrainerState.OFF),
        (True, False, TrainerState.MISSING),
        (True, True, None),
    ],
)
async def test_a_trainer_is_started_where_it_can_run(
    still: Bird, monkeypatch, enabled, has_torch, state
):
    settings = settings_for(still.data, training={"enabled": enabled})
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: (object() if has_torch else None) if name == "torch" else find(name),
    )
    services = still.parts.services
    process = await main._trainer(services, settings, "http://127.0.0.1:1")
    assert (process is None) == (state is not None)
    if process is None:
        assert services.about.trainer_state is state
    else:
        token = process._environment["BOWERBIRD_TOKEN"]
        assert (await services.access.check(token)).kind is TokenKind.TRAINER
        process._tell(TrainerState.RUNNING)
        assert (await still.get("/server")).json()["trainer"]["state"] == "running"


def test_the_version_is_told_even_when_nothing_is_installed(monkeypatch):
    assert assembly.version()[0].isdigit()

    def fail(_name: str) -> str:
        raise assembly.metadata.PackageNotFoundError

    monkeypatch.setattr(assembly.metadata, "version", fail)
    assert assembly.version() == "0+unknown"


async def test_half_an_upload_that_a_crash_left_is_swept(data_folder: Path):
    left = data_folder / "incoming" / "upload-abc"
    left.parent.mkdir()
    left.write_bytes(b"PK")
    async with running(data_folder, workers=False):
        assert not left.exists()

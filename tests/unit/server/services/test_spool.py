"""Bodies on their way to a disk that is full."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.errors import DiskFullError
from server.inference.pool import CpuPool
from server.services import spool
from server.services.spool import Spool


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield bytes(100_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
async def test_a_full_disk_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name = tmp_path / "upload-full"

    def open_full(**_options: object) -> tuple[int, str]:
        name.symlink_to("/dev/full")
        return os.open(name, os.O_WRONLY), str(name)

    monkeypatch.setattr(spool.tempfile, "mkstemp", open_full)
    pool = CpuPool(1)
    try:
        with pytest.raises(DiskFullError, match="free some and send it again"):
            async with Spool(tmp_path, pool).receive(chunks(), 10**6):
                pass
    finally:
        pool.close()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a folder of a test


async def test_a_disk_that_fills_up_while_the_file_is_read_is_told_too(tmp_path: Path):
    pool = CpuPool(1)
    full = OSError(errno.ENOSPC, "No space left on device")
    try:
        for error in (full, ExceptionGroup("tasks", [full])):
            with pytest.raises(DiskFullError):
                async with Spool(tmp_path, pool).receive(chunks(), 10**6):
                    raise error
        with pytest.raises(PermissionError):
            async with Spool(tmp_path, pool).receive(chunks(), 10**6):
                raise PermissionError(errno.EACCES, "Permission denied")
    finally:
        pool.close()


async def test_a_body_that_claims_more_than_there_is_room_for_is_refused_unread(tmp_path: Path):
    pool = CpuPool(1)

    async def never() -> AsyncIterator[bytes]:
        pytest.fail("the body was read")
        yield b""

    try:
        room = Spool(tmp_path, pool)
        claimed = 2 * await room.free_bytes()
        with pytest.raises(DiskFullError, match="free some and send it again"):
            async with room.receive(never(), 2 * claimed, claimed):
                pass
    finally:
        pool.close()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a folder of a test

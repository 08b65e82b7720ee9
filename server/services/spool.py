"""Large request bodies go to disk as they come, under a cap, and never into memory whole."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from server.errors import BodyTooLargeError, DiskFullError
from server.inference.pool import CpuPool

PREFIX = "upload-"
_NO_ROOM: Final = "there is no room for this file on the server's disk; free some and send it again"


class Spool:
    """A folder for bodies on their way in."""

    def __init__(self, folder: Path, pool: CpuPool) -> None:
        """Keep the folder, and clear it of what a crash left.

        Args:
            folder: On the same file system as the stores, so that a body is moved, not copied.
            pool: Where blocking writes run.
        """
        self._folder = folder
        self._pool = pool
        for left in folder.glob(f"{PREFIX}*"):
            left.unlink()

    async def free_bytes(self) -> int:
        """Return how much room the disk has left, that of the stores too."""
        return (await self._pool.run(shutil.disk_usage, self._folder)).free

    @asynccontextmanager
    async def receive(
        self, chunks: AsyncIterator[bytes], max_bytes: int, claimed_bytes: int = 0
    ) -> AsyncIterator[Path]:
        """Yield a durable file with the whole body; it is deleted afterwards if still there.

        A disk that fills up while the caller works on the file is told likewise.

        Args:
            chunks: The body.
            max_bytes: The cap.
            claimed_bytes: How long the body says it is: what the disk has no room for is refused
                before it fills it, for everybody else too.

        Raises:
            BodyTooLargeError: The body has more than ``max_bytes``.
            DiskFullError: The disk has no room for it, or for what is made of it.
        """
        if claimed_bytes > await self.free_bytes():
            raise DiskFullError(_NO_ROOM)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=PREFIX)
        path = Path(name)
        try:
            with _telling_a_full_disk():
                with os.fdopen(descriptor, "wb") as file:
                    size_bytes = 0
                    async for chunk in chunks:
                        size_bytes += len(chunk)
                        if size_bytes > max_bytes:
                            raise BodyTooLargeError(f"at most {max_bytes} bytes are accepted")
                        await self._pool.run(file.write, chunk)
                    await self._pool.run(file.flush)
                    await self._pool.run(os.fsync, file.fileno())
                yield path
        finally:
            await self._pool.run(path.unlink, missing_ok=True)


@contextmanager
def _telling_a_full_disk() -> Iterator[None]:
    try:
        yield
    except (OSError, ExceptionGroup) as error:  # what is done with the body may be several tasks
        full = error.subgroup(_is_full) if isinstance(error, ExceptionGroup) else _is_full(error)
        if not full:
            raise
        raise DiskFullError(_NO_ROOM) from error


def _is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}

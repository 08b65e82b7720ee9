"""Which blobs look alike: each new one joins the group of the one that it resembles most.

Beside the writing of blobs, not in it: whoever stores one sends a signal, and the blob is grouped
in the same moment or, after a crash, at the next start. One index for all datasets, as blobs are
shared by them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from server.db.session import Database
from server.inference.pool import CpuPool
from server.media.blobs import ThumbnailStore
from server.media.near import Look, NearIndex
from server.media.quality import Quality
from server.media.verify import NotUsableError, look_at_thumbnail
from server.repositories import looks
from server.repositories.looks import LookRow
from server.services.feed import Feed
from server.services.intake import to_signed, to_unsigned

log = logging.getLogger(__name__)

# Blobs of one step: a quarter of a second of searching among a million, and one transaction.
_BATCH: Final = 500
_PAGE: Final = 10_000
_MEASURES: Final = [field.name for field in fields(Quality)]


class LookService:
    """Groups blobs by their looks."""

    def __init__(
        self, database: Database, thumbnails: ThumbnailStore, pool: CpuPool, feed: Feed
    ) -> None:
        """Keep what the use case needs."""
        self._database = database
        self._thumbnails = thumbnails
        self._pool = pool
        self._feed = feed
        self._index: NearIndex | None = None
        # The index is not for two at once.
        self._turn = asyncio.Lock()

    async def group_new(self) -> int:
        """Group every blob that is in no group; return how many that were."""
        grouped = 0
        async with self._turn:
            if self._index is None:
                self._index = await self._restore()
            # Ends: each round leaves fewer to describe or to group, and whoever adds some has to
            # write them to disk first.
            while batch := await self._list_ungrouped():
                if old := [row for row in batch if row.phash is None]:
                    await self._write([await self._describe(row) for row in old])
                    continue
                await self._write(await self._pool.run(_join, self._index, batch))
                grouped += len(batch)
        return grouped

    async def wait(self, seen: int, timeout_s: float) -> int:
        """Wait until blobs were stored since ``seen``; return the new count of that signal."""
        return await self._feed.blobs_stored.wait(seen, timeout_s)

    async def _restore(self) -> NearIndex:
        known = [(_look(row), str(row.near_group)) async for page in self._pages() for row in page]
        return await self._pool.run(NearIndex, known)

    async def _pages(self) -> AsyncIterator[Sequence[LookRow]]:
        after = ""
        while True:
            async with self._database.read() as session:
                page = await looks.list_grouped(session, after, _PAGE)
            if not page:
                return
            yield page
            after = page[-1].sha256

    async def _list_ungrouped(self) -> Sequence[LookRow]:
        async with self._database.read() as session:
            return await looks.list_ungrouped(session, _BATCH)

    async def _describe(self, row: LookRow) -> dict[str, Any]:
        """Make up for what an older revision did not keep."""
        try:
            data = await asyncio.to_thread(self._thumbnails.path(row.sha256).read_bytes)
            look = await self._pool.run(look_at_thumbnail, data)
        except (OSError, NotUsableError):
            log.warning("look.no_thumbnail", extra={"sha256": row.sha256})
            return {"sha256": row.sha256, "phash": 0} | dict.fromkeys(_MEASURES)
        return {"sha256": row.sha256, "phash": to_signed(look.phash)} | asdict(look.quality)

    async def _write(self, rows: Sequence[dict[str, Any]]) -> None:
        async with self._database.write() as session:
            await looks.describe(session, rows)


def _look(row: LookRow) -> Look:
    return Look(to_unsigned(row.dhash), to_unsigned(row.phash or 0))


def _join(index: NearIndex, rows: Sequence[LookRow]) -> list[dict[str, Any]]:
    return [
        {"sha256": row.sha256, "near_group": index.join(row.sha256, _look(row))} for row in rows
    ]

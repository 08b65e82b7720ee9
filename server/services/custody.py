"""Bytes on their way to their row, and bytes that are taken away: never both at once.

Whoever keeps bytes writes the files first and the row after. Were the same files deleted between
the two, because another image that held them went, a row would be left without bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from server.db.session import Database
from server.media.blobs import FileStore
from server.repositories import images
from server.services.intake import Stores


class Custody:
    """Lets many keep bytes at a time, or one take bytes away.

    They are let in in the order they come, so neither waits for ever. Bytes are kept within a
    second or so; in one process, of which a data folder has one.
    """

    def __init__(self, database: Database, stores: Stores, copies: FileStore) -> None:
        """Keep what is needed.

        Args:
            database: Says which bytes are held.
            stores: Where they lie.
            copies: Where the trainer beside the server keeps those that it has fetched.
        """
        self._database = database
        self._stores = stores
        self.copies = copies
        self._turn = asyncio.Lock()
        self._keeping_count = 0
        self._nobody_keeps = asyncio.Event()
        self._nobody_keeps.set()
        # Of what is in the making: bytes that neither an image nor a manifest may name by then.
        self._holds: list[set[str]] = []
        # Before the first, no file can be missing: what looks for them costs nothing until then.
        self.has_taken = False

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Hold off whoever takes bytes away, from before files are relied on until their row is."""
        async with self._turn:
            self._keeping_count += 1
            self._nobody_keeps.clear()
        try:
            yield
        finally:
            self._keeping_count -= 1
            if not self._keeping_count:
                self._nobody_keeps.set()

    @asynccontextmanager
    async def taking(self) -> AsyncIterator[None]:
        """Be the only one, once those who keep bytes are through."""
        async with self._turn:
            await self._nobody_keeps.wait()
            self.has_taken = True
            yield

    @contextmanager
    def holding(self) -> Iterator[set[str]]:
        """Yield a set; bytes whose hashes are put into it while `keeping` are not reclaimed.

        For what takes longer than anybody should be kept waiting. It holds off no removal of a
        site: who relies on the bytes asks at the end whether there was one.
        """
        hold: set[str] = set()
        self._holds.append(hold)
        try:
            yield hold
        finally:
            # The very one: an equal one may be another's.
            self._holds = [one for one in self._holds if one is not hold]

    def find_unheld(self, hashes: Sequence[str]) -> list[str]:
        """Return those of these bytes that nothing in the making needs. Called while `taking`."""
        return [sha for sha in hashes if not any(sha in hold for hold in self._holds)]

    async def find_missing(self, hashes: Collection[str]) -> set[str]:
        """Return those of these bytes whose files are gone. Called while `keeping`."""
        if not self.has_taken:
            return set()
        return await asyncio.to_thread(self._find_missing, hashes)

    async def delete_files(self, hashes: Sequence[str]) -> None:
        """Delete the files of bytes that no row names; others stay. Called while `taking`.

        Raises:
            OSError: A file cannot be deleted.
        """
        async with self._database.read() as session:
            free = await images.list_unrecorded(session, hashes)
        await asyncio.to_thread(self._delete, free)

    async def drop_unclaimed(self, hashes: Sequence[str]) -> None:
        """Delete files that were written for images which were removed meanwhile.

        Raises:
            OSError: A file cannot be deleted.
        """
        async with self._database.read() as session:
            free = await images.list_unrecorded(session, hashes)
        if free:
            async with self.taking():
                await self.delete_files(free)

    def _find_missing(self, hashes: Collection[str]) -> set[str]:
        return {sha256 for sha256 in hashes if not self._stores.blobs.exists(sha256)}

    def _delete(self, hashes: Sequence[str]) -> None:
        for sha256 in hashes:
            for store in (self._stores.blobs, self._stores.thumbnails, self.copies):
                store.delete(sha256)

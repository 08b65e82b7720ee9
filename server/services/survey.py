"""Use cases that look over a whole dataset: facets, stacks of look-alikes, contradictions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from server.db.session import Database
from server.repositories import datasets, facets, images, listing, stacks
from server.repositories.facets import Facet
from server.repositories.paging import Page, PageRequest
from server.repositories.stacks import Stack

_FACETS_AT_ONCE: Final = 2  # both cores are busy with one; the pool has 15 connections


class SurveyService:
    """Look over a dataset's images."""

    def __init__(self, database: Database) -> None:
        """Keep where to read."""
        self._database = database
        # Two sessions each: more at once could hold all connections, each waiting for one more.
        self._turn = asyncio.Semaphore(_FACETS_AT_ONCE)

    async def list_briefs(self, image_ids: Sequence[str]) -> Sequence[Any]:
        """Return what may change of these images, oldest first; those that are gone are missing."""
        async with self._database.read() as session:
            return await listing.list_briefs(session, image_ids)

    async def sum_blob_bytes(self) -> int:
        """Return the bytes of all verified images; what several datasets share counts once."""
        async with self._database.read() as session:
            return await images.sum_blob_bytes(session)

    async def count_facets(self, dataset_id: str) -> Mapping[str, Facet]:
        """Return how many images each value of a filter would give.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._turn, self._database.read() as session:
            await datasets.get(session, dataset_id)
            # Beside each other: each half goes over the dataset, in a thread of its own.
            async with self._database.read() as other, asyncio.TaskGroup() as halves:
                origins = halves.create_task(facets.count_origins(other, dataset_id))
                state = halves.create_task(facets.count_state(session, dataset_id))
            return state.result() | origins.result()

    async def list_stacks(self, dataset_id: str, request: PageRequest) -> Page[Stack]:
        """Return a page of the stacks of ready images that look alike.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await stacks.list_stacks(session, dataset_id, request)

    async def list_conflicts(self, dataset_id: str, request: PageRequest) -> Page[Stack]:
        """Return a page of the bytes that stand under more than one label.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await stacks.list_conflicts(session, dataset_id, request)

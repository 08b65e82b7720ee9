"""Use case: whom a dataset's images are of."""

from __future__ import annotations

from server.db.session import Database
from server.repositories import credit_list, datasets
from server.repositories.credit_list import Credit
from server.repositories.paging import Page, PageRequest


class CreditService:
    """Lists credits."""

    def __init__(self, database: Database) -> None:
        """Keep what the use case needs."""
        self._database = database

    async def list_page(self, dataset_id: str, request: PageRequest) -> Page[Credit]:
        """Return a page of credits: of the ready images that are not excluded, oldest first.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            InvalidCursorError: The cursor is none of this list.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await credit_list.list_page(session, dataset_id, request)

"""Use cases on models: the registry of checked bundles."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.contract.bundle import Bundle, BundleManifest, read_bundle, read_member
from server.contract.errors import FormatError
from server.db.models import ModelRecord
from server.db.session import Database
from server.errors import ModelDamagedError
from server.inference.pool import CpuPool
from server.repositories import models
from server.repositories.paging import Page, PageRequest

# An hour: between a bundle's move to its place and its row lie some milliseconds.
_ABANDONED_S: Final = 3600.0


@dataclass(frozen=True)
class ModelView:
    """A model and what its bundle says of it."""

    record: ModelRecord
    manifest: BundleManifest


class BundleStore:
    """Bundles on disk, by their own sha256."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder.

        Args:
            folder: Where bundles are kept, as ``<sha256>.zip``; it exists.
        """
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Return where the bundle with this hash lies."""
        return self._folder / f"{sha256}.zip"

    def delete(self, sha256: str) -> None:
        """Delete a bundle that no model names; it need not be there.

        Raises:
            OSError: It cannot be deleted.
        """
        self.path(sha256).unlink(missing_ok=True)

    def list_abandoned(self, older_than_s: float = _ABANDONED_S) -> list[str]:
        """Return the hashes of the bundles that are not young.

        Args:
            older_than_s: Younger ones may be of a model that is not recorded yet.
        """
        oldest = time.time() - older_than_s
        found = []
        for path in self._folder.glob("*.zip"):
            try:
                if path.stat().st_mtime <= oldest:
                    found.append(path.stem)
            except FileNotFoundError:  # deleted in this moment
                continue
        return found


class ModelService:
    """Show models, hand out their bundles."""

    def __init__(self, database: Database, bundles: BundleStore, pool: CpuPool) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._bundles = bundles
        self._pool = pool

    async def list_page(
        self, dataset_id: str | None, stage: str | None, request: PageRequest
    ) -> Page[ModelView]:
        """Return a page of models, newest first."""
        async with self._database.read() as session:
            page = await models.list_page(session, dataset_id, stage, request)
        return Page([view_of(record) for record in page.items], page.next_cursor, page.total)

    async def show(self, model_id: str) -> tuple[ModelView, Bundle]:
        """Return the model with its whole bundle, evaluation and history included.

        Raises:
            ModelNotFoundError: No model has this id.
            ModelDamagedError: Its bundle is damaged or gone.
        """
        async with self._database.read() as session:
            record = await models.get(session, model_id)
        try:
            bundle = await self._pool.run(read_bundle, self._bundles.path(record.bundle_sha256))
        except (FormatError, FileNotFoundError) as error:
            raise damaged(record) from error
        return view_of(record), bundle

    async def get_bundle(self, model_id: str) -> tuple[Path, ModelRecord]:
        """Return where the model's bundle lies.

        Raises:
            ModelNotFoundError: No model has this id.
            ModelDamagedError: Its bundle is gone.
        """
        async with self._database.read() as session:
            record = await models.get(session, model_id)
        path = self._bundles.path(record.bundle_sha256)
        if not await asyncio.to_thread(path.is_file):
            raise damaged(record)
        return path, record

    async def read_part(self, model_id: str, part: str) -> bytes:
        """Return one member of the model's bundle.

        Args:
            model_id: The model's id.
            part: The member's name.

        Raises:
            ModelNotFoundError: No model has this id.
            ModelDamagedError: Its bundle is damaged or gone.
        """
        path, record = await self.get_bundle(model_id)
        try:
            return await self._pool.run(read_member, path, part)
        except (FormatError, FileNotFoundError) as error:
            raise damaged(record) from error


def damaged(record: ModelRecord) -> ModelDamagedError:
    """Return the error for a model whose bundle cannot be read."""
    return ModelDamagedError(
        f"the bundle of model {record.id} is damaged or gone from the data folder; train again"
    )


def view_of(record: ModelRecord) -> ModelView:
    """Return the model with its manifest, which was checked when the bundle came in."""
    return ModelView(record, BundleManifest.model_validate(record.manifest))

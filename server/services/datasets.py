"""Use cases on datasets and labels."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from server.db.models import DatasetRecord, LabelRecord
from server.db.session import Database, Session
from server.errors import DatasetExistsError, LabelInUseError, RefusedError
from server.repositories import datasets, images, models, snapshots
from server.repositories.datasets import DatasetCounts, LabelCounts
from server.repositories.paging import Page, PageRequest
from server.services.feed import Feed
from server.services.sweep import KeptFiles


@dataclass(frozen=True)
class DatasetView:
    """A dataset with what is counted of it."""

    record: DatasetRecord
    counts: DatasetCounts
    live_model_id: str | None


@dataclass(frozen=True)
class LabelView:
    """A label with its counts."""

    record: LabelRecord
    counts: LabelCounts


class DatasetService:
    """Make, show, change and delete datasets and labels."""

    def __init__(self, database: Database, feed: Feed, kept: KeptFiles) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._feed = feed
        self._kept = kept

    async def create(self, name: str, description: str) -> DatasetView:
        """Make a dataset.

        Raises:
            DatasetExistsError: The name is taken.
        """
        async with self._database.write() as session:
            record = await datasets.add(session, name, description)
            return await _view(session, record)

    async def show(self, dataset_id: str) -> DatasetView:
        """Return the dataset.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            return await _view(session, await datasets.get(session, dataset_id))

    async def list_page(self, request: PageRequest) -> Page[DatasetView]:
        """Return a page of datasets, newest first."""
        async with self._database.read() as session:
            page = await datasets.list_page(session, request)
            views = [await _view(session, record) for record in page.items]
        return Page(views, page.next_cursor, page.total)

    async def change(
        self, dataset_id: str, name: str | None, description: str | None
    ) -> DatasetView:
        """Rename or describe the dataset; None leaves a field as it is.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            DatasetExistsError: The name is taken.
        """
        async with self._database.write() as session:
            record = await datasets.get(session, dataset_id)
            record.name = name if name is not None else record.name
            record.description = description if description is not None else record.description
            taken = DatasetExistsError(f"a dataset named {name!r} exists already")
            await datasets.flush_unique(session, taken)
            view = await _view(session, record)
        self._feed.dataset(dataset_id).send()
        return view

    async def delete(self, dataset_id: str) -> None:
        """Delete the dataset and all that hangs on it.

        Its rows go first, then the files of its snapshots and models: a crash leaves files that no
        row names, which the sweep finds. Bytes of images that nothing else holds are won back
        right after: see `server.services.reclaim`.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            OSError: A file cannot be deleted; the dataset is, and the sweep will try again.
        """
        async with self._database.write() as session:
            record = await datasets.get(session, dataset_id)
            snapshot_ids = await snapshots.list_ids_of(session, dataset_id)
            bundles = await models.list_bundles_of(session, dataset_id)
            await session.delete(record)
            await session.flush()
            bundles = await models.list_unnamed(session, bundles)
        self._feed.forget(dataset_id)
        try:
            await asyncio.to_thread(self._delete_files, snapshot_ids, bundles)
        finally:
            self._feed.images_deleted.send()

    def _delete_files(self, snapshot_ids: Sequence[str], bundles: Sequence[str]) -> None:
        for snapshot_id in snapshot_ids:
            self._kept.snapshots.delete(snapshot_id)
        for sha256 in bundles:
            self._kept.bundles.delete(sha256)

    async def list_labels(self, dataset_id: str) -> Sequence[LabelView]:
        """Return the dataset's labels by name.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            counts = (await datasets.count(session, dataset_id)).labels
            records = await datasets.list_labels(session, dataset_id)
            return [LabelView(record, counts[record.name]) for record in records]

    async def create_label(self, dataset_id: str, name: str) -> LabelView:
        """Make a label.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            LabelExistsError: The dataset has one of this name.
            LabelRefusedError: None can be called so.
        """
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            record = await datasets.add_label(session, dataset_id, name)
        self._feed.dataset(dataset_id).send()
        return LabelView(record, LabelCounts())

    async def rename_label(self, label_id: str, name: str) -> LabelView:
        """Rename the label.

        Raises:
            LabelNotFoundError: No label has this id.
            LabelExistsError: The dataset has another of this name: merge them instead.
            LabelRefusedError: None can be called so.
        """
        async with self._database.write() as session:
            record = await datasets.get_label(session, label_id)
            await datasets.rename_label(session, record, name)
            view = await _label_view(session, record)
        self._feed.dataset(record.dataset_id).send_many()
        return view

    async def merge_label(self, label_id: str, into_id: str) -> LabelView:
        """Give all images of one label to another of the same dataset, and delete the first.

        Raises:
            LabelNotFoundError: No label has one of the ids.
            RefusedError: The labels are the same, or of different datasets.
        """
        async with self._database.write() as session:
            source = await datasets.get_label(session, label_id)
            target = await datasets.get_label(session, into_id)
            if source.id == target.id or source.dataset_id != target.dataset_id:
                raise RefusedError("merge_into must be another label of the same dataset")
            await images.move_label(session, source.id, target.id)
            await session.delete(source)
            await session.flush()
            view = await _label_view(session, target)
        self._feed.dataset(target.dataset_id).send_many()
        return view

    async def delete_label(self, label_id: str) -> None:
        """Delete a label that no image carries.

        Raises:
            LabelNotFoundError: No label has this id.
            LabelInUseError: Images carry it.
        """
        async with self._database.write() as session:
            record = await datasets.get_label(session, label_id)
            if number := await images.count_labelled(session, label_id):
                raise LabelInUseError(f"{number} images carry {record.name!r}; merge or move them")
            await session.delete(record)
        self._feed.dataset(record.dataset_id).send()


async def _view(session: Session, record: DatasetRecord) -> DatasetView:
    live = await models.find_live(session, record.id)
    counts = await datasets.count(session, record.id)
    return DatasetView(record, counts, None if live is None else live.id)


async def _label_view(session: Session, record: LabelRecord) -> LabelView:
    counts = await datasets.count(session, record.dataset_id)
    return LabelView(record, counts.labels[record.name])

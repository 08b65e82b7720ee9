"""Use cases on actions: change images as one act, undo it, redo it, tell what was done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from server.db.action_models import ActionRecord
from server.db.session import Database, Session
from server.errors import (
    ImageNotFoundError,
    NothingToRedoError,
    NothingToUndoError,
    VersionConflictError,
)
from server.repositories import actions, datasets, images
from server.repositories.actions import NewValues
from server.repositories.paging import Page, PageRequest
from server.services.feed import Feed
from server.services.images import ImageView, image_views


@dataclass(frozen=True)
class ImageChange:
    """What to change on images; None leaves a field as it is.

    Attributes:
        label: The name of a label that the dataset has.
    """

    label: str | None = None
    excluded: bool | None = None
    reviewed: bool | None = None

    @property
    def asked(self) -> dict[str, object]:
        """The fields that are to change, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class BulkResult:
    """What became of a change to several images.

    Attributes:
        changed_count: Images that were changed, duplicates that follow theirs included.
        action_id: By which it can be undone; None when nothing changed.
        conflicts: The versions of images that were left, since they are not what the caller saw.
        versions: Of all images that were named, now.
    """

    changed_count: int
    action_id: str | None
    conflicts: Mapping[str, int]
    versions: Mapping[str, int]


@dataclass(frozen=True)
class TurnResult:
    """What became of undoing or redoing an action.

    Attributes:
        action: As it is now.
        conflicts: The versions of images that were left: changed since, or their label is gone.
        versions: Of the images that were changed, now.
    """

    action: ActionRecord
    conflicts: Mapping[str, int]
    versions: Mapping[str, int]


def _now() -> datetime:
    return datetime.now(UTC)


class ActionService:
    """Change images, and undo and redo it."""

    def __init__(
        self, database: Database, feed: Feed, clock: Callable[[], datetime] = _now
    ) -> None:
        """Keep what the use cases need."""
        self._database = database
        self._feed = feed
        self._clock = clock

    async def change(
        self, image_id: str, change: ImageChange, expected: Collection[int] | None = None
    ) -> ImageView:
        """Change one image.

        Args:
            image_id: Which.
            change: What.
            expected: The versions that the caller holds for the present one; None for any.

        Raises:
            ImageNotFoundError: No image has this id.
            UnknownLabelError: The dataset has no label of that name.
            VersionConflictError: The image has another version by now.
        """
        async with self._database.write() as session:
            record = await images.get(session, image_id)
            if expected is not None and record.version not in expected:
                (view,) = await image_views(session, [record])
                raise VersionConflictError(image_id, record.version, _current(view))
            values = await _resolve(session, record.dataset_id, change)
            action = await self._act(session, record.dataset_id, change, values, [image_id])
            touched = [] if action is None else await actions.list_changed(session, action)
            await session.refresh(record)
            (view,) = await image_views(session, [record])
        self._feed.dataset(record.dataset_id).send(touched)
        return view

    async def change_many(
        self,
        dataset_id: str,
        image_ids: Sequence[str],
        change: ImageChange,
        versions: Mapping[str, int] | None = None,
    ) -> BulkResult:
        """Change several images of a dataset as one action.

        Args:
            dataset_id: Whose images.
            image_ids: Which.
            change: What.
            versions: As the caller saw the images; one that has another by now is left.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            ImageNotFoundError: The dataset has no image of one of the ids.
            UnknownLabelError: The dataset has no label of that name.
        """
        seen = versions or {}
        named = list(dict.fromkeys(image_ids))
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            found = await actions.find_images(session, named)
            for image in found:
                if image.dataset_id != dataset_id:
                    raise ImageNotFoundError(image.image_id)
            had = {image.image_id: image.version or 0 for image in found}
            conflicts = {i: v for i, v in had.items() if seen.get(i, v) != v}
            free = [image_id for image_id in named if image_id not in conflicts]
            values = await _resolve(session, dataset_id, change)
            action = await self._act(session, dataset_id, change, values, free)
            touched = [] if action is None else await actions.list_changed(session, action)
            now = await actions.get_versions(session, named)
        self._feed.dataset(dataset_id).send(touched)
        if action is None:
            return BulkResult(0, None, conflicts, now)
        return BulkResult(action.image_count, action.id, conflicts, now)

    async def undo(self, dataset_id: str, action_id: str | None = None) -> TurnResult:
        """Undo the newest action that stands, or the one of this id.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            NothingToUndoError: There is none, it is undone, or so old that it was forgotten.
        """
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            action = (
                await actions.find_standing(session, dataset_id)
                if action_id is None
                else await actions.find(session, dataset_id, action_id)
            )
            if action is None or action.undone_at is not None:
                raise NothingToUndoError("no action that stands is known")
            result = await self._turn(session, action, is_undo=True)
        self._feed.dataset(dataset_id).send(result.versions)
        return result

    async def redo(self, dataset_id: str, action_id: str | None = None) -> TurnResult:
        """Redo the action that was undone last, or the one of this id.

        Raises:
            DatasetNotFoundError: No dataset has this id.
            NothingToRedoError: There is none, it stands, or, without an id, something was done
                since the last undo.
        """
        async with self._database.write() as session:
            await datasets.get(session, dataset_id)
            action = (
                await actions.find_undone(session, dataset_id)
                if action_id is None
                else await actions.find(session, dataset_id, action_id)
            )
            if action is None or action.undone_at is None:
                raise NothingToRedoError("no action was undone last")
            result = await self._turn(session, action, is_undo=False)
        self._feed.dataset(dataset_id).send(result.versions)
        return result

    async def list_page(self, dataset_id: str, request: PageRequest) -> Page[ActionRecord]:
        """Return a page of the dataset's actions, newest first.

        Raises:
            DatasetNotFoundError: No dataset has this id.
        """
        async with self._database.read() as session:
            await datasets.get(session, dataset_id)
            return await actions.list_page(session, dataset_id, request)

    async def _act(
        self,
        session: Session,
        dataset_id: str,
        change: ImageChange,
        values: NewValues,
        image_ids: Sequence[str],
    ) -> ActionRecord | None:
        """Return the action that was made, or None when nothing changed."""
        asked = change.asked
        if not asked or not image_ids:
            return None
        action = ActionRecord(
            dataset_id=dataset_id,
            kind=actions.describe(asked),
            asked=asked,
            created_at=self._clock(),
        )
        return action if await actions.add(session, action, values, image_ids) else None

    async def _turn(self, session: Session, action: ActionRecord, *, is_undo: bool) -> TurnResult:
        changed, conflicts = await actions.turn(session, action, self._clock(), is_undo=is_undo)
        return TurnResult(action, conflicts, await actions.get_versions(session, changed))


async def _resolve(session: Session, dataset_id: str, change: ImageChange) -> NewValues:
    label_id = None
    if change.label is not None:
        label_id = (await datasets.get_label_by_name(session, dataset_id, change.label)).id
    return NewValues(label_id, change.excluded, change.reviewed)


def _current(view: ImageView) -> dict[str, object]:
    reviewed_at = view.record.reviewed_at
    return {
        "label": view.label,
        "excluded": view.record.excluded,
        "reviewed_at": None if reviewed_at is None else reviewed_at.isoformat(),
    }

"""Queries on actions: what persons did to images, from what and to what.

Everything is in batches: an action on a thousand images takes as many statements as one on one. So
those that change rows are SQL, as in ``queue``; ids go in as one JSON list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, bindparam, func, select, text
from sqlalchemy.orm import aliased

from server.db.action_models import ActionChangeRecord, ActionRecord
from server.db.base import UtcDateTime
from server.db.ids import new_id_after
from server.db.models import LabelRecord
from server.db.session import Session
from server.repositories.paging import Page, PageRequest, read_page

# Changes of images that are kept of a dataset, some 250 bytes each: 100,000 images twice over.
MOST_CHANGES: Final = 200_000

_TYPES: Final[dict[str, Any]] = {"at": UtcDateTime(), "excluded": Boolean(), "reviewed": Boolean()}


def _sql(statement: str) -> Any:  # a TextClause; its type helps no reader
    named = [
        bindparam(name, type_=kind) for name, kind in _TYPES.items() if f":{name}" in statement
    ]
    return text(statement).bindparams(*named)


_FIND = _sql("""
SELECT wanted.value, images.dataset_id, images.version
FROM json_each(:ids) AS wanted LEFT JOIN images ON images.id = wanted.value
""")
# A review is a change where there was none: the moment of the first one stays.
_NOTE = _sql("""
INSERT INTO action_changes (action_id, image_id, from_label_id, to_label_id, from_excluded,
  to_excluded, from_reviewed_at, to_reviewed_at)
SELECT :action_id, id, label_id, coalesce(:label_id, label_id), excluded,
  coalesce(:excluded, excluded), reviewed_at,
  CASE WHEN coalesce(:reviewed = (reviewed_at IS NOT NULL), 1) THEN reviewed_at
    WHEN :reviewed THEN :at END
FROM images WHERE id IN (SELECT value FROM json_each(:ids)) AND (
  label_id IS NOT coalesce(:label_id, label_id) OR excluded <> coalesce(:excluded, excluded)
  OR (reviewed_at IS NOT NULL) <> coalesce(:reviewed, reviewed_at IS NOT NULL)
)
""")
# The same bytes under another address: what was said of the picture holds for it too.
_NOTE_DUPLICATES = _sql("""
INSERT INTO action_changes (action_id, image_id, from_label_id, to_label_id, from_excluded,
  to_excluded, from_reviewed_at, to_reviewed_at)
SELECT :action_id, id, label_id, :label_id, excluded, excluded, reviewed_at, reviewed_at
FROM images WHERE duplicate_of IN (SELECT value FROM json_each(:ids))
  AND id NOT IN (SELECT value FROM json_each(:named)) AND label_id IS NOT :label_id
""")
_APPLY = _sql("""
UPDATE images SET label_id = made.to_label_id, excluded = made.to_excluded,
  reviewed_at = made.to_reviewed_at, version = version + 1
FROM action_changes AS made WHERE made.action_id = :action_id AND images.id = made.image_id
""")
_FORGET = _sql("""
DELETE FROM actions WHERE id IN (
  SELECT id FROM actions WHERE dataset_id = :dataset_id ORDER BY id LIMIT :most
) AND total_count <= :forgotten
""")


def _turn(statement: str) -> tuple[Any, Any]:
    """Return a statement for the way back, and the same for the way forth again."""
    back = {"old": "from", "new": "to", "done": "IS NULL", "mark": ":at"}
    forth = {"old": "to", "new": "from", "done": "IS NOT NULL", "mark": "NULL"}
    return _sql(statement.format(**back)), _sql(statement.format(**forth))


# Free to turn is an image that still is as the action left it, and that no later one changed.
_STATES = _turn("""
SELECT images.id, images.version,
  (made.to_label_id IS made.from_label_id OR images.label_id IS made.{new}_label_id)
  AND (made.{old}_label_id IS NULL
    OR EXISTS (SELECT 1 FROM labels WHERE labels.id = made.{old}_label_id))
  AND (made.to_excluded = made.from_excluded OR images.excluded = made.{new}_excluded)
  AND (made.to_reviewed_at IS made.from_reviewed_at
    OR images.reviewed_at IS made.{new}_reviewed_at)
  AND NOT EXISTS (SELECT 1 FROM action_changes AS later WHERE later.image_id = images.id
    AND later.action_id > made.action_id AND later.undone_at IS NULL)
FROM action_changes AS made JOIN images ON images.id = made.image_id
WHERE made.action_id = :action_id AND made.undone_at {done}
ORDER BY images.id
""")
_TURN = _turn("""
UPDATE images SET
  label_id = CASE WHEN made.to_label_id IS made.from_label_id THEN images.label_id
    ELSE made.{old}_label_id END,
  excluded = CASE WHEN made.to_excluded = made.from_excluded THEN images.excluded
    ELSE made.{old}_excluded END,
  reviewed_at = CASE WHEN made.to_reviewed_at IS made.from_reviewed_at THEN images.reviewed_at
    ELSE made.{old}_reviewed_at END,
  version = version + 1
FROM action_changes AS made WHERE made.action_id = :action_id AND images.id = made.image_id
  AND images.id IN (SELECT value FROM json_each(:ids))
""")
_MARK = _turn("""
UPDATE action_changes SET undone_at = {mark}
WHERE action_id = :action_id AND image_id IN (SELECT value FROM json_each(:ids))
""")


@dataclass(frozen=True)
class NewValues:
    """What an action sets; None leaves a field as it is."""

    label_id: str | None = None
    excluded: bool | None = None
    reviewed: bool | None = None


@dataclass(frozen=True)
class Found:
    """An image that an action names: of which dataset, at which version; None if there is none."""

    image_id: str
    dataset_id: str | None
    version: int | None


async def find_images(session: Session, image_ids: Sequence[str]) -> Sequence[Found]:
    """Return what there is of these images, in their order."""
    rows = await session.execute(_FIND, {"ids": json.dumps(image_ids)})
    return [Found(*row) for row in rows]


async def get_versions(session: Session, image_ids: Sequence[str]) -> dict[str, int]:
    """Return the versions of these images by id."""
    found = await find_images(session, image_ids)
    return {image.image_id: image.version for image in found if image.version is not None}


async def add(
    session: Session, action: ActionRecord, values: NewValues, image_ids: Sequence[str]
) -> int:
    """Do what a new action says, and keep it; return how many images that changed.

    An action that changes nothing is not kept. With a label, the duplicates of the images follow.

    Args:
        session: To write with.
        action: Its ``dataset_id``, ``kind``, ``asked`` and ``created_at``; the rest is set here.
        values: What it sets.
        image_ids: Of images of the dataset, each once.
    """
    newest = await find_newest(session, action.dataset_id)
    action.id = new_id_after(None if newest is None else newest.id)
    action.image_count = action.total_count = 0
    session.add(action)
    await session.flush()
    ids = json.dumps(image_ids)
    parameters = {"action_id": action.id, "ids": ids, "at": action.created_at, **vars(values)}
    noted: Any = await session.execute(_NOTE, parameters)
    count = int(noted.rowcount)
    if values.label_id is not None:
        parameters = {"action_id": action.id, "label_id": values.label_id, "ids": ids, "named": ids}
        noted = await session.execute(_NOTE_DUPLICATES, parameters)
        count += int(noted.rowcount)
    if count == 0:
        await session.delete(action)
        await session.flush()
        return 0
    await session.execute(_APPLY, {"action_id": action.id})
    action.image_count = count
    action.total_count = count + (0 if newest is None else newest.total_count)
    await session.flush()
    await _forget_old(session, action)
    return count


async def _forget_old(session: Session, newest: ActionRecord) -> None:
    forgotten = newest.total_count - MOST_CHANGES
    oldest = await session.scalar(
        select(ActionRecord.total_count)
        .where(ActionRecord.dataset_id == newest.dataset_id)
        .order_by(ActionRecord.id)
        .limit(1)
    )
    if oldest is not None and oldest <= forgotten:
        # As many changes go as have come: never more actions than this one changed images.
        most = max(1, newest.image_count)
        values = {"dataset_id": newest.dataset_id, "most": most, "forgotten": forgotten}
        await session.execute(_FORGET, values)


async def find(session: Session, dataset_id: str, action_id: str) -> ActionRecord | None:
    """Return the dataset's action of this id, if it is kept."""
    record = await session.get(ActionRecord, action_id)
    return record if record is not None and record.dataset_id == dataset_id else None


async def find_newest(session: Session, dataset_id: str) -> ActionRecord | None:
    """Return the dataset's newest action, if there is one."""
    query = select(ActionRecord).where(ActionRecord.dataset_id == dataset_id)
    return await session.scalar(query.order_by(ActionRecord.id.desc()).limit(1))


async def find_standing(session: Session, dataset_id: str) -> ActionRecord | None:
    """Return the newest action that is not undone, if there is one."""
    query = select(ActionRecord).where(
        ActionRecord.dataset_id == dataset_id, ActionRecord.undone_at.is_(None)
    )
    return await session.scalar(query.order_by(ActionRecord.id.desc()).limit(1))


async def find_undone(session: Session, dataset_id: str) -> ActionRecord | None:
    """Return the action that was undone last, unless something was done since."""
    query = select(ActionRecord).where(
        ActionRecord.dataset_id == dataset_id, ActionRecord.undone_at.is_not(None)
    )
    found = await session.scalar(query.order_by(ActionRecord.undone_at.desc()).limit(1))
    newest = await find_newest(session, dataset_id)
    if found is None or newest is None or found.undone_at is None:
        return None
    return found if newest.created_at <= found.undone_at else None


async def list_changed(session: Session, action: ActionRecord) -> Sequence[str]:
    """Return the images that an action changed."""
    query = select(ActionChangeRecord.image_id).where(ActionChangeRecord.action_id == action.id)
    return (await session.scalars(query)).all()


async def turn(
    session: Session, action: ActionRecord, at: datetime, *, is_undo: bool
) -> tuple[list[str], dict[str, int]]:
    """Undo an action, or redo it.

    Args:
        session: To write with.
        action: One that stands, to undo it; one that is undone, to redo it.
        at: Now.
        is_undo: Back, or forth again.

    Returns:
        The images that were changed, and the versions of those that were left: something else
        changed them since, or the label they had is gone.
    """
    way = 0 if is_undo else 1
    parameters = {"action_id": action.id}
    states = (await session.execute(_STATES[way], parameters)).all()
    free = [image_id for image_id, _version, is_free in states if is_free]
    left = {image_id: version for image_id, version, is_free in states if not is_free}
    if free:
        parameters["ids"] = json.dumps(free)
        await session.execute(_TURN[way], parameters)
        await session.execute(_MARK[way], parameters | ({"at": at} if is_undo else {}))
    action.undone_at = at if is_undo else None
    await session.flush()
    return free, left


async def list_page(session: Session, dataset_id: str, request: PageRequest) -> Page[ActionRecord]:
    """Return a page of the dataset's actions, newest first."""
    query = select(ActionRecord).where(ActionRecord.dataset_id == dataset_id)
    count = select(func.count()).where(ActionRecord.dataset_id == dataset_id)
    return await read_page(
        session,
        query,
        ActionRecord.id,
        request,
        newest_first=True,
        total=await session.scalar(count) or 0,
    )


@dataclass(frozen=True)
class Change:
    """What an action changed on an image; labels by name, None without one or one that is gone."""

    action: ActionRecord
    record: ActionChangeRecord
    from_label: str | None
    to_label: str | None


async def list_changes(session: Session, image_id: str) -> Sequence[Change]:
    """Return what the actions that are kept changed on an image, oldest first."""
    before, after = aliased(LabelRecord), aliased(LabelRecord)
    rows = await session.execute(
        select(ActionRecord, ActionChangeRecord, before.name, after.name)
        .join(ActionChangeRecord, ActionChangeRecord.action_id == ActionRecord.id)
        .outerjoin(before, before.id == ActionChangeRecord.from_label_id)
        .outerjoin(after, after.id == ActionChangeRecord.to_label_id)
        .where(ActionChangeRecord.image_id == image_id)
        .order_by(ActionRecord.id)
    )
    return [Change(*row) for row in rows]


def describe(values: Mapping[str, object]) -> str:
    """Return the kind of an action that sets these values: its verb, or ``several``."""
    if len(values) != 1:
        return "several"
    ((name, value),) = values.items()
    if name == "label":
        return "labelled"
    return {"excluded": ("included", "excluded"), "reviewed": ("unreviewed", "reviewed")}[name][
        bool(value)
    ]

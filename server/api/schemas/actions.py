"""Actions: what persons did to images, undone and redone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from server.api.schemas.base import Id, ReplyModel, RequestModel
from server.db.action_models import ActionRecord
from server.services.actions import BulkResult, TurnResult
from server.services.history import Kind


class ActionOut(ReplyModel):
    """One change by a person, of one image or of many.

    ``kind`` is ``labelled``, ``excluded``, ``included``, ``reviewed``, ``unreviewed`` or
    ``several``; ``set`` is what was asked for; ``count`` how many images that changed.
    """

    id: str
    at: datetime
    kind: str
    set: dict[str, str | bool]
    count: int
    undone_at: datetime | None

    @classmethod
    def of(cls, record: ActionRecord) -> ActionOut:
        """Return the action as the API shows it."""
        return cls(
            id=record.id,
            at=record.created_at,
            kind=record.kind,
            set=record.asked,
            count=record.image_count,
            undone_at=record.undone_at,
        )


class LeftOut(ReplyModel):
    """An image that was left as it is, and its version."""

    id: str
    version: int


class BulkOut(ReplyModel):
    """What became of a change to several images.

    ``changed`` counts the images that really were, duplicates that follow theirs included. Nothing
    changed means no ``action_id``. ``versions`` are those of all images that were named.
    """

    changed: int
    action_id: str | None
    conflicts: list[LeftOut]
    versions: dict[str, int]

    @classmethod
    def of(cls, result: BulkResult) -> BulkOut:
        """Return the result as the API shows it."""
        return cls(
            changed=result.changed_count,
            action_id=result.action_id,
            conflicts=_left(result.conflicts),
            versions=dict(result.versions),
        )


class TurnIn(RequestModel):
    """Which action to undo or redo; without an id, the last one."""

    action_id: Id | None = None


class TurnOut(ReplyModel):
    """What became of undoing or redoing an action.

    ``conflicts`` are images that were left: a later action that stands changed them, or the label
    that they had is gone. ``versions`` are those of the images that were changed.
    """

    action: ActionOut
    changed: int
    conflicts: list[LeftOut]
    versions: dict[str, int]

    @classmethod
    def of(cls, result: TurnResult) -> TurnOut:
        """Return the result as the API shows it."""
        return cls(
            action=ActionOut.of(result.action),
            changed=len(result.versions),
            conflicts=_left(result.conflicts),
            versions=dict(result.versions),
        )


class EntryOut(ReplyModel):
    """One thing that happened to an image.

    What ``from`` and ``to`` hold depends on the kind: names of labels, truth values, moments, the
    address of a page, a reason or ``ok``, a status.
    """

    at: datetime
    kind: Kind
    before: str | bool | None = Field(serialization_alias="from")
    after: str | bool | None = Field(serialization_alias="to")
    action_id: str | None


class HistoryOut(ReplyModel):
    """What happened to an image, oldest first."""

    items: list[EntryOut]


def _left(versions: Mapping[str, int]) -> list[LeftOut]:
    return [LeftOut(id=image_id, version=version) for image_id, version in versions.items()]

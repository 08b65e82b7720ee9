"""Routes of what persons do to images: change them, undo it, redo it."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.actions import (
    ActionOut,
    BulkOut,
    EntryOut,
    HistoryOut,
    TurnIn,
    TurnOut,
)
from server.api.schemas.base import PageOut
from server.api.schemas.images import BulkIn, ImageOut, ImagePatch

router = APIRouter(tags=["images"])

# A strong tag of ours; weak ones and others match nothing (RFC 9110 section 13.1.1).
_VERSION: Final = re.compile(r'"(\d{1,9})"')

IfMatch = Annotated[
    str | None,
    Header(max_length=1000, description="The `ETag` of the image as it was seen: its version."),
]


@router.patch("/images/{image_id}")
async def change_image(
    image_id: str,
    body: ImagePatch,
    services: ServicesDep,
    response: Response,
    if_match: IfMatch = None,
) -> ImageOut:
    """Relabel, exclude or mark an image as reviewed.

    With `If-Match`, an image that has another version by now is left: 412 `version-conflict`, with
    its `version` and its `current` values.
    """
    view = await services.actions.change(image_id, body.to_change(), read_versions(if_match))
    response.headers["ETag"] = f'"{view.record.version}"'
    return ImageOut.of(view)


def read_versions(if_match: str | None) -> set[int] | None:
    """Return the versions that an ``If-Match`` holds for the present one; None for any."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (_VERSION.fullmatch(tag.strip()) for tag in if_match.split(","))
    return {int(tag[1]) for tag in tags if tag is not None}


@router.post("/datasets/{dataset_id}/images/bulk")
async def change_images(dataset_id: str, body: BulkIn, services: ServicesDep) -> BulkOut:
    """Change several images as one action.

    With `versions`, an image that has another by now is left and told of in `conflicts`. An id that
    is unknown refuses the whole.
    """
    change = body.set.to_change()
    result = await services.actions.change_many(dataset_id, body.ids, change, body.versions)
    return BulkOut.of(result)


@router.get("/datasets/{dataset_id}/actions")
async def list_actions(dataset_id: str, page: PageDep, services: ServicesDep) -> PageOut[ActionOut]:
    """List what was done to the dataset's images, newest first.

    Kept are the last 200,000 changes of images; an older action is forgotten whole.
    """
    return PageOut.of(await services.actions.list_page(dataset_id, page), ActionOut.of)


@router.post("/datasets/{dataset_id}/undo")
async def undo_action(
    dataset_id: str, services: ServicesDep, body: TurnIn | None = None
) -> TurnOut:
    """Undo the newest action that is not undone, or the one of this id.

    An image that a later action changed, which stands, is left and told of in `conflicts`.
    """
    wanted = None if body is None else body.action_id
    return TurnOut.of(await services.actions.undo(dataset_id, wanted))


@router.post("/datasets/{dataset_id}/redo")
async def redo_action(
    dataset_id: str, services: ServicesDep, body: TurnIn | None = None
) -> TurnOut:
    """Redo the action that was undone last, or the one of this id.

    Without an id only while nothing was done since.
    """
    wanted = None if body is None else body.action_id
    return TurnOut.of(await services.actions.redo(dataset_id, wanted))


@router.get("/images/{image_id}/history")
async def read_history(image_id: str, services: ServicesDep) -> HistoryOut:
    """Return what happened to an image, oldest first."""
    entries = await services.history.show(image_id)
    return HistoryOut(items=[EntryOut.model_validate(entry) for entry in entries])

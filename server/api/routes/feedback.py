"""Routes of feedback: say what an answer was worth, and go through what was said."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Response, status
from fastapi.responses import FileResponse

from server.api.deps import CallerDep, PageDep, ServicesDep
from server.api.forms import read_capped
from server.api.schemas.base import PageOut
from server.api.schemas.feedback import AcceptIn, FeedbackIn, FeedbackOut
from server.db.feedback_models import FeedbackState
from server.repositories.feedback import FeedbackFilter
from server.services.feedback import Said

router = APIRouter(tags=["answers"])


async def get_filter(
    state: FeedbackState | None = None,
    is_right: Annotated[bool | None, Query(description="`false`: what was called wrong.")] = None,
) -> FeedbackFilter:
    """Return which feedback is asked for."""
    return FeedbackFilter(state, is_right)


@router.post("/feedback", status_code=status.HTTP_201_CREATED)
async def give_feedback(
    said: Annotated[FeedbackIn, Form(media_type="multipart/form-data")],
    services: ServicesDep,
    caller: CallerDep,
    response: Response,
) -> FeedbackOut:
    """Say that an answer is right, or wrong and what it should be.

    It waits in the dataset's inbox until a person takes it over or lets it go; said again, it
    replaces what was said (200 instead of 201).
    """
    data = None
    if said.file is not None:
        data = await read_capped(said.file, services.limits.image_bytes)
    record, is_new = await services.feedback.say(
        Said(
            model_id=said.model_id,
            is_right=said.is_right,
            predicted=said.predicted,
            label=said.label,
            note=said.note,
            data=data,
            url=said.url,
            sha256=said.sha256,
        ),
        caller.token_id,
    )
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return FeedbackOut.of(record)


@router.get("/datasets/{dataset_id}/feedback")
async def list_feedback(
    dataset_id: str,
    wanted: Annotated[FeedbackFilter, Depends(get_filter)],
    page: PageDep,
    services: ServicesDep,
) -> PageOut[FeedbackOut]:
    """List what was said of answers of a dataset's models, newest first."""
    found = await services.inbox.list_page(dataset_id, wanted, page)
    return PageOut.of(found, FeedbackOut.of)


@router.get("/feedback/{feedback_id}/file", response_class=FileResponse)
async def read_feedback_file(feedback_id: str, services: ServicesDep) -> FileResponse:
    """Return the picture that came with feedback, while it is no image of the dataset."""
    path, media_type = await services.inbox.get_file(feedback_id)
    # Not for long, unlike a dataset's: what is let go is to be gone.
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, headers=headers, media_type=media_type)


@router.post("/feedback/{feedback_id}/accept")
async def accept_feedback(
    feedback_id: str, services: ServicesDep, body: AcceptIn | None = None
) -> FeedbackOut:
    """Take a picture over into the dataset, reviewed, and never to be validated on."""
    label = None if body is None else body.label
    return FeedbackOut.of(await services.inbox.accept(feedback_id, label))


@router.post("/feedback/{feedback_id}/dismiss")
async def dismiss_feedback(feedback_id: str, services: ServicesDep) -> FeedbackOut:
    """Let feedback go: it is still counted, and can be taken up again for 90 days."""
    return FeedbackOut.of(await services.inbox.dismiss(feedback_id))


@router.post("/feedback/{feedback_id}/reopen")
async def reopen_feedback(feedback_id: str, services: ServicesDep) -> FeedbackOut:
    """Take up again what was let go."""
    return FeedbackOut.of(await services.inbox.reopen(feedback_id))


@router.delete("/feedback/{feedback_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_feedback(feedback_id: str, services: ServicesDep) -> None:
    """Delete feedback and its picture; an image that it became stays."""
    await services.inbox.delete(feedback_id)

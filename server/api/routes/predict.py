"""Routes of classification."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from server.api.deps import ServicesDep
from server.api.schemas.base import RequestModel
from server.api.schemas.training import AnswerOut, FirstLessonAnswer
from server.errors import BodyTooLargeError
from server.services.predictions import Answer, Choice

router = APIRouter(tags=["answers"])
first_lesson = APIRouter(tags=["answers"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["url"],
                    "properties": {"url": {"type": "string"}},
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


class UrlIn(RequestModel):
    """The address of an image."""

    url: str


async def get_choice(
    model: Annotated[str | None, Query(description="A model's id.")] = None,
    dataset: Annotated[str | None, Query(description="A dataset's id: its live model.")] = None,
) -> Choice:
    """Return which model is to answer; the newest live one unless said otherwise."""
    return Choice(model, dataset)


ChoiceDep = Annotated[Choice, Depends(get_choice)]


@router.post("/classify", openapi_extra=_BODY)
async def classify(
    request: Request,
    choice: ChoiceDep,
    services: ServicesDep,
    top: Annotated[
        int | None, Query(ge=1, description="How many classes; all if not given.")
    ] = None,
) -> AnswerOut:
    """Classify an image, sent as multipart ``file`` or named as JSON ``{"url": …}``."""
    is_form = request.headers.get("content-type", "").startswith("multipart/form-data")
    answer = await (_classify_form if is_form else _classify_json)(request, choice, services)
    return AnswerOut.of(answer, top)


@first_lesson.get("/classify-url")
async def classify_url(
    url: Annotated[str, Query()], choice: ChoiceDep, services: ServicesDep
) -> FirstLessonAnswer:
    """Classify the image at an address, answering as the first lesson's web app does."""
    answer = await services.predictions.classify_url(url, choice)
    return FirstLessonAnswer(predictions=list(answer.prediction.predictions))


async def _classify_form(request: Request, choice: Choice, services: ServicesDep) -> Answer:
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise RequestValidationError([_missing("file")])
        max_bytes = services.limits.image_bytes
        data = await file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise BodyTooLargeError(f"an image may have {max_bytes} bytes")
    return await services.predictions.classify_bytes(data, choice)


async def _classify_json(request: Request, choice: Choice, services: ServicesDep) -> Answer:
    try:
        body = UrlIn.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error
    return await services.predictions.classify_url(body.url, choice)


def _missing(name: str) -> dict[str, object]:
    return {"type": "missing", "loc": ("body", name), "msg": "Field required", "input": None}

"""Routes of classification."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from server.api.deps import CallerDep, Services, ServicesDep
from server.api.middleware import claimed_bytes
from server.api.schemas.base import RequestModel
from server.api.schemas.rollouts import Host
from server.api.schemas.training import AnswerOut, BatchOut, FirstLessonAnswer
from server.errors import BodyTooLargeError
from server.services.choosing import Choice
from server.services.evidence import MAX_NEIGHBOURS, Evidence
from server.services.predictions import Answer, Asked, Asker

router = APIRouter(tags=["answers"])
first_lesson = APIRouter(tags=["answers"])

MAX_BATCH = 64  # of one request; some seconds of work
BODY_S = 60  # for the largest image at 350 kB/s: slower lines had better send a smaller one

_SOURCE = {
    "oneOf": [
        {"type": "object", "required": [name], "properties": {name: {"type": "string"}}}
        for name in ("url", "image_id")
    ]
}
_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        _SOURCE,
                        {
                            "type": "object",
                            "required": ["images"],
                            "properties": {
                                "images": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": MAX_BATCH,
                                    "items": _SOURCE,
                                }
                            },
                        },
                    ]
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"oneOf": [_FILE, {"type": "array", "items": _FILE}]}},
                }
            },
        },
    }
}


class SourceIn(RequestModel):
    """An image: its address, or its id in a dataset."""

    url: str | None = None
    image_id: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.url is None) == (self.image_id is None):
            raise ValueError("give `url` or `image_id`")
        return self

    def asked(self) -> Asked:
        """Return what the service is asked."""
        return Asked(url=self.url, image_id=self.image_id)


class BatchIn(RequestModel):
    """Several images, which one model answers."""

    images: Annotated[list[SourceIn], Field(min_length=1, max_length=MAX_BATCH)]


class Way(StrEnum):
    """How an image is looked at: as it is, or also mirrored."""

    NONE = "none"
    FLIP = "flip"


class AskedBy(BaseModel):
    """What the query of a question says: of which model, and what of the answer is shown.

    One model for all of it: as parameters of their own, FastAPI takes a fifth of the time for them
    that it takes for the whole request.
    """

    model: str | None = Field(None, description="A model's id.")
    dataset: str | None = Field(None, description="A dataset's id: its live model.")
    site: Host | None = Field(
        None,
        description="Host of the page that the image is on: a limited model may be meant.",
    )
    top: int | None = Field(None, ge=1, description="How many classes; all if not given.")
    evidence: int | None = Field(
        None,
        ge=1,
        le=MAX_NEIGHBOURS,
        description="Of one image: how many of the nearest training images to show with it.",
    )
    tta: Way = Field(Way.NONE, description="`flip`: the mean of the image and its mirror image.")

    @property
    def choice(self) -> Choice:
        """Which model is to answer; the newest live one unless said otherwise."""
        return Choice(self.model, self.dataset)


@router.post("/classify", openapi_extra=_BODY)
async def classify(
    request: Request,
    wanted: Annotated[AskedBy, Query()],
    services: ServicesDep,
    caller: CallerDep,
) -> AnswerOut | BatchOut:
    """Classify an image or up to 64.

    One is sent as multipart ``file``, or named as JSON ``{"url": …}`` or ``{"image_id": …}``;
    several are several ``file`` parts, or ``{"images": [{"url": …}, …]}``. Of several, those that
    cannot be classified have their ``error``, and the others go on.
    """
    asker = Asker(caller.token_id, wanted.site)
    is_mirrored = wanted.tta is Way.FLIP
    with services.admission.enter(asker.client, _body_bytes(request, services)) as ticket:
        asked = await _read(request, services)
        if isinstance(asked, Asked):
            answer = await services.predictions.classify(
                asked, wanted.choice, is_mirrored=is_mirrored, asker=asker
            )
            evidence = await _find_evidence(answer, wanted.evidence, services)
            return AnswerOut.of(answer, wanted.top, evidence)
        ticket.grow(len(asked))
        found = await services.predictions.classify_all(
            asked, wanted.choice, is_mirrored=is_mirrored, asker=asker
        )
        return BatchOut.of(found, wanted.top)


async def _find_evidence(answer: Answer, count: int | None, services: Services) -> Evidence | None:
    if count is None:
        return None
    return await services.monitoring.evidence.find(answer.model, answer.prediction, count)


@first_lesson.get("/classify-url")
async def classify_url(
    url: Annotated[str, Query()],
    services: ServicesDep,
    caller: CallerDep,
    model: Annotated[str | None, Query(description="A model's id.")] = None,
    dataset: Annotated[str | None, Query(description="A dataset's id: its live model.")] = None,
) -> FirstLessonAnswer:
    """Classify the image at an address, answering as the first lesson's web app does."""
    with services.admission.enter(caller.token_id, 0):
        answer = await services.predictions.classify(
            Asked(url=url), Choice(model, dataset), asker=Asker(caller.token_id)
        )
    return FirstLessonAnswer(predictions=list(answer.prediction.predictions))


def _body_bytes(request: Request, services: Services) -> int:
    """Return what the body takes at most: as it claims, or the cap of one that claims nothing."""
    cap = services.limits.image_bytes
    # One over the cap is refused, with that reason, before any of it is read.
    return min(claimed_bytes(request.scope, unsaid=cap), cap)


async def _read(request: Request, services: Services) -> Asked | list[Asked]:
    """Return what is asked, unless it takes too long to come: it holds room for others."""
    is_form = request.headers.get("content-type", "").startswith("multipart/form-data")
    try:
        async with asyncio.timeout(BODY_S):
            return await (_read_form(request, services) if is_form else _read_json(request))
    except TimeoutError as error:
        detail = f"the image did not arrive within {BODY_S} s"
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail) from error


async def _read_form(request: Request, services: Services) -> Asked | list[Asked]:
    """Return what is asked; several files share the cap of a body."""
    max_bytes = services.limits.image_bytes
    async with request.form(max_files=MAX_BATCH, max_fields=4) as form:
        files = [part for part in form.getlist("file") if isinstance(part, UploadFile)]
        if not files:
            raise RequestValidationError([_missing("file")])
        asked = [Asked(data=await file.read(max_bytes + 1)) for file in files]
    if any(len(each.data or b"") > max_bytes for each in asked):
        raise BodyTooLargeError(f"an image may have {max_bytes} bytes")
    return asked[0] if len(asked) == 1 else asked


async def _read_json(request: Request) -> Asked | list[Asked]:
    body = await request.body()
    try:
        given = _JSON.validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error
    if isinstance(given, SourceIn):
        return given.asked()
    return [each.asked() for each in given.images]


def _kind_of(value: object) -> str:
    return "batch" if isinstance(value, dict) and "images" in value else "source"


_JSON: TypeAdapter[SourceIn | BatchIn] = TypeAdapter(
    Annotated[
        Annotated[SourceIn, Tag("source")] | Annotated[BatchIn, Tag("batch")],
        Discriminator(_kind_of),
    ]
)


def _missing(name: str) -> dict[str, object]:
    return {"type": "missing", "loc": ("body", name), "msg": "Field required", "input": None}

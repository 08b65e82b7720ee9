"""Routes of links for others: the owner's, and those that visitors reach without an account."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, RedirectResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from server.api.deps import ServicesDep, get_caller
from server.api.middleware import claimed_bytes
from server.api.schemas.links import (
    LinkIn,
    LinkOut,
    LinksOut,
    NewLinkOut,
    PublicModelOut,
    VisitorAnswerOut,
)
from server.errors import AccessError, BodyTooLargeError, LinkNotValidError
from server.services.choosing import Choice
from server.services.links import allowance_of
from server.services.predictions import Asked, Asker
from server.services.visitors import VISITORS

router = APIRouter(tags=["models"])
visit = APIRouter(tags=["visitors"])

WEB: Final = Path(__file__).parents[2] / "web"
BODY_S: Final = 60  # as for an owner: 8 MB at 140 kB/s
# Nothing that a link leads to is to be found by a search, nor to stay behind in a cache.
PRIVATE: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}

_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
_MISSING: Final = {
    "type": "missing",
    "loc": ("body", "file"),
    "msg": "Field required",
    "input": None,
}


def _stay_private(response: Response) -> None:
    response.headers.update(PRIVATE)


@router.post("/datasets/{dataset_id}/links", status_code=status.HTTP_201_CREATED)
async def create_link(
    dataset_id: str, body: LinkIn, request: Request, services: ServicesDep
) -> NewLinkOut:
    """Make a link by which others, without an account, ask the dataset's live model.

    Its address is shown this once: only a hash of the secret in it is kept.
    """
    secret, record = await services.links.create(dataset_id, body.wish())
    return NewLinkOut.made(record, str(request.base_url.replace(path=f"/try/{secret}")))


@router.get("/datasets/{dataset_id}/links")
async def list_links(dataset_id: str, services: ServicesDep) -> LinksOut:
    """List a dataset's links for others, newest first, with how many answers each gave."""
    found = await services.links.list_all(dataset_id)
    is_expired = services.links.is_expired
    return LinksOut(items=[LinkOut.of(each, is_expired=is_expired(each)) for each in found])


@router.delete("/datasets/{dataset_id}/links/{link_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_link(dataset_id: str, link_id: str, services: ServicesDep) -> None:
    """Revoke a link: who has it is shown nothing from now on."""
    await services.links.revoke(dataset_id, link_id)


@visit.get("/try", include_in_schema=False)
async def read_bare_try(request: Request, services: ServicesDep) -> Response:
    """Lead who is signed in to the page of the application; tell others that they need a link."""
    try:
        await get_caller(request, services, None)
    except AccessError:
        return FileResponse(WEB / "try-alone.html", headers=PRIVATE)
    return RedirectResponse("/#/try", HTTPStatus.SEE_OTHER, headers=PRIVATE)


@visit.get("/try/{secret}", include_in_schema=False)
async def read_try(secret: str, services: ServicesDep) -> FileResponse:
    """Return the visitor's page, or one that says that the link does not work."""
    try:
        await services.links.open(secret)
    except LinkNotValidError:
        return FileResponse(WEB / "try-gone.html", HTTPStatus.NOT_FOUND, headers=PRIVATE)
    return FileResponse(WEB / "try.html", headers=PRIVATE)


@visit.get("/try/{secret}/model", dependencies=[Depends(_stay_private)])
async def read_public_model(secret: str, services: ServicesDep) -> PublicModelOut:
    """Tell a visitor what the model is, how good, and what becomes of what is sent to it."""
    link = await services.links.open(secret)
    shown = await services.links.show(link)
    mode = services.monitoring.log.rules.mode
    return PublicModelOut.of(shown, link, mode.value, services.limits.visitor_image_bytes)


@visit.post("/try/{secret}/classify", dependencies=[Depends(_stay_private)], openapi_extra=_BODY)
async def ask(secret: str, request: Request, services: ServicesDep) -> VisitorAnswerOut:
    """Classify a visitor's image, sent as multipart ``file``, by the dataset's live model.

    No address is taken: a visitor must not make this server fetch.
    """
    link = await services.links.open(secret)
    cap = services.limits.visitor_image_bytes
    address = request.client.host if request.client else ""
    body_bytes = min(claimed_bytes(request.scope, unsaid=cap), cap)
    with services.links.visitors.enter(allowance_of(link), address, body_bytes):
        answer = await services.predictions.classify(
            Asked(data=await _read_file(request, cap)),
            Choice(dataset_id=link.dataset_id),
            asker=Asker(VISITORS, is_visitor=True, is_noted=link.does_keep),
        )
    services.links.count_answer(link)
    return VisitorAnswerOut.of(answer)


async def _read_file(request: Request, max_bytes: int) -> bytes:
    """Return the one file of a form, unless it takes too long to come."""
    try:
        async with asyncio.timeout(BODY_S), request.form(max_files=1, max_fields=1) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise RequestValidationError([_MISSING])
            data = await file.read(max_bytes + 1)
    except TimeoutError as error:
        detail = f"the image did not arrive within {BODY_S} s"
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail) from error
    if len(data) > max_bytes:
        raise BodyTooLargeError(f"an image may have {max_bytes} bytes")
    return data

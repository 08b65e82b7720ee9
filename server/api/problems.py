"""Turn every failure into one RFC 9457 problem response.

The table below is the only place that joins a domain error to an HTTP status.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from server import errors
from server.logs import request_id

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUS: dict[type[errors.ServerError], HTTPStatus] = {
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.DatasetNotFoundError: HTTPStatus.NOT_FOUND,
    errors.LabelNotFoundError: HTTPStatus.NOT_FOUND,
    errors.CaptureNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ImageNotFoundError: HTTPStatus.NOT_FOUND,
    errors.BlobNotFoundError: HTTPStatus.NOT_FOUND,
    errors.SnapshotNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ShardNotFoundError: HTTPStatus.NOT_FOUND,
    errors.JobNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ModelNotFoundError: HTTPStatus.NOT_FOUND,
    errors.PredictionNotFoundError: HTTPStatus.NOT_FOUND,
    errors.RolloutNotFoundError: HTTPStatus.NOT_FOUND,
    errors.TokenNotFoundError: HTTPStatus.NOT_FOUND,
    errors.SiteNotBlockedError: HTTPStatus.NOT_FOUND,
    errors.LinkNotFoundError: HTTPStatus.NOT_FOUND,
    errors.LinkNotValidError: HTTPStatus.NOT_FOUND,
    errors.FeedbackNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.DatasetExistsError: HTTPStatus.CONFLICT,
    errors.LabelExistsError: HTTPStatus.CONFLICT,
    errors.LabelInUseError: HTTPStatus.CONFLICT,
    errors.ImageNotObtainableError: HTTPStatus.CONFLICT,
    errors.VersionConflictError: HTTPStatus.PRECONDITION_FAILED,
    errors.NothingToUndoError: HTTPStatus.CONFLICT,
    errors.NothingToRedoError: HTTPStatus.CONFLICT,
    errors.LabelConflictError: HTTPStatus.CONFLICT,
    errors.NotEnoughImagesError: HTTPStatus.CONFLICT,
    errors.BlobDamagedError: HTTPStatus.CONFLICT,
    errors.SnapshotDamagedError: HTTPStatus.CONFLICT,
    errors.ImagesRemovedError: HTTPStatus.GONE,
    errors.ModelDamagedError: HTTPStatus.CONFLICT,
    errors.JobNotLeasedError: HTTPStatus.CONFLICT,
    errors.JobFinishedError: HTTPStatus.CONFLICT,
    errors.NoModelError: HTTPStatus.CONFLICT,
    errors.ModelWorseError: HTTPStatus.CONFLICT,
    errors.NothingToRollBackError: HTTPStatus.CONFLICT,
    errors.StageChangedError: HTTPStatus.CONFLICT,
    errors.RolloutRunningError: HTTPStatus.CONFLICT,
    errors.TooManyLinksError: HTTPStatus.CONFLICT,
    errors.RefreshRunningError: HTTPStatus.CONFLICT,
    errors.FeedbackDecidedError: HTTPStatus.CONFLICT,
    errors.FeedbackWithoutPictureError: HTTPStatus.CONFLICT,
    errors.InboxFullError: HTTPStatus.CONFLICT,
    errors.PictureKnownError: HTTPStatus.CONFLICT,
    errors.DataFolderInUseError: HTTPStatus.CONFLICT,
    errors.RefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnknownLabelError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.LabelRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidCursorError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ImageNotUsableError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.BundleRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ImportRefusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DiskFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.TooBusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.AllowanceUsedError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.TooMuchFeedbackError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.AccessError: HTTPStatus.FORBIDDEN,
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.TokenScopeError: HTTPStatus.FORBIDDEN,
    errors.ForeignHostError: HTTPStatus.MISDIRECTED_REQUEST,
    errors.ForeignOriginError: HTTPStatus.FORBIDDEN,
    errors.PairingCodeWrongError: HTTPStatus.FORBIDDEN,
    errors.PairingNotOpenError: HTTPStatus.FORBIDDEN,
    errors.PairingLockedError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.SignInCodeError: HTTPStatus.FORBIDDEN,
}
_WITH_RETRY = (errors.TooBusyError, errors.AllowanceUsedError, errors.TooMuchFeedbackError)
# Problems that are not domain errors, for /problems/<slug>.
OTHER_SLUGS = {
    "invalid-request": "The request does not have the form that the API describes",
    "internal": "The server failed; its log says how",
}


class Problem(BaseModel):
    """RFC 9457: what every failure looks like. Some kinds have further members."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str | None


# For the API's description: every route may answer so.
_CONTENT = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": _CONTENT}
    for status, description in (
        (422, "The request, or what it names, cannot be used"),
        ("default", "Any other failure"),
    )
}


def _problem(status: HTTPStatus, slug: str, title: str, detail: str, **extra: Any) -> JSONResponse:
    body = {
        "type": f"/problems/{slug}",
        "title": title,
        "status": status.value,
        "detail": detail,
        "instance": request_id.get(),
    }
    return JSONResponse(extra | body, status_code=status, media_type=MEDIA_TYPE)


def respond(error: errors.ServerError) -> JSONResponse:
    """Return the response for a domain error."""
    status = STATUS[type(error)]
    response = _problem(status, error.slug, error.title, str(error), **error.extra)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, _WITH_RETRY):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


async def _on_domain_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.ServerError)  # noqa: S101 - FastAPI's handler type is Exception
    return respond(error)


async def _on_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    found = [
        {"pointer": "/" + "/".join(map(str, e["loc"])), "detail": e["msg"]} for e in error.errors()
    ]
    first = f": {found[0]['pointer']} {found[0]['detail']}" if found else ""
    return _problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-request",
        "Invalid request",
        f"{len(found)} invalid value(s){first}",
        errors=found,
    )


async def _on_http_exception(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:  # its phrase depends on Python's version
        return respond(errors.BodyTooLargeError(str(error.detail)))
    response = respond_to_status(status, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def respond_to_status(status: HTTPStatus, detail: str) -> JSONResponse:
    """Return the response for a failure of HTTP itself, such as an unknown path."""
    return _problem(status, _slug(status), status.phrase, detail or status.phrase)


def respond_to_bug(error: Exception) -> JSONResponse:
    """Return the response for an error that nobody expected, and log it; it says nothing itself."""
    log.error("request.failed", exc_info=error)
    return _problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Internal error", "see the server's log"
    )


def describe(slug: str) -> str | None:
    """Return what kind of problem ``slug`` names, or None when there is none."""
    general = {
        _slug(status): status.phrase
        for status in HTTPStatus
        if status < HTTPStatus.INTERNAL_SERVER_ERROR
    }
    known = general | OTHER_SLUGS | {error.slug: error.title for error in STATUS}
    return known.get(slug)


def _slug(status: HTTPStatus) -> str:
    return status.phrase.lower().replace(" ", "-")


def install(app: FastAPI) -> None:
    """Register the handlers on ``app``."""
    app.add_exception_handler(errors.ServerError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)

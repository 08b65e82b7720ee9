"""Routes of what models were asked, as far as that is kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status
from fastapi.responses import FileResponse

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.predictions import DriftOut, PredictionCountsOut, PredictionRecordOut

router = APIRouter(tags=["models"])

Days = Annotated[int, Query(ge=1, le=400, description="How many days, today (UTC) included.")]


@router.get("/models/{model_id}/prediction-counts")
async def read_prediction_counts(
    model_id: str, services: ServicesDep, days: Days = 30
) -> PredictionCountsOut:
    """Return how often a model gave each label, and how surely.

    Nothing is counted unless the setting ``BOWERBIRD_PREDICTION_LOG__MODE`` says so.
    """
    log = services.monitoring.log
    return PredictionCountsOut.of(log.rules.mode.value, days, await log.list_counts(model_id, days))


@router.get("/models/{model_id}/drift")
async def read_drift(model_id: str, services: ServicesDep, days: Days = 7) -> DriftOut:
    """Tell whether what a model is asked is still what it was validated on.

    Which labels it gives, how sure it is, how often it abstains, and how near the images are to
    those that it learned from, in the last days and on the validation split, each with a test.
    Answers must be counted for it.
    """
    monitoring = services.monitoring
    found = await monitoring.drift.check(model_id, days)
    return DriftOut.of(monitoring.log.rules.mode.value, found)


@router.get("/models/{model_id}/predictions")
async def list_predictions(
    model_id: str, page: PageDep, services: ServicesDep
) -> PageOut[PredictionRecordOut]:
    """List the answers that are kept with their images, newest first."""
    found = await services.monitoring.log.list_page(model_id, page)
    return PageOut.of(found, PredictionRecordOut.model_validate)


@router.delete("/models/{model_id}/predictions", status_code=status.HTTP_204_NO_CONTENT)
async def forget_predictions(model_id: str, services: ServicesDep) -> None:
    """Delete all that is kept of what a model was asked: counts, answers and images."""
    await services.monitoring.log.forget(model_id)


@router.get("/predictions/{prediction_id}/file", response_class=FileResponse)
async def read_prediction_file(prediction_id: str, services: ServicesDep) -> FileResponse:
    """Return the image of an answer that is kept."""
    path, media_type = await services.monitoring.log.get_file(prediction_id)
    # Not for long, unlike a dataset's: what is kept here is to be gone when it is deleted.
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, headers=headers, media_type=media_type)

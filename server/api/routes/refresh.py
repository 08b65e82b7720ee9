"""Routes of the nightly refresh."""

from __future__ import annotations

from fastapi import APIRouter, status

from server.api.deps import ServicesDep
from server.api.schemas.refresh import RefreshIn, RefreshOut, RefreshRunOut

router = APIRouter(tags=["training"])


@router.get("/datasets/{dataset_id}/refresh")
async def read_refresh(dataset_id: str, services: ServicesDep) -> RefreshOut:
    """Tell whether a dataset is refreshed by night, and what came of the last runs."""
    return RefreshOut.of(await services.refresh.show(dataset_id))


@router.put("/datasets/{dataset_id}/refresh")
async def save_refresh(dataset_id: str, body: RefreshIn, services: ServicesDep) -> RefreshOut:
    """Say whether and when a dataset is refreshed by night.

    A snapshot is made then and a model trained by the live one's recipe and split. It is compared
    with the live model and stays a candidate: a person promotes it.
    """
    return RefreshOut.of(await services.refresh.save(dataset_id, body.wish()))


@router.post("/datasets/{dataset_id}/refresh/run", status_code=status.HTTP_202_ACCEPTED)
async def run_refresh(dataset_id: str, services: ServicesDep) -> RefreshRunOut:
    """Refresh a dataset now, however few images are new."""
    return RefreshRunOut.model_validate(await services.refresh.ask(dataset_id))

"""Routes that look over a whole dataset: facets, stacks of look-alikes, contradictions."""

from __future__ import annotations

from fastapi import APIRouter

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.survey import ConflictOut, FacetsOut, StackOut

router = APIRouter(tags=["images"])


@router.get("/datasets/{dataset_id}/facets")
async def read_facets(dataset_id: str, services: ServicesDep) -> FacetsOut:
    """Count how many images each value of a filter would give, over the whole dataset."""
    return FacetsOut.of(await services.survey.count_facets(dataset_id))


@router.get("/datasets/{dataset_id}/stacks")
async def list_stacks(dataset_id: str, page: PageDep, services: ServicesDep) -> PageOut[StackOut]:
    """List the groups of two ready images or more that look alike, the best image first."""
    return PageOut.of(await services.survey.list_stacks(dataset_id, page), StackOut.of)


@router.get("/datasets/{dataset_id}/conflicts")
async def list_conflicts(
    dataset_id: str, page: PageDep, services: ServicesDep
) -> PageOut[ConflictOut]:
    """List the bytes that stand under two labels; while there are any, no snapshot can be made."""
    return PageOut.of(await services.survey.list_conflicts(dataset_id, page), ConflictOut.of)

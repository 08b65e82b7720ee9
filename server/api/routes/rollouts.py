"""Routes of models beside the live one."""

from __future__ import annotations

from fastapi import APIRouter

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.rollouts import DisagreementOut, RolloutOut

router = APIRouter(tags=["models"])


@router.get("/datasets/{dataset_id}/rollouts")
async def list_rollouts(
    dataset_id: str, page: PageDep, services: ServicesDep
) -> PageOut[RolloutOut]:
    """List the times that models of a dataset were beside the live one, newest first."""
    return PageOut.of(await services.rollouts.list_page(dataset_id, page), RolloutOut.of)


@router.get("/rollouts/{rollout_id}")
async def read_rollout(rollout_id: str, services: ServicesDep) -> RolloutOut:
    """Return what was compared of a model beside the live one, and what was decided."""
    return RolloutOut.of(await services.rollouts.show(rollout_id))


@router.get("/rollouts/{rollout_id}/disagreements")
async def list_disagreements(
    rollout_id: str, page: PageDep, services: ServicesDep
) -> PageOut[DisagreementOut]:
    """List what both models answered differently, newest first; the oldest are not kept."""
    found = await services.rollouts.list_disagreements(rollout_id, page)
    return PageOut.of(found, DisagreementOut.model_validate)

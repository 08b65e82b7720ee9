"""Route of credits."""

from __future__ import annotations

from fastapi import APIRouter

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.credit_list import CreditOut

router = APIRouter(tags=["datasets"])


@router.get("/datasets/{dataset_id}/credits")
async def list_credits(dataset_id: str, page: PageDep, services: ServicesDep) -> PageOut[CreditOut]:
    """List where the ready images that are not excluded come from, and under which licence.

    Titles and licences are what pages said, unchecked.
    """
    return PageOut.of(await services.credits.list_page(dataset_id, page), CreditOut.model_validate)

"""Routes of captures."""

from __future__ import annotations

from fastapi import APIRouter, Response, status

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.captures import CaptureIn, CaptureOut, CaptureResult, KnownIn, KnownOut

router = APIRouter(tags=["captures"])


@router.post("/datasets/{dataset_id}/captures", status_code=status.HTTP_201_CREATED)
async def take_capture(dataset_id: str, body: CaptureIn, services: ServicesDep) -> CaptureResult:
    """Store a capture. Sent again under its ``capture_key``, it adds nothing."""
    return CaptureResult.of(await services.captures.take(dataset_id, body.to_capture()))


@router.get("/datasets/{dataset_id}/captures")
async def list_captures(
    dataset_id: str, page: PageDep, services: ServicesDep
) -> PageOut[CaptureOut]:
    """List what was collected when and where, newest first."""
    return PageOut.of(await services.captures.list_page(dataset_id, page), CaptureOut.of)


@router.delete("/captures/{capture_id}", status_code=status.HTTP_204_NO_CONTENT)
async def undo_capture(capture_id: str, services: ServicesDep) -> Response:
    """Undo a capture: it goes, with the images that nothing else has seen."""
    await services.captures.undo(capture_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/datasets/{dataset_id}/known")
async def find_known(dataset_id: str, body: KnownIn, services: ServicesDep) -> KnownOut:
    """Say which of these addresses the dataset has, by their place in the list, and as what."""
    return KnownOut.of(await services.captures.find_known(dataset_id, body.urls))

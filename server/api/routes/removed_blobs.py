"""Route of the bytes that were removed for good, for trainers: they keep what they made of them."""

from __future__ import annotations

from fastapi import APIRouter

from server.api.deps import PageDep, ServicesDep
from server.contract.removed import RemovedBlob, RemovedBlobs

router = APIRouter(tags=["sites"])


@router.get("/removed-blobs")
async def list_removed_blobs(page: PageDep, services: ServicesDep) -> RemovedBlobs:
    """List the bytes that removals of sites took, in the order in which they went.

    For whoever keeps copies, as trainers do: ask again later with the last `next_cursor`, which is
    there at the end too, and delete what is listed. Bytes that came back since are listed as well.
    """
    records, cursor = await services.removals.list_blobs(page.cursor, page.limit)
    items = tuple(RemovedBlob(sha256=one.sha256, removed_at=one.removed_at) for one in records)
    return RemovedBlobs(items=items, next_cursor=cursor)

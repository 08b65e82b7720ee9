"""Routes of sites: remove everything of one, keep it out, let it in again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response, status

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.sites import (
    BlockedSiteOut,
    BlockedSitesOut,
    RemovalIn,
    RemovalListOut,
    RemovalOut,
    SiteName,
)

router = APIRouter(prefix="/sites", tags=["sites"])


@router.post("/removal")
async def remove_site(body: RemovalIn, services: ServicesDep) -> RemovalOut:
    """Remove everything of a site for good, or with `dry_run` only say what that would take.

    An image is of a site by its address or a page that shows it. Images, what was seen of them,
    captures that become empty, and bytes that nothing else holds go; of snapshots the manifests
    stay, and answer 410 `images-removed` where bytes are gone. Models that were trained on them are
    named. It can't be undone. Asked again after a crash, it goes on where it was.
    """
    request = body.to_request()
    if body.dry_run:
        return RemovalOut.of(await services.removals.preview(request))
    return RemovalOut.of(await services.removals.remove(request))


@router.get("/removals")
async def list_removals(page: PageDep, services: ServicesDep) -> PageOut[RemovalListOut]:
    """List what was removed when, newest first."""
    return PageOut.of(await services.removals.list_page(page), RemovalListOut.of)


@router.get("/blocked")
async def list_blocked(services: ServicesDep) -> BlockedSitesOut:
    """List the sites that are kept out, by name."""
    found = await services.removals.list_blocked()
    return BlockedSitesOut(items=[BlockedSiteOut.model_validate(one) for one in found])


@router.delete("/blocked/{site}", status_code=status.HTTP_204_NO_CONTENT)
async def unblock_site(site: Annotated[SiteName, Path()], services: ServicesDep) -> Response:
    """Let a site in again; what was removed of it does not come back by itself."""
    await services.removals.unblock(site)
    return Response(status_code=status.HTTP_204_NO_CONTENT)

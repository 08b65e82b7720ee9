"""Routes of health and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from server.api.deps import CallerDep, ServicesDep

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """That the server is there."""

    status: str = "ok"
    version: str


@router.get("/healthz")
async def read_health(services: ServicesDep) -> Health:
    """Say that the process answers."""
    return Health(version=services.about.version)


@router.get("/readyz")
async def read_readiness(services: ServicesDep) -> Health:
    """Say that the database answers too."""
    await services.access.list_all()  # any small read
    return Health(version=services.about.version)


@router.get("/metrics")
async def read_metrics(_caller: CallerDep) -> Response:
    """Return the process's metrics in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

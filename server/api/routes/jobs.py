"""Routes of jobs: the person's side, and the worker's."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from server.api.deps import PageDep, ServicesDep
from server.api.middleware import claimed_bytes
from server.api.schemas.base import PageOut
from server.api.schemas.training import BundleOut, JobIn, job_out
from server.contract.jobs import (
    Claim,
    ClaimRequest,
    FailReport,
    FindingReport,
    JobState,
    JobView,
    ProgressReply,
    ProgressReport,
    WorkerName,
)

router = APIRouter(tags=["training"])


@router.post("/snapshots/{snapshot_id}/jobs", status_code=status.HTTP_201_CREATED)
async def create_job(snapshot_id: str, services: ServicesDep, body: JobIn | None = None) -> JobView:
    """Queue a training job on a snapshot."""
    recipe = (body or JobIn()).recipe
    return job_out(await services.training.create(snapshot_id, recipe))


@router.get("/jobs")
async def list_jobs(
    page: PageDep,
    services: ServicesDep,
    dataset: str | None = None,
    state: JobState | None = None,
) -> PageOut[JobView]:
    """List jobs, newest first."""
    return PageOut.of(await services.training.list_page(dataset, state, page), job_out)


@router.post("/jobs/claim", responses={204: {"description": "No job is queued."}})
async def claim_job(body: ClaimRequest, request: Request, services: ServicesDep) -> Claim:
    """Give a worker the oldest queued job, waiting ``wait_s`` for one."""
    is_gone = request.is_disconnected
    view = await services.training.claim(body.worker, body.wait_s, is_gone)
    if view is None:
        return Response(status_code=status.HTTP_204_NO_CONTENT)  # type: ignore[return-value] # FastAPI passes a Response through
    return Claim(job=job_out(view), lease_s=services.training.rules.lease_s)


@router.get("/jobs/{job_id}")
async def read_job(job_id: str, services: ServicesDep) -> JobView:
    """Return a job."""
    return job_out(await services.training.show(job_id))


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(job_id: str, services: ServicesDep) -> JobView:
    """Cancel a job; its worker stops with its next report."""
    return job_out(await services.training.cancel(job_id))


@router.post("/jobs/{job_id}/progress")
async def report_progress(
    job_id: str, body: ProgressReport, services: ServicesDep
) -> ProgressReply:
    """Store a worker's progress and renew its lease."""
    state = await services.training.report(job_id, body.worker, body.progress)
    return ProgressReply(state=state, lease_s=services.training.rules.lease_s)


@router.put("/jobs/{job_id}/bundle", status_code=status.HTTP_201_CREATED)
async def upload_bundle(
    job_id: str, worker: Annotated[WorkerName, Query()], request: Request, services: ServicesDep
) -> BundleOut:
    """Take the bundle of a job: check it, register its model, end the job."""
    await services.training.check_lease(job_id, worker)
    cap, claimed = services.limits.bundle_bytes, claimed_bytes(request.scope)
    async with services.spool.receive(request.stream(), cap, claimed) as path:
        return BundleOut(model_id=await services.training.complete(job_id, worker, path))


@router.post("/jobs/{job_id}/finding", status_code=status.HTTP_204_NO_CONTENT)
async def report_finding(job_id: str, body: FindingReport, services: ServicesDep) -> Response:
    """End a job that makes no model, with what it found."""
    await services.training.conclude(job_id, body.worker, body.finding)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/jobs/{job_id}/fail", status_code=status.HTTP_204_NO_CONTENT)
async def fail_job(job_id: str, body: FailReport, services: ServicesDep) -> Response:
    """End a job with the worker's reason."""
    await services.training.fail(job_id, body.worker, body.error)
    return Response(status_code=status.HTTP_204_NO_CONTENT)

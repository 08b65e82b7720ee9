"""Routes of snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, status
from fastapi.responses import FileResponse

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.training import DifferenceOut, SnapshotIn, SnapshotOut
from server.db.models import SnapshotRecord
from server.services.freezing import SplitRequest

router = APIRouter(tags=["training"])


@router.post("/datasets/{dataset_id}/snapshots", status_code=status.HTTP_201_CREATED)
async def create_snapshot(
    dataset_id: str, services: ServicesDep, body: SnapshotIn | None = None
) -> SnapshotOut:
    """Freeze the dataset's ready, labelled, not excluded images, each verified again."""
    wanted = body or SnapshotIn()
    request = SplitRequest(wanted.valid_ratio, wanted.seed, wanted.min_per_label)
    return SnapshotOut.model_validate(await services.snapshots.create(dataset_id, request))


@router.get("/datasets/{dataset_id}/snapshots")
async def list_snapshots(
    dataset_id: str, page: PageDep, services: ServicesDep
) -> PageOut[SnapshotOut]:
    """List a dataset's snapshots, newest first."""
    found = await services.snapshots.list_page(dataset_id, page)
    removed = await services.snapshots.count_removed([record.id for record in found.items])
    return PageOut.of(found, lambda record: _shown(record, removed))


@router.get("/snapshots/{snapshot_id}")
async def read_snapshot(snapshot_id: str, services: ServicesDep) -> SnapshotOut:
    """Return a snapshot."""
    record = await services.snapshots.show(snapshot_id)
    return _shown(record, await services.snapshots.count_removed([snapshot_id]))


@router.get("/snapshots/{before_id}/diff/{after_id}")
async def read_difference(
    before_id: str,
    after_id: str,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=0, le=100_000, description="Listed of each kind.")] = 1000,
) -> DifferenceOut:
    """Compare two snapshots: what came, went, was relabelled, or changed its side of the split."""
    return DifferenceOut.model_validate(await services.snapshots.diff(before_id, after_id, limit))


@router.get("/snapshots/{snapshot_id}/manifest", response_class=FileResponse)
async def read_manifest(snapshot_id: str, services: ServicesDep) -> FileResponse:
    """Return the manifest: the contract's JSON, byte for byte the same for ever."""
    path, sha256 = await services.snapshots.get_manifest(snapshot_id)
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "private, max-age=31536000, immutable"}
    return FileResponse(path, headers=headers, media_type="application/json")


def _shown(record: SnapshotRecord, removed: Mapping[str, int]) -> SnapshotOut:
    shown = SnapshotOut.model_validate(record)
    return shown.model_copy(update={"removed_count": removed.get(record.id, 0)})

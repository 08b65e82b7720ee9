"""Routes of datasets and labels."""

from __future__ import annotations

from fastapi import APIRouter, Response, status

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.datasets import (
    DatasetIn,
    DatasetOut,
    DatasetPatch,
    LabelIn,
    LabelOut,
    LabelPatch,
)

router = APIRouter(tags=["datasets"])


@router.post("/datasets", status_code=status.HTTP_201_CREATED)
async def create_dataset(body: DatasetIn, services: ServicesDep) -> DatasetOut:
    """Make a dataset; names are unique."""
    return DatasetOut.of(await services.datasets.create(body.name, body.description))


@router.get("/datasets")
async def list_datasets(page: PageDep, services: ServicesDep) -> PageOut[DatasetOut]:
    """List datasets, newest first."""
    return PageOut.of(await services.datasets.list_page(page), DatasetOut.of)


@router.get("/datasets/{dataset_id}")
async def read_dataset(dataset_id: str, services: ServicesDep) -> DatasetOut:
    """Return a dataset with its counts per status and label."""
    return DatasetOut.of(await services.datasets.show(dataset_id))


@router.patch("/datasets/{dataset_id}")
async def change_dataset(dataset_id: str, body: DatasetPatch, services: ServicesDep) -> DatasetOut:
    """Rename or describe a dataset."""
    return DatasetOut.of(await services.datasets.change(dataset_id, body.name, body.description))


@router.delete("/datasets/{dataset_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_dataset(dataset_id: str, services: ServicesDep) -> Response:
    """Delete a dataset and all that hangs on it."""
    await services.datasets.delete(dataset_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/datasets/{dataset_id}/pause")
async def pause_dataset(dataset_id: str, services: ServicesDep) -> DatasetOut:
    """Download nothing more for a dataset; what is under way is finished."""
    await services.downloads.pause(dataset_id, paused=True)
    return DatasetOut.of(await services.datasets.show(dataset_id))


@router.post("/datasets/{dataset_id}/resume")
async def resume_dataset(dataset_id: str, services: ServicesDep) -> DatasetOut:
    """Go on downloading for a dataset that was paused."""
    await services.downloads.pause(dataset_id, paused=False)
    return DatasetOut.of(await services.datasets.show(dataset_id))


@router.get("/datasets/{dataset_id}/labels")
async def list_labels(dataset_id: str, services: ServicesDep) -> PageOut[LabelOut]:
    """List a dataset's labels by name."""
    views = await services.datasets.list_labels(dataset_id)
    items = [LabelOut.of(view) for view in views]
    return PageOut(items=items, next_cursor=None, total=len(items))


@router.post("/datasets/{dataset_id}/labels", status_code=status.HTTP_201_CREATED)
async def create_label(dataset_id: str, body: LabelIn, services: ServicesDep) -> LabelOut:
    """Make a label; names are unique within a dataset."""
    return LabelOut.of(await services.datasets.create_label(dataset_id, body.name))


@router.patch("/labels/{label_id}")
async def change_label(label_id: str, body: LabelPatch, services: ServicesDep) -> LabelOut:
    """Rename a label, or merge it into another."""
    if body.merge_into is not None:
        return LabelOut.of(await services.datasets.merge_label(label_id, body.merge_into))
    return LabelOut.of(await services.datasets.rename_label(label_id, body.name or ""))


@router.delete("/labels/{label_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_label(label_id: str, services: ServicesDep) -> Response:
    """Delete a label that no image carries."""
    await services.datasets.delete_label(label_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)

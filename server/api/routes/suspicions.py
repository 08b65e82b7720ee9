"""Routes of cleaning: suspicious labels, and two models compared."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.suspicions import ComparisonOut, SuspicionsOut
from server.contract.snapshot import Split
from server.services.suspicions import SuspicionFilter

router = APIRouter(tags=["training"])


@router.get("/datasets/{dataset_id}/suspicions")
async def list_suspicions(  # noqa: PLR0913, PLR0917 - one parameter per parameter of the query
    dataset_id: str,
    page: PageDep,
    services: ServicesDep,
    model: Annotated[
        str | None, Query(max_length=64, description="By default the dataset's newest.")
    ] = None,
    label: Annotated[str | None, Query(max_length=100)] = None,
    split: Split | None = None,
    reviewed: bool | None = None,
) -> SuspicionsOut:
    """List a dataset's images by how much a model doubts their label, the most doubted first.

    Doubts come from heads that were not trained on the image. Excluded images, and images
    relabelled since the training, are left out.
    """
    wanted = SuspicionFilter(model, label, split, reviewed)
    return SuspicionsOut.of(await services.suspicions.list_page(dataset_id, wanted, page))


@router.get("/models/{model_id}/comparison")
async def compare_models(
    model_id: str,
    before: Annotated[str, Query(max_length=64, description="The id of the former model.")],
    services: ServicesDep,
) -> ComparisonOut:
    """Compare a model with a former one on the images in both validation splits.

    Both are judged by the labels that the later one was given. The interval is Bonett and Price's
    for paired rates, 95 %; the p-value that of the exact McNemar test.
    """
    found = await services.suspicions.compare(before, model_id)
    return ComparisonOut.of(before, model_id, found)

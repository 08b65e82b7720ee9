"""Routes of models."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import PageOut
from server.api.schemas.training import (
    ModelDetailOut,
    ModelOut,
    RollbackIn,
    StageChangeOut,
    StageIn,
)
from server.contract.bundle import BUNDLE_JSON, MODEL_ONNX
from server.contract.files import sha256_of
from server.db.models import ModelStage
from server.services.promotion import Wish

router = APIRouter(tags=["models"])


class BundlePart(StrEnum):
    """What a browser needs to answer by itself."""

    MANIFEST = BUNDLE_JSON
    NETWORK = MODEL_ONNX


@router.get("/models")
async def list_models(
    page: PageDep,
    services: ServicesDep,
    dataset: str | None = None,
    stage: ModelStage | None = None,
) -> PageOut[ModelOut]:
    """List models, newest first."""
    return PageOut.of(await services.models.list_page(dataset, stage, page), ModelOut.of)


@router.get("/models/{model_id}")
async def read_model(model_id: str, services: ServicesDep) -> ModelDetailOut:
    """Return a model with the evaluation of every image."""
    return ModelDetailOut.with_bundle(*await services.models.show(model_id))


@router.post("/models/{model_id}/stage")
async def set_stage(model_id: str, body: StageIn, services: ServicesDep) -> ModelOut:
    """Set a model's stage; going live retires the dataset's former live model.

    A model that makes more mistakes than the live one, by more than chance would explain, on the
    validation images that both have, does not go live: 409 ``model-worse``, unless forced.

    A ``shadow`` model is asked what the live one was asked, and answers nobody; a ``limited`` one
    answers some clients, or for some sites. ``rollout`` has the rules by which it goes further or
    back; with it, one that is in the stage already begins anew.
    """
    rules = None if body.rollout is None else body.rollout.rules()
    wish = Wish(body.stage, body.reason, body.force, rules)
    return ModelOut.of(await services.promotion.set_stage(model_id, wish))


@router.post("/datasets/{dataset_id}/rollback")
async def roll_back(
    dataset_id: str, services: ServicesDep, body: RollbackIn | None = None
) -> ModelOut:
    """Let the model that was live before the live one answer again; step by step when repeated."""
    reason = (body or RollbackIn()).reason
    return ModelOut.of(await services.promotion.roll_back(dataset_id, reason))


@router.get("/datasets/{dataset_id}/stage-changes")
async def list_stage_changes(
    dataset_id: str, page: PageDep, services: ServicesDep
) -> PageOut[StageChangeOut]:
    """List what became of a dataset's models, newest first."""
    found = await services.promotion.list_changes(dataset_id, page)
    return PageOut.of(found, StageChangeOut.model_validate)


@router.get("/models/{model_id}/bundle/{part}")
async def read_bundle_part(model_id: str, part: BundlePart, services: ServicesDep) -> Response:
    """Return one member of the bundle: what answers need of it, for who needs no more.

    ``bundle.json`` says in ``parts`` which sha256 ``model.onnx`` has.
    """
    data = await services.models.read_part(model_id, part.value)
    media_type = "application/json" if part is BundlePart.MANIFEST else "application/octet-stream"
    headers = {"ETag": f'"{sha256_of(data)}"'}
    return Response(data, headers=headers, media_type=media_type)


@router.get("/models/{model_id}/bundle", response_class=FileResponse)
async def read_bundle(model_id: str, services: ServicesDep) -> FileResponse:
    """Return the bundle: ONNX and everything that inference needs, in one zip."""
    path, record = await services.models.get_bundle(model_id)
    headers = {"ETag": f'"{record.bundle_sha256}"'}
    name = f"bowerbird-{record.id}.zip"
    return FileResponse(path, headers=headers, media_type="application/zip", filename=name)

"""Routes of what leaves the server: a snapshot as archives, tables and documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from server.api.deps import ServicesDep
from server.api.ranges import UnsatisfiableError, names_tag, wanted_span
from server.api.schemas.exports import ExportOut, ExportsOut
from server.contract.exports import ExportFormat
from server.contract.origins import Origins

router = APIRouter(tags=["exports"])


@router.get("/snapshots/{snapshot_id}/exports")
async def list_exports(snapshot_id: str, services: ServicesDep) -> ExportsOut:
    """List the formats that a snapshot can leave as, and of how many parts each is."""
    shards = await services.exports.count_shards(snapshot_id)
    items = [
        ExportOut(format=each, shards=shards if each is ExportFormat.WEBDATASET else 1)
        for each in ExportFormat
    ]
    return ExportsOut(items=items)


@router.get("/snapshots/{snapshot_id}/origins")
async def list_origins(snapshot_id: str, services: ServicesDep) -> Origins:
    """Tell engine, site and licence of each image, by which a trainer looks for shortcuts."""
    items = await services.exports.list_origins(snapshot_id)
    return Origins(snapshot_id=snapshot_id, items=tuple(items))


@router.head("/snapshots/{snapshot_id}/export", include_in_schema=False)
@router.get("/snapshots/{snapshot_id}/export", response_class=StreamingResponse)
async def export_snapshot(
    snapshot_id: str,
    request: Request,
    services: ServicesDep,
    wanted: Annotated[ExportFormat, Query(alias="format")],
    shard: Annotated[
        int | None, Query(ge=0, le=1_000_000, description="Of `webdataset`: one part of it.")
    ] = None,
) -> Response:
    """Stream a snapshot as a file; ranges are served, so a download that was cut goes on.

    The bytes of one `ETag` never change. `folder` is a zip of `train/<label>/<sha256>.jpg`, `hf`
    the same with `metadata.csv` as Hugging Face reads it, `webdataset` a tar, `csv` and `parquet`
    the metadata alone, `croissant` a description as JSON-LD, `datasheet` one for people.
    """
    export = await services.exports.open(snapshot_id, wanted, shard)
    length = export.layout.length
    headers = {
        "ETag": export.etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{export.name}"',
    }
    if names_tag(request.headers.get("if-none-match", ""), export.etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        span = wanted_span(request.headers, length, export.etag)
    except UnsatisfiableError as error:
        raise HTTPException(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"the file has {length} bytes",
            {"Content-Range": f"bytes */{length}"},
        ) from error
    headers["Content-Length"] = str(span.stop - span.start)
    if span.is_part:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{length}"
    status = HTTPStatus.PARTIAL_CONTENT if span.is_part else HTTPStatus.OK
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=export.media_type)
    pieces = services.exports.read(export, span.start, span.stop)
    return StreamingResponse(pieces, status, headers, export.media_type)

"""Routes of images and their bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile, status
from fastapi.responses import FileResponse

from server.api.deps import PageDep, ServicesDep
from server.api.schemas.base import Name, PageOut
from server.api.schemas.images import (
    BulkIn,
    BulkOut,
    ImageDetailOut,
    ImageOut,
    ImagePatch,
    RetryIn,
    RetryOut,
)
from server.db.models import BlobRecord, ImageStatus, ObtainedBy
from server.errors import BodyTooLargeError
from server.reasons import Reason
from server.repositories.images import ImageFilter, ImageSort
from server.repositories.obtainable import ObtainableBy
from server.services.completions import Completion
from server.services.images import Upload

router = APIRouter(tags=["images"])

WebAddress = Annotated[str | None, Form(max_length=8192, pattern="^https?://")]

# The bytes of an image never change, and only its owner may see them.
CACHING = "private, max-age=31536000, immutable"


async def get_filter(  # noqa: PLR0913, PLR0917 - one parameter per parameter of the query
    label: Annotated[str | None, Query(max_length=100)] = None,
    status: ImageStatus | None = None,
    reason: Reason | None = None,
    excluded: bool | None = None,
    sha256: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    obtainable: Annotated[
        ObtainableBy | None,
        Query(description="Rejected by who asked for them: a person's browser may get them."),
    ] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Part of a title, address or hash.")
    ] = None,
    sort: Annotated[ImageSort, Query(description="By when they were first seen.")] = (
        ImageSort.OLDEST
    ),
) -> ImageFilter:
    """Return which images are asked for, and in which order."""
    return ImageFilter(label, status, reason, excluded, sha256, obtainable, q, sort)


@router.get("/datasets/{dataset_id}/images")
async def list_images(
    dataset_id: str,
    wanted: Annotated[ImageFilter, Depends(get_filter)],
    page: PageDep,
    services: ServicesDep,
) -> PageOut[ImageOut]:
    """List a dataset's images in the order they were first seen, or the newest first."""
    found = await services.images.list_page(dataset_id, wanted, page)
    return PageOut.of(found, ImageOut.model_validate)


@router.post("/datasets/{dataset_id}/images", status_code=status.HTTP_201_CREATED)
async def upload_image(  # noqa: PLR0913, PLR0917 - one parameter per form field
    dataset_id: str,
    services: ServicesDep,
    response: Response,
    file: Annotated[UploadFile, File()],
    label: Annotated[Name | None, Form()] = None,
    source_url: WebAddress = None,
    page_url: WebAddress = None,
) -> ImageOut:
    """Add an image from its bytes; 200 instead of 201 when they were uploaded before."""
    data = await read_capped(file, services.limits.image_bytes)
    title = Path(file.filename).name[:1000] if file.filename else None
    upload = Upload(data, label, source_url, page_url, title)
    view, is_new = await services.images.upload(dataset_id, upload)
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return ImageOut.of(view)


@router.post("/datasets/{dataset_id}/images/bulk")
async def change_images(dataset_id: str, body: BulkIn, services: ServicesDep) -> BulkOut:
    """Change several images, all or none."""
    changed = await services.images.change_many(dataset_id, body.ids, body.set.to_change())
    return BulkOut(changed=changed)


@router.post("/datasets/{dataset_id}/images/retry")
async def retry_images(
    dataset_id: str, services: ServicesDep, body: RetryIn | None = None
) -> RetryOut:
    """Queue rejected images again, all or those of one reason."""
    reason = None if body is None else body.reason
    return RetryOut(queued=await services.images.retry(dataset_id, reason))


@router.get("/images/{image_id}")
async def read_image(image_id: str, services: ServicesDep) -> ImageDetailOut:
    """Return an image, where it was seen, and the last tries to get it."""
    view, sightings = await services.images.show(image_id)
    attempts = await services.downloads.list_attempts(image_id)
    return ImageDetailOut.with_story(view, sightings, attempts)


@router.patch("/images/{image_id}")
async def change_image(image_id: str, body: ImagePatch, services: ServicesDep) -> ImageOut:
    """Relabel, exclude or mark an image as reviewed."""
    return ImageOut.of(await services.images.change(image_id, body.to_change()))


@router.get("/images/{image_id}/file", response_class=FileResponse)
async def read_file(image_id: str, request: Request, services: ServicesDep) -> Response:
    """Return the image's bytes as they were fetched."""
    path, blob = await services.images.get_file(image_id)
    return serve(request, path, blob, f"image/{blob.format}")


@router.put("/images/{image_id}/file")
async def complete_image(
    image_id: str,
    services: ServicesDep,
    file: Annotated[UploadFile, File()],
    via: Annotated[Literal[ObtainedBy.BROWSER, ObtainedBy.CACHED_COPY], Form()],
    final_url: WebAddress = None,
) -> ImageOut:
    """Complete an image that the server could not get (`obtainable=browser`) with its bytes.

    They are verified as a download's are: the image is `ready`, `duplicate` or `rejected` after it.
    Sent again they change nothing. An image in any other state answers 409 `image-not-obtainable`.
    """
    data = await read_capped(file, services.limits.image_bytes)
    sent = Completion(data, via, final_url)
    return ImageOut.of(await services.completions.complete(image_id, sent))


@router.get("/images/{image_id}/thumbnail", response_class=FileResponse)
async def read_thumbnail(image_id: str, request: Request, services: ServicesDep) -> Response:
    """Return a JPEG of at most 256 pixels a side."""
    path, blob = await services.images.get_thumbnail(image_id)
    return serve(request, path, blob, "image/jpeg")


@router.get("/blobs/{sha256}", response_class=FileResponse, tags=["training"])
async def read_blob(sha256: str, request: Request, services: ServicesDep) -> Response:
    """Return verified bytes by their hash; ranges are served."""
    path, blob = await services.images.get_blob(sha256)
    return serve(request, path, blob, f"image/{blob.format}")


def serve(request: Request, path: Path, blob: BlobRecord, media_type: str) -> Response:
    """Return a file that never changes, or 304 to a client that has it.

    The type is the one that was verified, and ``nosniff`` holds the browser to it.
    """
    etag = f'"{blob.sha256}"'
    headers = {"ETag": etag, "Cache-Control": CACHING}
    if _has(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return FileResponse(path, headers=headers, media_type=media_type)


def _has(if_none_match: str, etag: str) -> bool:
    """Tell whether the header names the tag: a list, compared weakly (RFC 9110 section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or tags == {"*"}


async def read_capped(file: UploadFile, max_bytes: int) -> bytes:
    """Return the whole of an uploaded file.

    Raises:
        BodyTooLargeError: It has more than ``max_bytes``.
    """
    data = await file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise BodyTooLargeError(f"an image may have {max_bytes} bytes")
    return data

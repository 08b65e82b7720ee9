"""Routes of images and their bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile, status
from fastapi.responses import FileResponse

from server.api.deps import PageDep, ServicesDep
from server.api.forms import read_capped
from server.api.ranges import names_tag
from server.api.schemas.base import MAX_SIDE_PX, LabelName, PageOut
from server.api.schemas.images import (
    ImageDetailOut,
    ImageOut,
    RetryIn,
    RetryOut,
)
from server.contract.snapshot import Split
from server.db.models import BlobRecord, ImageStatus, ObtainedBy
from server.errors import RefusedError
from server.labels import MAX_WRITTEN_CHARS
from server.media.hints import HintName
from server.reasons import Reason
from server.repositories.filters import ImageFilter, ImageSort
from server.repositories.obtainable import ObtainableBy
from server.repositories.paging import PageRequest
from server.services.completions import Completion
from server.services.images import Upload
from server.services.sides import SideOf

router = APIRouter(tags=["images"])

WebAddress = Annotated[str | None, Form(max_length=8192, pattern="^https?://")]

# What is skipped is gone through, if only along an index: a fifth of a second at this many.
MAX_SKIP: Final = 1_000_000
# Ids hold milliseconds since 1970; nothing here is older.
# Days beyond are as good as these, and the day after is a day.
_FIRST_DAY: Final = date(1970, 1, 1)
_LAST_DAY: Final = date(9999, 12, 30)

# The bytes of an image never change, and only its owner may see them.
CACHING = "private, max-age=31536000, immutable"


async def get_looks(
    min_px: Annotated[int | None, Query(ge=0, le=MAX_SIDE_PX)] = None,
    max_px: Annotated[int | None, Query(ge=0, le=MAX_SIDE_PX)] = None,
    near_group: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    hint: HintName | None = None,
) -> ImageFilter:
    """Return which images are asked for by how they look; sizes are of the shorter side."""
    return ImageFilter(min_px=min_px, max_px=max_px, near_group=near_group, hint=hint)


async def get_origin(
    engine: Annotated[str | None, Query(max_length=50)] = None,
    query: Annotated[str | None, Query(max_length=1000)] = None,
    site: Annotated[
        str | None, Query(max_length=253, description="The host of the address or of the page.")
    ] = None,
    captured_from: date | None = None,
    captured_to: date | None = None,
) -> ImageFilter:
    """Return which images are asked for by where and when they were found; days are of UTC."""
    before = None if captured_to is None else _start_of(captured_to) + timedelta(days=1)
    return ImageFilter(
        engine=engine,
        query=query,
        site=None if site is None else site.lower(),
        captured_from=None if captured_from is None else _start_of(captured_from),
        captured_before=before,
    )


def _start_of(day: date) -> datetime:
    within = min(max(day, _FIRST_DAY), _LAST_DAY)
    return datetime(within.year, within.month, within.day, tzinfo=UTC)


async def get_filter(  # noqa: PLR0913, PLR0917 - one parameter per parameter of the query
    looks: Annotated[ImageFilter, Depends(get_looks)],
    origin: Annotated[ImageFilter, Depends(get_origin)],
    label: Annotated[str | None, Query(max_length=MAX_WRITTEN_CHARS)] = None,
    status: ImageStatus | None = None,
    reason: Reason | None = None,
    excluded: bool | None = None,
    reviewed: bool | None = None,
    sha256: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    obtainable: Annotated[
        ObtainableBy | None,
        Query(description="Rejected by who asked for them: a person's browser may get them."),
    ] = None,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Part of a title or address, or at least four digits of a hash.",
        ),
    ] = None,
    sort: Annotated[
        ImageSort, Query(description="By a measure, only what has been measured is listed.")
    ] = ImageSort.OLDEST,
) -> ImageFilter:
    """Return which images are asked for, and in which order."""
    return replace(
        origin,
        min_px=looks.min_px,
        max_px=looks.max_px,
        near_group=looks.near_group,
        hint=looks.hint,
        label=label,
        status=status,
        reason=reason,
        excluded=excluded,
        reviewed=reviewed,
        sha256=sha256,
        obtainable=obtainable,
        q=q,
        sort=sort,
    )


async def get_side(
    snapshot: Annotated[str | None, Query(max_length=26)] = None, split: Split | None = None
) -> SideOf | None:
    """Return of which snapshot, and of which side of it, images are asked for.

    Raises:
        RefusedError: A side is asked for, but of no snapshot.
    """
    if snapshot is None and split is not None:
        raise RefusedError("a split is of a snapshot: name it")
    return None if snapshot is None else SideOf(snapshot, split)


async def get_image_page(
    page: PageDep,
    skip: Annotated[
        int,
        Query(
            ge=0,
            le=MAX_SKIP,
            description="Begin so many images later in the list; not beside a cursor.",
        ),
    ] = 0,
) -> PageRequest:
    """Return which page of a list of images is asked for: behind another one, or at a place.

    Raises:
        RefusedError: Both are asked for.
    """
    if skip and page.cursor is not None:
        raise RefusedError("a cursor is a place already: send it without skip")
    return replace(page, skip=skip)


@router.get("/datasets/{dataset_id}/images")
async def list_images(
    dataset_id: str,
    wanted: Annotated[ImageFilter, Depends(get_filter)],
    side: Annotated[SideOf | None, Depends(get_side)],
    page: Annotated[PageRequest, Depends(get_image_page)],
    services: ServicesDep,
) -> PageOut[ImageOut]:
    """List a dataset's images: as they were first seen, the newest first, or by a measure.

    With `skip` the page begins at that place of the list, and its `next_cursor` goes on from there.
    """
    if side is not None:
        wanted = replace(wanted, members=await services.sides.list_members(side))
    found = await services.images.list_page(dataset_id, wanted, page)
    return PageOut.of(found, ImageOut.of_row)


@router.post("/datasets/{dataset_id}/images", status_code=status.HTTP_201_CREATED)
async def upload_image(  # noqa: PLR0913, PLR0917 - one parameter per form field
    dataset_id: str,
    services: ServicesDep,
    response: Response,
    file: Annotated[UploadFile, File()],
    label: Annotated[LabelName | None, Form()] = None,
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


@router.post("/datasets/{dataset_id}/images/retry")
async def retry_images(
    dataset_id: str, services: ServicesDep, body: RetryIn | None = None
) -> RetryOut:
    """Queue rejected images again, all or those of one reason or of one host."""
    wanted = body or RetryIn()
    return RetryOut(queued=await services.images.retry(dataset_id, wanted.reason, wanted.host))


@router.get("/images/{image_id}")
async def read_image(image_id: str, services: ServicesDep, response: Response) -> ImageDetailOut:
    """Return an image, where it was seen, and the last tries to get it.

    The `ETag` is its version: sent as `If-Match` with a change, it keeps what others did.
    """
    view, sightings = await services.images.show(image_id)
    response.headers["ETag"] = f'"{view.record.version}"'
    attempts = await services.downloads.list_attempts(image_id)
    return ImageDetailOut.with_story(view, sightings, attempts)


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
    if names_tag(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return FileResponse(path, headers=headers, media_type=media_type)

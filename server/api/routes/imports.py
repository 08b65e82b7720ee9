"""Routes of imports."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response, status

from server.api.deps import ServicesDep
from server.api.middleware import claimed_bytes
from server.api.schemas.imports import ImportOut

router = APIRouter(tags=["datasets"])

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys(
            ("application/octet-stream", "application/zip", "application/x-tar", "text/csv"),
            _BINARY,
        ),
    }
}


@router.post(
    "/datasets/{dataset_id}/imports",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=_BODY,
)
async def import_file(
    dataset_id: str,
    request: Request,
    response: Response,
    services: ServicesDep,
    dry_run: Annotated[bool, Query(description="Only say what would happen; 200.")] = False,
) -> ImportOut:
    """Import a file, sent as it is: what it is tell its first bytes.

    - A **zip** or **tar** of images. Labels come from a `metadata.csv` (`file_name`, `label`: the
      imagefolder of Hugging Face), from `key.json` or `key.cls` beside `key.jpg` (WebDataset), or
      from the names of folders, below one around everything and below `train`, `valid`, `test`.
    - A **CSV** with the columns `url` and `label`: the addresses are queued.

    Images are verified as uploads are, and what is refused is listed with its reason. The same file
    again adds nothing twice. A file that is refused as a whole answers 422 `import-refused`, with
    its `kind`; nothing of it was added then.
    """
    await services.imports.check(dataset_id)
    cap, claimed = services.limits.import_bytes, claimed_bytes(request.scope)
    async with services.spool.receive(request.stream(), cap, claimed) as path:
        report = await services.imports.run(dataset_id, path, dry_run=dry_run)
    if dry_run:
        response.status_code = status.HTTP_200_OK
    return ImportOut.model_validate(report)

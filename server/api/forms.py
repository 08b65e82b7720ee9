"""Files of forms."""

from __future__ import annotations

from starlette.datastructures import UploadFile

from server.errors import BodyTooLargeError


async def read_capped(file: UploadFile, max_bytes: int) -> bytes:
    """Return the whole of an uploaded file.

    Raises:
        BodyTooLargeError: It has more than ``max_bytes``.
    """
    data = await file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise BodyTooLargeError(f"an image may have {max_bytes} bytes")
    return data

"""Which bytes were removed for good, as trainers are told. May import ``contract.schema``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from server.contract.schema import ReplyModel, Sha256, UtcDatetime

MAX_REMOVED = 500  # of one answer
MAX_CURSOR_CHARS = 100


class RemovedBlob(ReplyModel):
    """Bytes that were here until a removal of their site took them."""

    sha256: Sha256
    removed_at: UtcDatetime


class RemovedBlobs(ReplyModel):
    """Some of them, in the order in which they went.

    Attributes:
        next_cursor: Where to go on, now or when more may have gone: unlike that of a list, it is
            there at the end too. Null only while nothing was ever removed.
    """

    items: Annotated[tuple[RemovedBlob, ...], Field(max_length=MAX_REMOVED)]
    next_cursor: Annotated[str, StringConstraints(max_length=MAX_CURSOR_CHARS)] | None

"""Where a snapshot's images come from, as far as training asks. May import ``contract.schema``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from server.contract.schema import Id, ReplyModel, Sha256
from server.contract.snapshot import MAX_ITEMS

MAX_ORIGINS_BYTES = 160 << 20  # 500,000 rows of some 300 bytes

MAX_WORD_CHARS = 300  # a host has 253 at most; a licence is a name or an address

_Word = Annotated[str, StringConstraints(min_length=1, max_length=MAX_WORD_CHARS)]


class Origin(ReplyModel):
    """One image's origin; null is not known.

    Attributes:
        engine: The search engine of the first capture that saw it.
        site: The host of the page that shows it, or else of its address; lower case.
        license: As the page named it.
    """

    sha256: Sha256
    engine: _Word | None = None
    site: _Word | None = None
    license: _Word | None = None


class Origins(ReplyModel):
    """A snapshot's origins, in the manifest's order; frozen with the first time they are asked."""

    snapshot_id: Id
    items: Annotated[tuple[Origin, ...], Field(max_length=MAX_ITEMS)]

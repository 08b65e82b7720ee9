"""Credits."""

from __future__ import annotations

from server.api.schemas.base import ReplyModel


class CreditOut(ReplyModel):
    """Where an image comes from.

    ``source_url`` is the page that shows it, ``page_url`` the one where it was first captured, and
    ``site`` the host of its source, or else of its address ``url``.
    """

    image_id: str
    sha256: str
    label: str | None
    title: str | None
    url: str | None
    source_url: str | None
    page_url: str | None
    site: str | None
    license: str | None

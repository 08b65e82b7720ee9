"""Exports."""

from __future__ import annotations

from server.api.schemas.base import ReplyModel
from server.contract.exports import ExportFormat


class ExportOut(ReplyModel):
    """A format that a snapshot can leave as; `shards` is how many parts it can be had in."""

    format: ExportFormat
    shards: int


class ExportsOut(ReplyModel):
    """All formats that a snapshot can leave as."""

    items: list[ExportOut]

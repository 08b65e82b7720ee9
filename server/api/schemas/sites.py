"""Sites: what was removed of them, and which are kept out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from server.api.schemas.base import Id, ReplyModel, RequestModel
from server.db.models import ModelStage
from server.net.sites import parse_site
from server.net.urls import BadUrlError
from server.services.removals import RemovalView, SiteRequest


def _read_site(text: str) -> str:
    try:
        return parse_site(text)
    except BadUrlError as error:
        raise PydanticCustomError("no_site", "{why}", {"why": str(error)}) from error


# A host is 253 characters of ASCII at the most; in another script it has fewer.
SiteName = Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_read_site)]


class RemovalIn(RequestModel):
    """What to remove: everything of a site, in one dataset or in all.

    ``site`` is a host and stands for its sub-domains too. ``dry_run`` changes nothing. ``block``
    keeps the site out of later captures, uploads and imports.
    """

    site: SiteName
    dataset_id: Id | None = None
    dry_run: bool = False
    block: bool = False

    def to_request(self) -> SiteRequest:
        """Return the request as the service takes it."""
        return SiteRequest(self.site, self.dataset_id, self.block)


class DatasetShare(ReplyModel):
    """How many images of a removal a dataset had."""

    id: str
    name: str
    images: int


class SnapshotShare(ReplyModel):
    """How many images of a removal a snapshot holds."""

    id: str
    dataset_id: str
    created_at: datetime
    images: int


class ModelShare(ReplyModel):
    """How many images of a removal a model was trained or validated on.

    ``stage`` is the one that it had when the removal was asked for.
    """

    id: str
    dataset_id: str
    stage: ModelStage
    snapshot_id: str
    images: int


class _Taken(ReplyModel):
    """What a removal took, or would take.

    ``blobs`` and ``bytes`` are those that nothing else held: bytes that an image of another site
    holds too stay.
    """

    site: str
    images: int
    captures: int
    blobs: int
    bytes: int
    datasets: list[DatasetShare]
    snapshots: list[SnapshotShare]
    models: list[ModelShare]


class RemovalOut(_Taken):
    """What went, or would go of a dry run, which has no ``removal_id``. There is no undoing it."""

    dry_run: bool
    removal_id: str | None

    @classmethod
    def of(cls, view: RemovalView) -> RemovalOut:
        """Return the removal as the API answers it."""
        return cls.model_validate(
            {**_values(view), "dry_run": view.removal_id is None, "removal_id": view.removal_id}
        )


class RemovalListOut(_Taken):
    """A removal of before; ``finished_at`` is null while it goes on."""

    removal_id: str
    dataset_id: str | None
    block: bool
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, view: RemovalView) -> RemovalListOut:
        """Return the removal as the API lists it."""
        return cls.model_validate(
            {
                **_values(view),
                "removal_id": view.removal_id,
                "dataset_id": view.request.dataset_id,
                "block": view.request.is_blocking,
                "created_at": view.created_at,
                "finished_at": view.finished_at,
            }
        )


def _values(view: RemovalView) -> dict[str, object]:
    return {
        "site": view.request.site,
        "images": view.images,
        "captures": view.captures,
        "blobs": view.blobs,
        "bytes": view.bytes,
        **view.found,
    }


class BlockedSiteOut(ReplyModel):
    """A site of which nothing is collected."""

    site: str
    blocked_at: datetime


class BlockedSitesOut(ReplyModel):
    """All of them, by name."""

    items: list[BlockedSiteOut]

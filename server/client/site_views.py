"""What is read of the server's answers on sites: credits, removals. May import ``views``."""

from __future__ import annotations

from datetime import datetime

from server.client.views import View


class Credit(View):
    """Where an image comes from, as its page said.

    Attributes:
        source_url: The page that shows it.
        page_url: The page where it was first captured.
        site: The host of its source, or else of its address.
    """

    image_id: str
    sha256: str
    label: str | None = None
    title: str | None = None
    url: str | None = None
    source_url: str | None = None
    page_url: str | None = None
    site: str | None = None
    license: str | None = None


class DatasetShare(View):
    """How many images of a removed site a dataset had."""

    id: str
    name: str
    images: int


class SnapshotShare(View):
    """How many images of a removed site a snapshot holds."""

    id: str
    dataset_id: str
    images: int


class ModelShare(View):
    """How many images of a removed site a model was trained or validated on.

    Attributes:
        stage: What it was when the removal was asked for.
    """

    id: str
    dataset_id: str
    stage: str
    snapshot_id: str
    images: int


class Removal(View):
    """What went with a site, or would go.

    Attributes:
        blobs: Bytes that nothing else held, as files.
        bytes: Of those files.
        removal_id: None of a dry run.
    """

    site: str
    images: int
    captures: int
    blobs: int
    bytes: int
    datasets: list[DatasetShare]
    snapshots: list[SnapshotShare]
    models: list[ModelShare]
    removal_id: str | None = None
    created_at: datetime | None = None


class BlockedSite(View):
    """A site of which nothing is collected."""

    site: str
    blocked_at: datetime


class BlockedSites(View):
    """All of them."""

    items: list[BlockedSite]

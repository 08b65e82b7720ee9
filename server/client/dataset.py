"""One dataset, as a program uses it. May import ``transport``, ``views``, ``errors``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import uuid4

from pydantic import JsonValue
from typing_extensions import TypedDict, Unpack

from server.client.errors import ClientError
from server.client.site_views import Credit
from server.client.transport import SNAPSHOT_S, Client, Upload
from server.client.views import (
    Action,
    BulkResult,
    CaptureResult,
    Dataset,
    Image,
    ImportReport,
    Label,
    Retried,
    Snapshot,
    UndoResult,
)

POLL_S: Final = 1.0
# As the server takes them at once.
MAX_BULK: Final = 1000
MAX_CANDIDATES: Final = 1000
# The server's own cap of an image: a larger file is not read to be refused.
MAX_IMAGE_BYTES: Final = 20 * 1024**2


class ImageFilter(TypedDict, total=False):
    """Which images to list, and how; what is not given narrows nothing.

    Attributes:
        status: ``queued``, ``downloading``, ``ready``, ``rejected``, ``duplicate``.
        reason: Why they were rejected.
        q: Text that a title, an address or the sha256 holds.
        site: Host of the image's address, or of its page.
        min_px: Of the shorter side.
        max_px: Of the shorter side.
        captured_from: An ISO date.
        captured_to: An ISO date.
        split: ``train`` or ``valid``, of ``snapshot``.
        hint: ``dark``, ``bright``, ``blurry``, ``plain``, ``odd-aspect``, ``small``.
        sort: ``oldest``, ``newest``, or a measure, falling with a ``-`` before it.
        skip: How many to leave out at the beginning of the list, up to 1,000,000.
    """

    label: str
    status: str
    reason: str
    excluded: bool
    reviewed: bool
    q: str
    sha256: str
    engine: str
    query: str
    site: str
    min_px: int
    max_px: int
    captured_from: str
    captured_to: str
    split: str
    snapshot: str
    near_group: str
    hint: str
    sort: str
    skip: int


class DatasetClient:
    """A dataset on a server; got by `Bowerbird.dataset` or `Bowerbird.create_dataset`.

    Attributes:
        id: Of the dataset.
    """

    def __init__(self, transport: Client, dataset_id: str) -> None:
        self.id = dataset_id
        self._transport = transport
        self._path = f"/datasets/{segment(dataset_id)}"

    def show(self) -> Dataset:
        """Return the dataset as it is now, with its counts."""
        return self._transport.get(self._path, Dataset)

    def change(self, *, name: str | None = None, description: str | None = None) -> Dataset:
        """Rename or describe the dataset; None leaves a member as it is."""
        body = given(name=name, description=description)
        return self._transport.patch(self._path, Dataset, body)

    def delete(self) -> None:
        """Delete the dataset with its images, snapshots and models."""
        self._transport.delete(self._path)

    def pause(self) -> Dataset:
        """Download nothing more until it is resumed."""
        return self._transport.post(f"{self._path}/pause", Dataset, {})

    def resume(self) -> Dataset:
        """Go on downloading."""
        return self._transport.post(f"{self._path}/resume", Dataset, {})

    def retry(self, reason: str | None = None, *, host: str | None = None) -> int:
        """Queue rejected images again, all or those of one reason or host; return how many.

        Args:
            reason: Why they were rejected.
            host: Of their address, such as ``img.example.org``, in lower case.
        """
        body = given(reason=reason, host=host)
        return self._transport.post(f"{self._path}/images/retry", Retried, body).queued

    def wait(self, timeout_s: float = SNAPSHOT_S) -> Dataset:
        """Return the dataset once none of its images waits for its download.

        Raises:
            ClientError: Some still do after ``timeout_s``.
        """
        end_s = time.monotonic() + timeout_s
        while (dataset := self.show()).counts.waiting:
            if time.monotonic() >= end_s:
                raise ClientError(f"{dataset.counts.waiting} images are still downloading.")
            time.sleep(POLL_S)
        return dataset

    # --- labels and images ----------------------------------------------------------------------

    def labels(self) -> Iterator[Label]:
        """Yield the labels by name."""
        return self._transport.pages(f"{self._path}/labels", Label)

    def create_label(self, name: str) -> Label:
        """Make a label.

        Raises:
            AlreadyThereError: The dataset has one of this name.
        """
        return self._transport.post(f"{self._path}/labels", Label, {"name": name})

    def images(self, **wanted: Unpack[ImageFilter]) -> Iterator[Image]:
        """Yield the images, page by page as they are asked for."""
        return self._transport.pages(f"{self._path}/images", Image, query(wanted))

    def upload(
        self,
        source: bytes | Path,
        *,
        label: str | None = None,
        source_url: str | None = None,
        page_url: str | None = None,
    ) -> Image:
        """Add an image by its bytes or from a file; the same bytes again are the same image.

        Raises:
            ImageNotUsableError: It is no image that can be used, and why.
        """
        fields = {
            name: value
            for name, value in (
                ("label", label),
                ("source_url", source_url),
                ("page_url", page_url),
            )
            if value is not None
        }
        name = source.name if isinstance(source, Path) else "image"
        upload = Upload(read_image_file(source), name, fields)
        return self._transport.upload(f"{self._path}/images", Image, upload)[1]

    def capture(self, urls: Sequence[str], *, label: str | None = None) -> CaptureResult:
        """Have the server download the images at these addresses, at most 1,000.

        Raises:
            ValueError: They are more.
        """
        if len(urls) > MAX_CANDIDATES:
            raise ValueError(f"a capture takes {MAX_CANDIDATES} addresses, not {len(urls)}")
        body: dict[str, JsonValue] = {
            "capture_key": str(uuid4()),
            "label": label,
            "captured_at": datetime.now(UTC).isoformat(),
            "candidates": [{"url": url, "rank": rank} for rank, url in enumerate(urls)],
        }
        return self._transport.post(f"{self._path}/captures", CaptureResult, body)

    def import_file(
        self,
        file: Path,
        *,
        dry_run: bool = False,
        on_sent: Callable[[int], None] | None = None,
    ) -> ImportReport:
        """Import a zip, a tar or a CSV; the same file again adds nothing twice.

        Args:
            file: Folders, an imagefolder, WebDataset, or the columns ``url`` and ``label``.
            dry_run: Only say what would happen.
            on_sent: Called with the bytes sent so far.

        Raises:
            ImportRefusedError: The file is refused as a whole.
        """
        params = {"dry_run": "true"} if dry_run else {}
        return self._transport.send_file(
            f"{self._path}/imports", ImportReport, file, params=params, on_sent=on_sent
        )

    def credits(self) -> Iterator[Credit]:
        """Yield where the ready images that are not excluded come from."""
        return self._transport.pages(f"{self._path}/credits", Credit)

    # --- changes, and their undoing -------------------------------------------------------------

    def change_images(
        self,
        image_ids: Sequence[str],
        *,
        label: str | None = None,
        excluded: bool | None = None,
        reviewed: bool | None = None,
        versions: Mapping[str, int] | None = None,
    ) -> BulkResult:
        """Change several images as one action; None leaves a member as it is.

        Args:
            image_ids: At most 1,000.
            label: The name of a label that the dataset has.
            excluded: Keep them out of snapshots.
            reviewed: Somebody has looked at them.
            versions: By id; an image that is of another version by now is left as it is.

        Raises:
            UnknownLabelError: The dataset has no such label.
            ValueError: More than 1,000 images.
        """
        if len(image_ids) > MAX_BULK:
            raise ValueError(f"an action takes {MAX_BULK} images, not {len(image_ids)}")
        body: dict[str, JsonValue] = {
            "ids": list(image_ids),
            "set": image_changes(label, excluded=excluded, reviewed=reviewed),
        }
        if versions is not None:
            body["versions"] = dict(versions)
        return self._transport.post(f"{self._path}/images/bulk", BulkResult, body)

    def actions(self) -> Iterator[Action]:
        """Yield the changes that were made, newest first."""
        return self._transport.pages(f"{self._path}/actions", Action)

    def undo(self, action_id: str | None = None) -> UndoResult:
        """Undo the newest change that stands, or this one.

        Raises:
            NothingToUndoError: There is none.
        """
        return self._transport.post(f"{self._path}/undo", UndoResult, given(action_id=action_id))

    def redo(self, action_id: str | None = None) -> UndoResult:
        """Make the change again that was undone last, or this one.

        Raises:
            NothingToUndoError: There is none.
        """
        return self._transport.post(f"{self._path}/redo", UndoResult, given(action_id=action_id))

    # --- snapshots ------------------------------------------------------------------------------

    def snapshot(self, *, valid_ratio: float = 0.2, seed: int = 42) -> Snapshot:
        """Take a snapshot: every image is read again and its hash checked.

        Raises:
            NotEnoughImagesError: Two labels with images on both sides of the split are needed.
            LabelConflictError: The same picture stands under two labels.
        """
        return self._transport.post(
            f"{self._path}/snapshots",
            Snapshot,
            {"valid_ratio": valid_ratio, "seed": seed},
            timeout_s=SNAPSHOT_S,
        )


def image_changes(
    label: str | None, *, excluded: bool | None, reviewed: bool | None
) -> dict[str, JsonValue]:
    """Return what to change on images as the API takes it."""
    changes: dict[str, JsonValue] = {"label": label, "excluded": excluded, "reviewed": reviewed}
    return {name: value for name, value in changes.items() if value is not None}


def query(wanted: ImageFilter) -> dict[str, str | int]:
    """Return a filter as the parameters of a request."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in wanted.items()
        if isinstance(value, str | int)
    }


def given(**values: JsonValue) -> dict[str, JsonValue]:
    """Return the members that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def read_image_file(source: bytes | Path) -> bytes:
    """Return the bytes of an image.

    Raises:
        ClientError: The file can't be read, or is larger than the server takes.
    """
    if isinstance(source, bytes):
        return source
    try:
        with source.open("rb") as file:
            data = file.read(MAX_IMAGE_BYTES + 1)
    except OSError as error:
        raise ClientError(f"{source} can't be read: {error.strerror}.") from error
    if len(data) > MAX_IMAGE_BYTES:
        raise ClientError(f"{source} is larger than 20 MiB.")
    return data


def segment(text: str) -> str:
    """Return text as one segment of a path, whatever it holds."""
    return quote(text, safe="")

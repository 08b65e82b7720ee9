"""The input cannot be used."""

from __future__ import annotations

from server.errors.base import ServerError
from server.reasons import Reason


class RefusedError(ServerError):
    """Base of "this input cannot be used"."""

    slug, title = "input-refused", "The input cannot be used"


class UnknownLabelError(RefusedError):
    """The dataset has no label of this name, and a relabelling makes none silently."""

    slug, title = "unknown-label", "The dataset has no such label"


class LabelRefusedError(RefusedError):
    """A new label that can't be called so; the message says why."""

    slug, title = "label-refused", "There can be no such label"


class InvalidCursorError(RefusedError):
    """A cursor that this server did not make."""

    slug, title = "invalid-cursor", "Not a cursor of this list"


class ImageNotUsableError(RefusedError):
    """An image that was sent or pointed at could not be had or read.

    Attributes:
        reason: One of the closed list.
    """

    slug, title = "image-not-usable", "The image cannot be used"

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail, reason=reason.value)
        self.reason = reason


class BundleRefusedError(RefusedError):
    """An uploaded bundle does not follow its format, or is not of this job."""

    slug, title = "bundle-refused", "The bundle was refused"


class ImportRefusedError(RefusedError):
    """An archive or a table that is refused as a whole, before anything of it is taken.

    Attributes:
        extra: ``kind``, one of the closed list of `server.archives.refusals.Flaw`.
    """

    slug, title = "import-refused", "The file cannot be imported"


class BodyTooLargeError(RefusedError):
    """A request body over its cap."""

    slug, title = "body-too-large", "The request body is too large"


class DiskFullError(ServerError):
    """The disk has no room for what is sent."""

    slug, title = "disk-full", "The server's disk is full"

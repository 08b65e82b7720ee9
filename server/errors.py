"""Domain errors: every failure the server can name, with no HTTP in it.

Imports nothing of the project but ``server.reasons``. ``server.api.problems`` is the one place
that joins these to HTTP statuses, and a test holds its table against the classes here.

    ServerError
    ├── NotFoundError           one subclass per kind of thing
    ├── ConflictError           the request is sound, the present state forbids it
    ├── RefusedError            the input cannot be used
    └── AccessError             who asks, or from where
"""

from __future__ import annotations

from typing import ClassVar

from server.reasons import Reason


class ServerError(Exception):
    """Base of every error this server raises on purpose.

    Attributes:
        slug: Stable name of the error kind; the last part of the problem ``type``.
        title: One sentence, the same for every occurrence.
        extra: Members that the problem document carries beside the standard ones.
    """

    slug: ClassVar[str] = "server-error"
    title: ClassVar[str] = "The server failed"

    def __init__(self, message: str = "", **extra: object) -> None:
        super().__init__(message or self.title)
        self.extra = extra


# --- not found --------------------------------------------------------------------------------


class NotFoundError(ServerError):
    """Base of "there is no such thing"."""

    slug, title = "thing-not-found", "Not found"
    noun: ClassVar[str] = "thing"

    def __init__(self, key: str) -> None:
        super().__init__(f"no {self.noun} {key!r}")


class DatasetNotFoundError(NotFoundError):
    """No dataset has this id."""

    slug, title, noun = "dataset-not-found", "Dataset not found", "dataset"


class LabelNotFoundError(NotFoundError):
    """No label has this id."""

    slug, title, noun = "label-not-found", "Label not found", "label"


class CaptureNotFoundError(NotFoundError):
    """No capture has this id."""

    slug, title, noun = "capture-not-found", "Capture not found", "capture"


class ImageNotFoundError(NotFoundError):
    """No image has this id."""

    slug, title, noun = "image-not-found", "Image not found", "image"


class BlobNotFoundError(NotFoundError):
    """No verified bytes are kept under this sha256."""

    slug, title, noun = "blob-not-found", "Bytes not found", "blob with sha256"


class SnapshotNotFoundError(NotFoundError):
    """No snapshot has this id."""

    slug, title, noun = "snapshot-not-found", "Snapshot not found", "snapshot"


class ShardNotFoundError(NotFoundError):
    """The snapshot's tar has fewer parts."""

    slug, title, noun = "shard-not-found", "Shard not found", "shard"


class JobNotFoundError(NotFoundError):
    """No job has this id."""

    slug, title, noun = "job-not-found", "Job not found", "job"


class ModelNotFoundError(NotFoundError):
    """No model has this id."""

    slug, title, noun = "model-not-found", "Model not found", "model"


class TokenNotFoundError(NotFoundError):
    """No token has this id."""

    slug, title, noun = "token-not-found", "Token not found", "token"


class SiteNotBlockedError(NotFoundError):
    """The site is not kept out."""

    slug, title, noun = "site-not-blocked", "The site is not kept out", "site"

    def __init__(self, key: str) -> None:
        ServerError.__init__(self, f"{key} is not kept out")


# --- conflicts --------------------------------------------------------------------------------


class ConflictError(ServerError):
    """Base of "not in the present state"."""

    slug, title = "state-conflict", "Not possible in the present state"


class DatasetExistsError(ConflictError):
    """A dataset of this name is there already."""

    slug, title = "dataset-exists", "A dataset of this name exists"


class LabelExistsError(ConflictError):
    """The dataset has a label of this name already."""

    slug, title = "label-exists", "A label of this name exists"


class LabelInUseError(ConflictError):
    """The label still has images."""

    slug, title = "label-in-use", "The label still has images"


class ImageNotObtainableError(ConflictError):
    """The image takes no bytes: it has them, waits for them, or lacks them for another reason.

    Attributes:
        extra: Its ``image_status`` and ``reason``.
    """

    slug, title = "image-not-obtainable", "The image takes no bytes in its present state"

    def __init__(self, image_id: str, status: str, reason: str | None) -> None:
        state = status if reason is None else f"{status} ({reason})"
        super().__init__(f"image {image_id} is {state}", image_status=status, reason=reason)


class VersionConflictError(ConflictError):
    """Somebody else changed the image after the caller saw it.

    Attributes:
        extra: The ``version`` that it has now, and its ``current`` values.
    """

    slug, title = "version-conflict", "The image was changed in between"

    def __init__(self, image_id: str, version: int, current: dict[str, object]) -> None:
        super().__init__(
            f"image {image_id} has version {version} by now", version=version, current=current
        )


class NothingToUndoError(ConflictError):
    """No action that stands is known, or not of this id."""

    slug, title = "nothing-to-undo", "There is nothing to undo"


class NothingToRedoError(ConflictError):
    """No action was undone last, or not that one."""

    slug, title = "nothing-to-redo", "There is nothing to redo"


class LabelConflictError(ConflictError):
    """One blob stands under two labels of a dataset.

    Attributes:
        extra: ``image_ids``, the two images that hold it.
    """

    slug, title = "label-conflict", "The same image has two labels"


class NotEnoughImagesError(ConflictError):
    """A snapshot needs two labels with enough images on both sides of the split."""

    slug, title = "not-enough-images", "Not enough images to train on"


class BlobDamagedError(ConflictError):
    """Bytes on disk no longer have the hash they are filed under."""

    slug, title = "blob-damaged", "Stored bytes are damaged"


class SnapshotDamagedError(ConflictError):
    """A snapshot's manifest is gone from the data folder."""

    slug, title = "snapshot-damaged", "The snapshot's manifest is gone"


class ImagesRemovedError(ConflictError):
    """Bytes that were here were removed for good, with everything of their site.

    Attributes:
        extra: ``removals`` that took them, each with ``removal_id``, ``site`` and ``created_at``;
            of a snapshot, ``removed``, how many of its images are gone.
    """

    slug, title = "images-removed", "Images were removed for good"


class ModelDamagedError(ConflictError):
    """A model's bundle is gone from the data folder, or no longer what was registered."""

    slug, title = "model-damaged", "The model's bundle is damaged or gone"


class JobNotLeasedError(ConflictError):
    """The worker does not hold this job, or no longer."""

    slug, title = "job-not-leased", "The job is not this worker's"


class JobFinishedError(ConflictError):
    """The job has ended; it cannot be cancelled."""

    slug, title = "job-finished", "The job has ended"


class NoModelError(ConflictError):
    """No model can answer."""

    slug, title = "no-model", "No model is live"


class ModelWorseError(ConflictError):
    """A model is worse than the live one whose place it should take."""

    slug, title = "model-worse", "The model is worse than the live one"


class NothingToRollBackError(ConflictError):
    """There is no former live model."""

    slug, title = "nothing-to-roll-back", "There is no former model to go back to"


class StageChangedError(ConflictError):
    """Models of the dataset were promoted at the same time."""

    slug, title = "stage-changed", "Another model went live meanwhile"


class DataFolderInUseError(ConflictError):
    """Another server holds the data folder."""

    slug, title = "data-folder-in-use", "Another server uses this data folder"


# --- input that cannot be used ----------------------------------------------------------------


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


# --- access -----------------------------------------------------------------------------------


class AccessError(ServerError):
    """Base of "not you, or not from there"."""

    slug, title = "access-refused", "Access refused"


class UnauthenticatedError(AccessError):
    """No token, or one that is not known (any more)."""

    slug, title = "unauthenticated", "A token is needed"


class TokenScopeError(AccessError):
    """The token is known, but not for this: a trainer's token does a trainer's work alone."""

    slug, title = "token-scope", "The token is not for this"


class ForeignHostError(AccessError):
    """The ``Host`` header names another host: what DNS rebinding looks like."""

    slug, title = "foreign-host", "This server does not answer to that host name"


class ForeignOriginError(AccessError):
    """The ``Origin`` is neither the server's own nor a paired extension's."""

    slug, title = "foreign-origin", "Requests from that origin are refused"


class PairingCodeWrongError(AccessError):
    """Not the code on the page; ``extra`` tells the ``attempts_left`` before that is void."""

    slug, title = "pairing-code-wrong", "The pairing code is wrong"


class PairingNotOpenError(AccessError):
    """No code is on show, or it has run out."""

    slug, title = "pairing-not-open", "No pairing is open"


class PairingLockedError(AccessError):
    """Too many wrong codes: the person must ask for a new one."""

    slug, title = "pairing-locked", "Pairing is locked"


class SignInCodeError(AccessError):
    """A sign-in link that was used, has run out or never was."""

    slug, title = "sign-in-code-invalid", "This sign-in link does not work any more"

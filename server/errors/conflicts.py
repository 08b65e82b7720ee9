"""The request is sound, and the present state forbids it."""

from __future__ import annotations

from server.errors.base import ServerError


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


class RolloutRunningError(ConflictError):
    """Another model of the dataset is in this stage."""

    slug, title = "rollout-running", "Another model is in this stage"


class DataFolderInUseError(ConflictError):
    """Another server holds the data folder."""

    slug, title = "data-folder-in-use", "Another server uses this data folder"


class TooManyLinksError(ConflictError):
    """A dataset has as many links for others as it may."""

    slug, title = "too-many-links", "The dataset has too many links"


class RefreshRunningError(ConflictError):
    """A refresh of the dataset is unfinished."""

    slug, title = "refresh-running", "A refresh of the dataset is under way"


class FeedbackDecidedError(ConflictError):
    """What became of feedback was decided before."""

    slug, title = "feedback-decided", "The feedback has been decided on"


class FeedbackWithoutPictureError(ConflictError):
    """Feedback that came without its picture cannot become an image."""

    slug, title = "feedback-without-picture", "The feedback came without its picture"


class InboxFullError(ConflictError):
    """As much feedback waits as may."""

    slug, title = "inbox-full", "The inbox of feedback is full"


class PictureKnownError(ConflictError):
    """The dataset has the picture under another label.

    Attributes:
        extra: ``image_id`` and ``label`` of the image.
    """

    slug, title = "picture-known", "The dataset has this picture under another label"

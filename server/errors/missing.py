"""There is no such thing: one class per kind of thing."""

from __future__ import annotations

from typing import ClassVar

from server.errors.base import ServerError


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


class RolloutNotFoundError(NotFoundError):
    """No rollout has this id."""

    slug, title, noun = "rollout-not-found", "Rollout not found", "rollout"


class PredictionNotFoundError(NotFoundError):
    """No prediction is kept under this id, or not its image (any more)."""

    slug, title, noun = "prediction-not-found", "Prediction not found", "kept prediction"


class LinkNotFoundError(NotFoundError):
    """The dataset has no link with this id."""

    slug, title, noun = "link-not-found", "Link not found", "link"


class LinkNotValidError(NotFoundError):
    """A visitor's link was revoked, has expired, or never was: all told by the same words."""

    slug, title = "link-not-valid", "This link does not work"

    def __init__(self) -> None:
        ServerError.__init__(
            self,
            "this link has expired, was revoked, or never was; ask whoever gave it to you for "
            "another",
        )


class FeedbackNotFoundError(NotFoundError):
    """No feedback has this id, or it has no picture."""

    slug, title, noun = "feedback-not-found", "Feedback not found", "feedback"

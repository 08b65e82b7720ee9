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

from server.errors.access import (
    AccessError,
    ForeignHostError,
    ForeignOriginError,
    PairingCodeWrongError,
    PairingLockedError,
    PairingNotOpenError,
    SignInCodeError,
    TokenScopeError,
    UnauthenticatedError,
)
from server.errors.answering import (
    AllowanceUsedError,
    TooBusyError,
)
from server.errors.base import (
    ServerError,
)
from server.errors.conflicts import (
    BlobDamagedError,
    ConflictError,
    DataFolderInUseError,
    DatasetExistsError,
    ImageNotObtainableError,
    ImagesRemovedError,
    JobFinishedError,
    JobNotLeasedError,
    LabelConflictError,
    LabelExistsError,
    LabelInUseError,
    ModelDamagedError,
    ModelWorseError,
    NoModelError,
    NotEnoughImagesError,
    NothingToRedoError,
    NothingToRollBackError,
    NothingToUndoError,
    RefreshRunningError,
    SnapshotDamagedError,
    StageChangedError,
    TooManyLinksError,
    VersionConflictError,
)
from server.errors.missing import (
    BlobNotFoundError,
    CaptureNotFoundError,
    DatasetNotFoundError,
    ImageNotFoundError,
    JobNotFoundError,
    LabelNotFoundError,
    LinkNotFoundError,
    LinkNotValidError,
    ModelNotFoundError,
    NotFoundError,
    PredictionNotFoundError,
    ShardNotFoundError,
    SiteNotBlockedError,
    SnapshotNotFoundError,
    TokenNotFoundError,
)
from server.errors.refusals import (
    BodyTooLargeError,
    BundleRefusedError,
    DiskFullError,
    ImageNotUsableError,
    ImportRefusedError,
    InvalidCursorError,
    LabelRefusedError,
    RefusedError,
    UnknownLabelError,
)

__all__ = [
    "AccessError",
    "AllowanceUsedError",
    "BlobDamagedError",
    "BlobNotFoundError",
    "BodyTooLargeError",
    "BundleRefusedError",
    "CaptureNotFoundError",
    "ConflictError",
    "DataFolderInUseError",
    "DatasetExistsError",
    "DatasetNotFoundError",
    "DiskFullError",
    "ForeignHostError",
    "ForeignOriginError",
    "ImageNotFoundError",
    "ImageNotObtainableError",
    "ImageNotUsableError",
    "ImagesRemovedError",
    "ImportRefusedError",
    "InvalidCursorError",
    "JobFinishedError",
    "JobNotFoundError",
    "JobNotLeasedError",
    "LabelConflictError",
    "LabelExistsError",
    "LabelInUseError",
    "LabelNotFoundError",
    "LabelRefusedError",
    "LinkNotFoundError",
    "LinkNotValidError",
    "ModelDamagedError",
    "ModelNotFoundError",
    "ModelWorseError",
    "NoModelError",
    "NotEnoughImagesError",
    "NotFoundError",
    "NothingToRedoError",
    "NothingToRollBackError",
    "NothingToUndoError",
    "PairingCodeWrongError",
    "PairingLockedError",
    "PairingNotOpenError",
    "PredictionNotFoundError",
    "RefreshRunningError",
    "RefusedError",
    "ServerError",
    "ShardNotFoundError",
    "SignInCodeError",
    "SiteNotBlockedError",
    "SnapshotDamagedError",
    "SnapshotNotFoundError",
    "StageChangedError",
    "TokenNotFoundError",
    "TokenScopeError",
    "TooBusyError",
    "TooManyLinksError",
    "UnauthenticatedError",
    "UnknownLabelError",
    "VersionConflictError",
]

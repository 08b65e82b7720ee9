"""Every way a request to a server fails, said in one sentence.

Imports nothing of the project. These are the client's errors, the server's own are in
``server.errors``::

    ClientError                  a sentence, and what to do about it
      NoServerError              nothing answers at the address
      ForeignServerError         another program answers there
      ConnectionLostError        the connection broke, or the answer took too long
      UnexpectedAnswerError      the answer follows no agreement
      MissingTokenError          there is no token to send
      ProblemError               the server refused, by problem+json; one class for each that a
                                 program may want to catch, see `KINDS`
"""

from __future__ import annotations

from collections.abc import Mapping

# A token of another folder is a stranger to the server.
_MAKE_ONE = "`bowerbird token create --name me --data DIR` (the DIR of `bowerbird serve`)"


class ClientError(Exception):
    """A request failed; ``str()`` says how and ``advice`` what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class NoServerError(ClientError):
    """Nothing answers at the server's address."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"No Bowerbird server answers at {server}.",
            "Start it with `bowerbird serve --data ./data` (or `make run`), or name another one "
            "in BOWERBIRD_SERVER.",
        )


class ForeignServerError(ClientError):
    """Something answers, but without our identity header: the token must not go there."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"Another program answers at {server}, not Bowerbird; no token was sent to it.",
            "Start Bowerbird on another port (`bowerbird serve --port 8001`) and set "
            "BOWERBIRD_SERVER to its address.",
        )


class ConnectionLostError(ClientError):
    """The connection broke in the middle, or no answer came in time."""

    def __init__(self, server: str, what: str) -> None:
        super().__init__(f"The server at {server} stopped answering: {what}.")


class UnexpectedAnswerError(ClientError):
    """The answer is not what the API promises, so nothing is built on it."""

    def __init__(self, request: str, what: str) -> None:
        super().__init__(
            f"The server's answer to {request} makes no sense here: {what}.",
            "Are the server and this command of the same version? `bowerbird doctor` tells.",
        )


class MissingTokenError(ClientError):
    """No token in the environment and none in the data folder."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"There is no token: BOWERBIRD_TOKEN is not set and {path} {why}.",
            "Set BOWERBIRD_DATA to the folder given to `bowerbird serve`, or BOWERBIRD_TOKEN to "
            f"what {_MAKE_ONE} prints.",
        )


class ProblemError(ClientError):
    """The server refused the request and said why (RFC 9457).

    Args:
        slug: The last part of the problem's ``type``, such as ``image-not-usable``.
        status: HTTP status.
        text: The server's ``detail``, or its ``title`` where that is missing.
        members: All members of the problem, the additional ones too.
    """

    def __init__(self, slug: str, status: int, text: str, members: Mapping[str, object]) -> None:
        super().__init__(text, _ADVICE.get(slug, _ADVICE_BY_STATUS.get(status, "")))
        self.slug = slug
        self.status = status
        self.members = members

    @property
    def reason(self) -> str:
        """Return the closed reason of an unusable image, else the slug."""
        reason = self.members.get("reason")
        return reason if isinstance(reason, str) else self.slug


class NotSignedInError(ProblemError):
    """The token is not known to the server (any more), or not for this."""


class NotFoundError(ProblemError):
    """There is no such dataset, label, image, snapshot, part of one, job, model or token."""


class AlreadyThereError(ProblemError):
    """A dataset or a label of this name is there already."""


class VersionConflictError(ProblemError):
    """Somebody has changed the image in between; ``members`` holds what it is now."""


class NothingToUndoError(ProblemError):
    """No change of the dataset is left to be undone, or done again."""


class LabelConflictError(ProblemError):
    """The same picture stands under two labels; ``members`` holds the ``image_ids``."""


class NotEnoughImagesError(ProblemError):
    """The dataset has too few images for a snapshot."""


class ImagesRemovedError(ProblemError):
    """Images were removed for good, with everything of their site: ``members["removals"]``."""


class UnknownLabelError(ProblemError):
    """The dataset has no label of this name."""


class ImageNotUsableError(ProblemError):
    """The bytes are no image that can be used; ``reason`` says why."""


class ImportRefusedError(ProblemError):
    """The file is refused as a whole; ``members["kind"]`` says why, and nothing was added."""


class BodyTooLargeError(ProblemError):
    """What was sent is larger than the server takes."""


class NoModelError(ProblemError):
    """No model can answer."""


class InvalidRequestError(ProblemError):
    """A value is not one that the API takes."""


# By the last part of the problem's ``type``.
KINDS: dict[str, type[ProblemError]] = {
    "unauthenticated": NotSignedInError,
    "token-scope": NotSignedInError,
    "dataset-not-found": NotFoundError,
    "label-not-found": NotFoundError,
    "capture-not-found": NotFoundError,
    "image-not-found": NotFoundError,
    "blob-not-found": NotFoundError,
    "snapshot-not-found": NotFoundError,
    "shard-not-found": NotFoundError,
    "job-not-found": NotFoundError,
    "model-not-found": NotFoundError,
    "prediction-not-found": NotFoundError,
    "rollout-not-found": NotFoundError,
    "link-not-found": NotFoundError,
    "link-not-valid": NotFoundError,
    "feedback-not-found": NotFoundError,
    "site-not-blocked": NotFoundError,
    "images-removed": ImagesRemovedError,
    "token-not-found": NotFoundError,
    "dataset-exists": AlreadyThereError,
    "label-exists": AlreadyThereError,
    "version-conflict": VersionConflictError,
    "nothing-to-undo": NothingToUndoError,
    "nothing-to-redo": NothingToUndoError,
    "label-conflict": LabelConflictError,
    "not-enough-images": NotEnoughImagesError,
    "unknown-label": UnknownLabelError,
    "image-not-usable": ImageNotUsableError,
    "import-refused": ImportRefusedError,
    "body-too-large": BodyTooLargeError,
    "no-model": NoModelError,
    "invalid-request": InvalidRequestError,
}


def problem_error(slug: str, status: int, text: str, members: Mapping[str, object]) -> ProblemError:
    """Return the error for a problem, of its own class where it has one."""
    return KINDS.get(slug, ProblemError)(slug, status, text, members)


_ADVICE = {
    "no-model": "Train one first: `bowerbird train --dataset NAME`.",
}
_ADVICE_BY_STATUS = {
    401: f"The token is not (or no longer) valid here: make one with {_MAKE_ONE}.",
    403: f"The token does not allow this: make one with {_MAKE_ONE}.",
}

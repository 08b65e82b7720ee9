"""Every way a command fails that the person is told about in one sentence.

Imports nothing of the project. These are the client's errors, the server's own are in
``server.errors``::

    CommandError                 a sentence, and what to do about it; exit code 1
      NoServerError              nothing answers at the address
      ForeignServerError         another program answers there
      ConnectionLostError        the connection broke, or the answer took too long
      UnexpectedAnswerError      the answer follows no agreement
      MissingTokenError          there is no token to send
      MissingToolError           a program or package that a verb needs is not installed
      ProblemError               the server refused, by problem+json
"""

from __future__ import annotations

from collections.abc import Mapping

# A token of another folder is a stranger to the server.
_MAKE_ONE = "`bowerbird token create --name me --data DIR` (the DIR of `bowerbird serve`)"


class CommandError(Exception):
    """A command failed; ``str()`` says how and ``advice`` what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class NoServerError(CommandError):
    """Nothing answers at the server's address."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"No Bowerbird server answers at {server}.",
            "Start it with `bowerbird serve --data ./data` (or `make run`), or name another one "
            "in BOWERBIRD_SERVER.",
        )


class ForeignServerError(CommandError):
    """Something answers, but without our identity header: the token must not go there."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"Another program answers at {server}, not Bowerbird; no token was sent to it.",
            "Start Bowerbird on another port (`bowerbird serve --port 8001`) and set "
            "BOWERBIRD_SERVER to its address.",
        )


class ConnectionLostError(CommandError):
    """The connection broke in the middle, or no answer came in time."""

    def __init__(self, server: str, what: str) -> None:
        super().__init__(f"The server at {server} stopped answering: {what}.")


class UnexpectedAnswerError(CommandError):
    """The answer is not what the API promises, so nothing is built on it."""

    def __init__(self, request: str, what: str) -> None:
        super().__init__(
            f"The server's answer to {request} makes no sense here: {what}.",
            "Are the server and this command of the same version? `bowerbird doctor` tells.",
        )


class MissingTokenError(CommandError):
    """No token in the environment and none in the data folder."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"There is no token: BOWERBIRD_TOKEN is not set and {path} {why}.",
            "Set BOWERBIRD_DATA to the folder given to `bowerbird serve`, or BOWERBIRD_TOKEN to "
            f"what {_MAKE_ONE} prints.",
        )


class MissingToolError(CommandError):
    """Something that the verb needs besides Python is not there."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what} is not installed.", advice)


class ProblemError(CommandError):
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


_ADVICE = {
    "no-model": "Train one first: `bowerbird train --dataset NAME`.",
}
_ADVICE_BY_STATUS = {
    401: f"The token is not (or no longer) valid here: make one with {_MAKE_ONE}.",
    403: f"The token does not allow this: make one with {_MAKE_ONE}.",
}

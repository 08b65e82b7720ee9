"""Who asks, or from where, is not let in."""

from __future__ import annotations

from server.errors.base import ServerError


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

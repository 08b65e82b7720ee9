"""What became of one address, and which fault of the web counts as which reason.

May import ``server.reasons``, ``server.net.guard``, ``server.net.urls`` and
``server.net.validators``.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiohttp

from server.net.guard import BlockedAddressError
from server.net.urls import BadUrlError
from server.net.validators import Validators
from server.reasons import Reason

MAX_DETAIL_CHARS: Final = 300  # a sentence and an address; strangers write part of it

# What the web can make aiohttp raise. ValueError: header values that its parsers choke on.
WEB_FAULTS: Final = (aiohttp.ClientError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one end of one address: a body, or a reason why there is none.

    Attributes:
        url: The address as asked for.
        final_url: Where the last answer came from, after redirects; None before any answer.
        http_status: Of the last answer; None before any.
        reason: None when ``body`` is there.
        detail: One sentence for a person; empty when all went well. At most 300 characters, without
            control characters.
        body: The bytes, 1 to ``max_bytes`` of them; not yet known to be an image.
        content_type: What the server called them, lower-case, without parameters; never trusted.
        redirects: How many were followed.
        seconds: Time spent on it, waiting for a slot not counted.
        started_at: When it was first asked for.
        declared_bytes: The body's length as the last answer claimed it; None when it did not.
        received_bytes: How much of the body came.
        retry_after_s: How long the last answer asks to be left alone; None when it does not.
        is_downgraded: A redirect led from https to http.
        dns_may_recover: The name could not be resolved *just now*.
        validators: What the server calls this version of the bytes; only of those that came whole,
            or that a 304 says are still the same.
        is_unchanged: The bytes are those that were refused before; they did not come again.
    """

    url: str
    final_url: str | None
    http_status: int | None
    reason: Reason | None
    detail: str
    body: bytes | None
    content_type: str | None
    redirects: int
    seconds: float
    started_at: datetime | None = None
    declared_bytes: int | None = None
    received_bytes: int = 0
    retry_after_s: float | None = None
    is_downgraded: bool = False
    dns_may_recover: bool = False
    validators: Validators | None = None
    is_unchanged: bool = False


class FetchFault(Exception):  # noqa: N818 - a settled outcome on its way up, not an error of ours
    """Ends a fetch early with the reason it carries; never leaves ``server.net``.

    Args:
        reason: Of the closed list.
        detail: One sentence for a person.
        dns_may_recover: As in `Outcome`.
    """

    def __init__(self, reason: Reason, detail: str, *, dns_may_recover: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.dns_may_recover = dns_may_recover


def clean_detail(text: str) -> str:
    """Return text that is safe to store and show: one line, capped, nothing unprintable."""
    printable = "".join(c if c.isprintable() else " " for c in text[: 4 * MAX_DETAIL_CHARS])
    return " ".join(printable.split())[:MAX_DETAIL_CHARS]


def fault_of(error: Exception) -> FetchFault:
    """Map what was raised while fetching to its reason.

    Args:
        error: A `FetchFault`, or one of `WEB_FAULTS`.
    """
    if isinstance(error, FetchFault):
        return error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        # aiohttp's own text speaks of connections and of TLS.
        why = error.os_error.strerror or error.os_error
        return FetchFault(
            Reason.DNS,
            f"the name {error.host} could not be resolved: {why}",
            dns_may_recover=error.os_error.errno == socket.EAI_AGAIN,
        )
    for kinds, reason, words in _FAULTS:
        if isinstance(error, kinds):
            return FetchFault(reason, f"{words}: {error}" if str(error) else words)
    return FetchFault(Reason.CONNECTION, f"the connection failed: {type(error).__name__}: {error}")


# Order matters: aiohttp's classes inherit from several of these at once.
_FAULTS: Final[tuple[tuple[tuple[type[Exception], ...], Reason, str], ...]] = (
    ((BadUrlError,), Reason.BAD_URL, "the address is not one of an image"),
    ((BlockedAddressError,), Reason.BLOCKED_ADDRESS, "refused by the address guard"),
    ((TimeoutError,), Reason.TIMEOUT, "the server was too slow"),
    ((aiohttp.ClientSSLError, ssl.SSLError), Reason.TLS, "no trusted TLS connection"),
    ((aiohttp.ClientPayloadError,), Reason.TRUNCATED, "the body broke off"),
    ((aiohttp.ServerDisconnectedError,), Reason.CONNECTION, "the server hung up"),
    ((aiohttp.ClientResponseError,), Reason.CONNECTION, "the answer was no proper HTTP"),
    ((aiohttp.InvalidURL,), Reason.BAD_URL, "the address is not one of an image"),
)

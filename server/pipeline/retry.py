"""Which failed tries are worth another, when, and what for. Pure: clock and dice are the caller's.

May import ``server.media.verify``, ``server.net`` and ``server.reasons``.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from http import HTTPStatus
from importlib import metadata
from typing import Final

from server.media.verify import VerifyLimits
from server.net.outcome import Outcome
from server.net.validators import Refusal
from server.reasons import Reason

# What may be otherwise in a moment. A TLS fault or a name that does not exist is not among them.
_PASSING: Final = frozenset({Reason.TIMEOUT, Reason.CONNECTION})
# 408, 425 and 429 say "later" by their definition (RFC 9110, 8470, 6585); 501 and 505 say "never".
_LATER: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_NEVER: Final = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})
# What a host says when all of it, not the one address, is at its limit.
_OVERLOADED: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again.

    Attributes:
        max_attempts: Tries of one address in all, the first included.
        first_s: Longest pause after the first failed try; doubles with each further one.
        most_s: Cap of a pause, and of what a server may ask for by ``Retry-After``: it could say a
            century, and a person waits for the rest of a dataset.
    """

    max_attempts: int = 4
    first_s: float = 2.0
    most_s: float = 300.0

    def pause_s(self, outcome: Outcome, retries: int, dice: float) -> float | None:
        """Return how long to wait before the next try; None when there shall be none.

        The pause is drawn evenly from the upper half of an interval that doubles ("equal jitter"):
        addresses that failed together do not come back together, and none comes back at once.
        Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

        Args:
            outcome: The failed try.
            retries: Tries before it.
            dice: A random number in [0, 1).
        """
        if not is_passing(outcome) or retries + 1 >= self.max_attempts:
            return None
        longest = min(self.most_s, self.first_s * 2.0 ** min(retries, 30))
        pause = longest * (0.5 + 0.5 * dice)
        if outcome.retry_after_s is not None:
            pause = max(pause, self.capped(outcome.retry_after_s))
        return pause

    def host_pause_s(self, outcome: Outcome) -> float:
        """Return how long the whole host asks to be left alone; 0 when it does not."""
        if outcome.retry_after_s is None or not is_overloaded(outcome):
            return 0.0
        return self.capped(outcome.retry_after_s)

    def capped(self, seconds: float) -> float:
        """Return a server's wish within what is granted."""
        return min(max(0.0, seconds), self.most_s)


def is_passing(outcome: Outcome) -> bool:
    """Tell whether a failed try could end otherwise later."""
    if outcome.is_unchanged:  # refused before, for whatever reason, and for the same bytes
        return False
    if outcome.reason in _PASSING:
        return True
    if outcome.reason is Reason.DNS:
        return outcome.dns_may_recover
    if outcome.reason is Reason.TRUNCATED:  # the body broke off on its way
        return True
    status = outcome.http_status
    if outcome.reason is not Reason.HTTP_STATUS or status is None:
        return False
    is_fault_of_server = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _NEVER
    return status in _LATER or is_fault_of_server


def is_overloaded(outcome: Outcome) -> bool:
    """Tell whether the host as a whole seems not to answer, or asks for less."""
    if outcome.reason in _PASSING:
        return True
    return outcome.reason is Reason.HTTP_STATUS and outcome.http_status in _OVERLOADED


# What decides, beside the limits, whether bytes are a usable image.
_DECODERS: Final = ("bowerbird", "pillow")


def rules_of(limits: VerifyLimits) -> str:
    """Return 16 characters that stand for everything by which bytes are refused.

    A refusal is repeated unseen (`Refusal`) only under the rules that it was made by. With another
    limit of pixels or of size, or another version of this program or of its decoders, the same
    bytes could pass, so they are fetched anew. That costs a transfer too many where the change
    could not have mattered; to tell which could would be a second list of reasons to keep in step
    with the verifier. Bytes over ``max_bytes`` never come whole, so there is nothing by which to
    know them again, and an address that was too large is always asked without condition.
    """
    versions = [_version(name) for name in _DECODERS]
    text = repr((astuple(limits), versions))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def refusal_of(outcome: Outcome, reason: Reason, detail: str, rules: str) -> Refusal | None:
    """Return what is to be known of refused bytes when their address is tried again.

    None when they did not come whole, or the server has no name for them that can be relied on.

    Args:
        outcome: What the web answered.
        reason: Why the bytes are refused: for what they are, not for a failure of this machine.
        detail: The sentence that goes with it.
        rules: As `rules_of`.
    """
    if outcome.validators is None or outcome.final_url is None:
        return None
    return Refusal(outcome.final_url, outcome.validators, reason, detail, rules)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a folder that was never installed
        return ""
